import { AMOUNT_KINDS, POLICY_KINDS } from './tamper-clever';
import { CROSS_KINDS } from './tamper-cross';
import { CERTIFICATE_KINDS, CHAIN_KINDS, SHAPE_KINDS } from './tamper-plain';
import { CleanStores, hunted } from './tamper-run';
import { Stores } from './tamper-store';

/** The quick one: every kind of forgery a few times. `tamper.chaos-spec.ts` does it many times. */

const STORES = 4;
const TIMES = 1;
const seed = Number(process.env.TAMPER_SEED ?? Date.now() % 2 ** 31);

const stores = new Stores();
const clean = new CleanStores();

beforeAll(async () => {
  process.stdout.write(`forgeries: TAMPER_SEED=${seed}\n`);
  await clean.make(stores, seed, STORES);
}, 60_000);
afterAll(() => stores.close());

it.each([...CHAIN_KINDS, ...SHAPE_KINDS, ...AMOUNT_KINDS, ...POLICY_KINDS, ...CROSS_KINDS, ...CERTIFICATE_KINDS])(
  'finds it when: $name',
  async (kind) => {
    const { missed } = await hunted(kind, TIMES, clean, stores, seed);
    expect(missed).toEqual([]);
  },
);

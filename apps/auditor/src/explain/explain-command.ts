import type { EventStore } from '@ledger/event-store';
import { PRICE_TABLE, type PlatformSettings } from '@ledger/wallet';
import { BadPriceTable, readPriceTable } from '../../../ledger/src/price-table';
import { BadArguments, CLEAN, type Command, CouldNotRun, FINDINGS, flags, openStore, storeUrl, type Surroundings } from '../cli/command';
import { shown } from '../cli/shown';
import { platformOf, walletArgument } from '../replay/arguments';
import { isOfData } from '../replay/facts';
import { findEvent } from './command-group';
import { Explainer, nothingRefused } from './explain';
import { type Explanation, printed } from './explanation';

export const explainCommand: Command = {
  summary: 'say why an event is as it is, and decide its command again',
  usage:
    'explain --wallet user:<id>|organisation:<id> --event <revision, event id, or id of a usage, purchase, allocation or bill>\n' +
    '       npm run audit -- explain --refusal <request id> [--wallet user:<id>]\n' +
    '       both: [--event-store URL] [--json]',
  async run(args, { env, out }) {
    const values = flags(args, {
      wallet: { type: 'string' },
      event: { type: 'string' },
      refusal: { type: 'string' },
      'event-store': { type: 'string' },
      json: { type: 'boolean' },
    });
    const { wallet, event, refusal } = values;
    if ((event === undefined) === (refusal === undefined)) throw new BadArguments('Say one of --event and --refusal.');
    if (event !== undefined && wallet === undefined)
      throw new BadArguments('--wallet is missing: name whose event it is, such as user:u1.');
    const asked = { wallet: wallet === undefined ? undefined : walletArgument(wallet), event, refusal };
    const settings = settingsOf(env);
    const store = await openStore(storeUrl(values['event-store'], env));
    try {
      return tell(await explanations(store, settings, asked).catch(ofOtherShape), values.json === true, out);
    } finally {
      await store.close();
    }
  },
};

interface Asked {
  wallet: ReturnType<typeof walletArgument> | undefined;
  event: string | undefined;
  refusal: string | undefined;
}

/** One request may have been a batch of many usages: so many refusals of it are told. */
const REFUSALS_MAX = 100;

async function explanations(store: EventStore, settings: PlatformSettings, { wallet, event, refusal }: Asked): Promise<Explanation[]> {
  const explainer = new Explainer(store, settings);
  if (wallet && event !== undefined) return [await explainer.explain(wallet, await findEvent(store, wallet, event))];
  const told: Explanation[] = [];
  for await (const explanation of explainer.refusals(refusal ?? '', wallet)) if (told.push(explanation) === REFUSALS_MAX) break;
  if (told.length === 0) throw nothingRefused(refusal ?? '');
  return told;
}

/** The stories trust what events are made of, and somebody may have changed them. @throws CouldNotRun */
function ofOtherShape(error: unknown): never {
  if (!isOfData(error)) throw error;
  const sentence = 'What is asked for hangs on events that are not as the ledger writes them; "verify" says what is wrong with them';
  throw new CouldNotRun(`${sentence} (${shown(error.message)}).`, { cause: error });
}

function tell(told: readonly Explanation[], json: boolean, out: Surroundings['out']): number {
  const parts = json ? told.map((one) => JSON.stringify(one)) : [told.map(printed).join('\n\n---\n\n')];
  for (const part of parts) out(part);
  return told.every(({ findings }) => findings.length === 0) ? CLEAN : FINDINGS;
}

/** As the service reads them; the months of free tokens and the prices are decided by them. @throws CouldNotRun */
function settingsOf(env: Surroundings['env']): PlatformSettings {
  const path = env.PRICE_TABLE_PATH?.trim() || undefined;
  try {
    return { ...platformOf(env), priceTable: path === undefined ? PRICE_TABLE : readPriceTable(path) };
  } catch (error) {
    if (error instanceof BadPriceTable) throw new CouldNotRun(`PRICE_TABLE_PATH names ${error.message}`);
    throw error;
  }
}

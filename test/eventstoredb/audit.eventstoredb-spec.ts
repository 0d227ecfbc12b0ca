import { NO_STREAM, type EventStore } from '../../libs/event-store/src/event-store';
import { EventStoreDbEventStore } from '../../libs/event-store/src/eventstoredb/event-store-db-event-store';
import { auditorHere, type Ran } from '../audit/explain-cli';
import { endsOf } from '../audit/since-run';
import { appendCopy, reseal } from '../audit/tamper-forging';
import { randomRows, type Row, Stores } from '../audit/tamper-store';
import { describeOnTestServer } from './real-server';
import { ServerUnderTest } from './server-under-test';

/** The audit of a store on a server, and one that goes on from where it ended. */

jest.setTimeout(120_000);
const seed = Number(process.env.TAMPER_SEED ?? Date.now() % 2 ** 31);

describeOnTestServer('the audit of an EventStoreDB', () => {
  const stores = new Stores();
  const file = (name: string): string => stores.file(name);
  let server: ServerUnderTest;
  let store: EventStore;

  beforeAll(async () => {
    process.stdout.write(`audit on a server: TAMPER_SEED=${seed}\n`);
    server = await ServerUnderTest.start();
    store = EventStoreDbEventStore.open(server.url());
    await auditorHere(['keygen', '--out', file('key.pem'), '--public-out', file('key.pub.pem')]);
  });
  afterAll(async () => {
    await store?.close();
    await server?.stop();
    stores.close();
  });

  const written = async (rows: readonly Row[]): Promise<void> => {
    for (const { stream, revision, id, type, data, metadata } of rows)
      await store.append(stream, revision === 0 ? NO_STREAM : revision - 1, [{ id, type, data, metadata }]);
  };
  const verify = (...more: string[]): Promise<Ran> => auditorHere(['verify', '--event-store', server.url(), '--json', ...more]);
  const certifying = (name: string): string[] => ['--certificate', file(name), '--signing-key', file('key.pem')];
  const since = (name: string): string[] => ['--since', file(name), '--public-key', file('key.pub.pem')];
  const said = ({ out }: Ran) => {
    const all = JSON.parse(out) as { wentOnFrom: unknown; findings: { sentence: string }[] };
    // Findings that join events come in the order of secret numbers.
    all.findings.sort((a, b) => (a.sentence < b.sentence ? -1 : 1));
    return { ...all, ms: 0, certificate: null, comparedWith: null, findingsByRule: null };
  };

  it('reads what is new alone, in a chain of three, and comes to what a whole audit comes to', async () => {
    const rows = randomRows(seed);
    const ends = endsOf(rows);
    const points = [ends[Math.floor(ends.length / 3)]!, ends[Math.floor((ends.length * 2) / 3)]!, rows.length];
    let from = 0;
    for (const [step, point] of points.entries()) {
      await written(rows.slice(from, point));
      const ran = await verify(...(step === 0 ? [] : since(`${step - 1}.json`)), ...certifying(`${step}.json`));
      expect([ran.status, ran.err]).toEqual([0, '']);
      expect(said(ran).wentOnFrom).toEqual(step === 0 ? null : { position: expect.any(String), events: from });
      expect({ ...said(ran), wentOnFrom: null }).toEqual(said(await verify()));
      from = point;
    }

    // What is suspect is read again: a payment from before the certificate that credits once more.
    const forged = rows.map((row) => ({ ...row }));
    const copy = appendCopy(
      forged,
      forged.find(({ type }) => type === 'TokensPurchased')!,
      () => undefined,
    );
    reseal(forged, copy.stream);
    await written([copy]);
    const [ran, whole] = [await verify(...since('2.json')), await verify()];
    expect([ran.status, said(ran).wentOnFrom]).toEqual([1, { position: expect.any(String), events: rows.length }]);
    expect(said(ran).findings).toContainEqual(expect.objectContaining({ rule: 'unique-payment', stream: copy.stream }));
    expect({ ...said(ran), wentOnFrom: null }).toEqual(said(whole));
  });
});

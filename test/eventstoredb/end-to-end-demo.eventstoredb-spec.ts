import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { NO_POSITION, NO_STREAM } from '../../libs/event-store/src/event-store';
import { EventStoreDbEventStore } from '../../libs/event-store/src/eventstoredb/event-store-db-event-store';
import { describeOnTestServer } from './real-server';
import { ServerUnderTest } from './server-under-test';

const DEMO = resolve(__dirname, '../../dist/apps/demo/src/main.js');
const ENDS_WITHIN_MS = 30_000;

/** The whole day on a store, under fire, is in demo-under-fire; here is what the demo refuses before it begins. */
describeOnTestServer('npm run demo -- --event-store', () => {
  let server: ServerUnderTest;
  let folder: string;
  beforeAll(async () => {
    if (!existsSync(DEMO)) throw new Error('dist lacks the demo, and these tests run the built one: "npm run build" makes it.');
    server = await ServerUnderTest.start();
    folder = mkdtempSync(join(tmpdir(), 'ledger-demo-'));
  }, 60_000);
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const demo = (url: string): Promise<{ status: unknown; out: string; err: string }> =>
    new Promise((done) => {
      const args = [DEMO, '--event-store', url, '--data', join(folder, 'data')];
      execFile(process.execPath, args, { timeout: ENDS_WITHIN_MS }, (error, out, err) => done({ status: error?.code ?? 0, out, err }));
    });

  it('refuses a store that has events of a ledger, and touches neither it nor the folder', async () => {
    const store = EventStoreDbEventStore.open(server.url());
    const event = { id: randomUUID(), type: 'TokensUsed', data: '{}', metadata: '{}' };
    await store.append('userWallet-somebody', NO_STREAM, [event]);
    expect(await demo(server.url())).toMatchObject({ status: 1, out: '', err: expect.stringMatching(/has events of a ledger already/) });
    expect(await store.readAll(NO_POSITION, 10)).toHaveLength(1);
    expect(existsSync(join(folder, 'data'))).toBe(false);
    await store.close();
  }, 60_000);

  it.each([
    ['a store that does not answer', 'esdb://127.0.0.1:9?tls=false', /did not begin: .* nothing listens there\.$/],
    [
      'a string that it cannot serve, without its password',
      'esdb://admin:changeit@127.0.0.1?tls=false',
      /^--event-store has a user and tls=false/,
    ],
  ])(
    'refuses %s',
    async (_, url, sentence) => {
      const { status, out, err } = await demo(url);
      expect([status, out, err.trim()]).toEqual([1, '', expect.stringMatching(sentence)]);
      expect(err).not.toContain('changeit');
      expect(existsSync(join(folder, 'data'))).toBe(false);
    },
    60_000,
  );
});

import { setTimeout as pause } from 'node:timers/promises';
import { addsUp } from '../support/adds-up';
import { settle, settleAll } from '../support/clients';
import { expecting, usage, userCommand } from '../support/commands';
import { bodyOf, type Door, isLater, isReplay, LedgerUnderTest } from '../support/ledger-under-test';
import { Witness } from '../support/witness';
import { describeOnTestServer } from './real-server';
import { ServerRows } from './support/server-rows';
import { ServerUnderTest } from './server-under-test';

/** How long the server is away under load; 60 shows the whole outage, less shows the same sooner. */
const OUTAGE_SECONDS = Number(process.env.OUTAGE_SECONDS ?? 6);
const CLIENTS = 16;
const LOOKS_MAX = 600;
const LOOK_MS = 50;

const PASSWORD = 'pa:ss@word';
const ENCODED = 'pa%3Ass%40word';

/** Asks until the answer is as wanted. @throws with the last answer when it never is */
async function until(what: () => Promise<boolean>, said: () => string): Promise<void> {
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    if (await what()) return;
    await pause(LOOK_MS);
  }
  throw new Error(`It did not come about. ${said()}`);
}

async function readiness(door: Door): Promise<{ status: number; code: string; detail: string }> {
  const { status, text } = await door.once({ method: 'GET', path: '/health/ready' });
  return { ...(JSON.parse(text) as { code: string; detail: string }), status };
}

const ready = (door: Door): Promise<void> =>
  until(
    async () => (await readiness(door)).status === 200,
    () => door.service.log,
  );

const logged = (door: Door): { level: number; msg: string }[] =>
  door.service.log
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as { level: number; msg: string });

describeOnTestServer('the ledger whose EventStoreDB is away', () => {
  let server: ServerUnderTest;
  let ledger: LedgerUnderTest;
  const ledgers: LedgerUnderTest[] = [];

  const newLedger = (url: string, rows?: ServerRows, settings = {}): LedgerUnderTest => {
    ledger = new LedgerUnderTest({ EVENT_STORE_URL: url, ATTEMPT_SECONDS: '2', ...settings }, rows);
    ledgers.push(ledger);
    return ledger;
  };

  afterEach(async () => {
    for (const each of ledgers.splice(0)) await each.end();
  });

  describe('at the start', () => {
    beforeAll(async () => {
      server = await ServerUnderTest.start({ tls: true, users: [`admin:${PASSWORD}`, 'reader:secret'] });
    }, 60_000);
    afterAll(() => server.stop());

    const to = (change: (url: string) => string) => () => change(server.url({ user: `admin:${ENCODED}` }));
    it.each([
      ['the password is wrong', to((url) => url.replace(ENCODED, 'another-secret')), /refuses the user or the password/],
      [
        'the user may not read $all',
        to((url) => url.replace(`admin:${ENCODED}`, 'reader:secret')),
        /lacks a right: \$all must be readable/,
      ],
      ['the certificate is not trusted', to((url) => url.replace(/&?tlsCAFile=[^&]*/, '')), /certificate is refused .* tlsCAFile/],
      ['the host does not exist', to((url) => url.replace('127.0.0.1', 'no-such-host.invalid')), /name cannot be resolved/],
      ['nothing listens', to((url) => url.replace(/:\d+\?/, ':9?')), /nothing listens there/],
      [
        'it speaks TLS and is called without',
        to((url) => url.replace(/\/\/.*@/, '//').replace(/\?.*/, '?tls=false')),
        /if it speaks TLS only/,
      ],
    ])(
      'says so when %s, is live and not ready, and accepts nothing',
      async (_, url, sentence) => {
        const door = await newLedger(url()).start('a');
        expect((await door.once({ method: 'GET', path: '/health/live' })).status).toBe(200);
        expect(await readiness(door)).toMatchObject({ status: 503, code: 'STORE_UNAVAILABLE', detail: expect.stringMatching(sentence) });
        // Whoever may read and write single streams can decide, and be refused for want of tokens.
        const refused = await door.once(usage('anna', 1, 'key'));
        const codes = /\$all/.test(sentence.source) ? ['STORE_UNAVAILABLE', 'INSUFFICIENT_TOKENS'] : ['STORE_UNAVAILABLE'];
        expect(codes).toContain(bodyOf(refused).code);
        expect(logged(door).filter(({ level, msg }) => level >= 40 && sentence.test(msg)).length).toBeGreaterThan(0);
        expect(`${refused.text}${door.service.log}`).not.toMatch(/another-secret|pa:ss|pa%3A|secret@/);
      },
      60_000,
    );

    it('speaks TLS to one that does not', async () => {
      const plain = await ServerUnderTest.start();
      try {
        const door = await newLedger(plain.url({ query: { tls: 'true' } })).start('a');
        expect(await readiness(door)).toMatchObject({ status: 503, detail: expect.stringMatching(/does not speak TLS|dropped/) });
      } finally {
        await plain.stop();
      }
    }, 60_000);

    it('begins by itself when the server comes', async () => {
      const rows = new ServerRows(server.url({ user: `admin:${ENCODED}` }));
      await server.terminate();
      const door = await newLedger(server.url({ user: `admin:${ENCODED}` }), rows).start('a');
      expect(await readiness(door)).toMatchObject({ status: 503, detail: expect.stringMatching(/nothing listens there/) });
      const read = await door.once({ method: 'GET', path: '/v1/users/anna' });
      expect([read.status, isLater(read)]).toEqual([503, true]);
      await server.restart();
      await ready(door);
      await expecting(201, door, userCommand('anna', 'POST', '/purchases', { tokens: 500, paymentReference: 'p' }, 'buy'));
      await expecting(201, door, usage('anna', 3, 'use'));
      await addsUp(ledger, [door]);
      await rows.close();
    }, 90_000);

    it('ends when it is told to, although the server never came', async () => {
      const door = await newLedger(server.url().replace(/:\d+\?/, ':9?')).start('a');
      await door.service.stop();
    }, 60_000);
  });

  describe('later', () => {
    let rows: ServerRows;
    beforeEach(async () => {
      server = await ServerUnderTest.start();
      rows = new ServerRows(server.url());
    }, 60_000);
    afterEach(async () => {
      await rows.close();
      await server.stop();
    });

    /** Clients that repeat every command until it is answered, and go on until they are told to end. */
    const load = (witness: Witness, door: Door) => {
      const ended = { yes: false };
      const clients = Array.from({ length: CLIENTS }, async (_, client) => {
        for (let n = 0; !ended.yes; n += 1)
          await settle(witness, usage(`user-${client % 5}`, 1, `load-${client}-${n}`), () => Promise.resolve(door));
      });
      return async () => {
        ended.yes = true;
        await Promise.all(clients);
      };
    };

    it(
      `loses nothing when the server is killed under load and away for ${OUTAGE_SECONDS} s`,
      async () => {
        const door = await newLedger(server.url(), rows, { FREE_TOKENS_PER_MONTH: '1000000' }).start('a');
        const witness = new Witness({ head: () => rows.head(), close: () => undefined });
        const end = load(new Witness({ head: () => 0, close: () => undefined }), door);
        await until(
          async () => (await rows.head()) > 20_000,
          () => door.service.log,
        );
        await server.kill();
        await until(
          async () => (await readiness(door)).status === 503,
          () => door.service.log,
        );
        expect(await readiness(door)).toMatchObject({ code: 'STORE_UNAVAILABLE', detail: expect.stringMatching(/cannot be used/) });
        const refused = await door.once(usage('someone-else', 1, 'meanwhile'));
        expect([refused.status, bodyOf(refused).code]).toEqual([503, 'STORE_UNAVAILABLE']);
        await pause(OUTAGE_SECONDS * 1_000);
        const warned = logged(door).filter(({ msg }) => /event store at .* cannot be used/i.test(msg)).length;
        await server.restart();
        await ready(door);
        expect((await settle(witness, usage('someone-else', 1, 'meanwhile'), () => Promise.resolve(door))).status).toBe(201);
        await end();
        // An outage is told, and told again when its reason changes, but not with every call that fails.
        expect(warned).toBeGreaterThan(0);
        expect(warned).toBeLessThan(10);
        expect(logged(door).some(({ msg }) => /answers again/.test(msg))).toBe(true);
        await addsUp(ledger, [door]);
      },
      60_000 + OUTAGE_SECONDS * 2_000,
    );

    it('says what it does not know while the server is frozen, and finds it out after', async () => {
      const door = await newLedger(server.url(), rows, { FREE_TOKENS_PER_MONTH: '100' }).start('a');
      const witness = new Witness({ head: () => rows.head(), close: () => undefined });
      await settle(witness, usage('anna', 1, 'before'), () => Promise.resolve(door));
      server.freeze();
      const commands = Array.from({ length: 20 }, (_, n) => usage(`frozen-${n % 4}`, 1, `frozen-${n}`));
      const replies = await Promise.all(commands.map((command) => door.once(command)));
      const codes = new Set(replies.map((reply) => `${reply.status} ${bodyOf(reply).code}`));
      expect([...codes].filter((code) => !/^503 (STORE_UNAVAILABLE|OUTCOME_UNKNOWN)$/.test(code))).toEqual([]);
      expect((await readiness(door)).status).toBe(503);
      server.thaw();
      await ready(door);
      await settleAll(witness, commands, () => Promise.resolve(door));
      const again = await door.ask(commands[0]!);
      expect([again.status, isReplay(again)]).toEqual([201, true]);
      await addsUp(ledger, [door], witness);
    }, 90_000);

    it.each([
      ['is not ready', { fail: { code: 'NOT_READY', on: ['append', 'read'] as const } }, ['STORE_UNAVAILABLE']],
      ['fails every append', { fail: { code: 'UNAVAILABLE', on: ['append'] as const } }, ['STORE_UNAVAILABLE', 'OUTCOME_UNKNOWN']],
      ['loses every reply', { loseReplies: { how: 'drop' as const } }, ['STORE_UNAVAILABLE', 'OUTCOME_UNKNOWN']],
      ['answers no append', { silent: { on: ['append'] as const } }, ['OUTCOME_UNKNOWN']],
    ])(
      'refuses with 503 while the server %s, and goes on after',
      async (_, faults, expected) => {
        const door = await newLedger(server.url(), rows, { FREE_TOKENS_PER_MONTH: '100' }).start('a');
        const witness = new Witness({ head: () => rows.head(), close: () => undefined });
        await settle(witness, usage('anna', 1, 'before'), () => Promise.resolve(door));
        await server.faults(faults);
        // Not through the witness, which asks the same server how far it is.
        const reply = await door.once(usage('anna', 1, 'during'));
        // A lost reply is found by the repeat of the same append, which the ledger makes by itself.
        if (reply.status !== 201) {
          expect(reply.status).toBe(503);
          expect(expected).toContain(bodyOf(reply).code);
        }
        await server.clearFaults();
        expect((await settle(witness, usage('anna', 1, 'during'), () => Promise.resolve(door))).status).toBe(201);
        await addsUp(ledger, [door], witness);
      },
      90_000,
    );
  });
});

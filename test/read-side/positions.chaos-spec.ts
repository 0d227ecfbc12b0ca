import { setTimeout as pause } from 'node:timers/promises';
import { NO_STREAM, SqliteEventStore } from '@ledger/event-store';
import { chainStart, seal, streamOf, type WalletEvent, type WalletRef } from '@ledger/wallet';
import type { Reply } from '../../apps/demo/src/http-client';
import { allocated, opened, permitted, purchased } from '../../apps/ledger/src/views/testing/facts';
import { hashing } from '../../apps/ledger/src/wallets/hashing';
import { Choices } from '../support/choices';
import { expecting, openSchool, organisationCommand, usage, userCommand } from '../support/commands';
import { bodyOf, calmZone, type Door, type Json, LedgerUnderTest, positionOf, seedOf } from '../support/ledger-under-test';
import type { Command } from '../support/witness';

/** A read that sends back the `Ledger-Position` of a write sees the write, through whichever of two processes it comes. */

const PAIRS = 10_000;
const LANES = 24;
/** A request waits so long for its position, api.md says. */
const WAIT_MS = 5_000;
const MINUTES_MAX = 5;

const textOf = (position: string): string => Buffer.from(position, 'base64url').toString('latin1');
const positionMade = (text: string): string => Buffer.from(text).toString('base64url');

describe('a read with Ledger-Position', () => {
  const ledger = new LedgerUnderTest();
  let doors: [Door, Door];
  afterAll(() => ledger.end());

  const get = (door: Door, path: string, position?: string): Promise<Json> => expecting(200, door, { method: 'GET', path, position });

  /** One client with a user and an organisation of its own, so that it knows every figure that it must read. */
  class Lane {
    pairs = 0;
    private readonly school: string;
    private readonly members: string[];
    private readonly user: string;
    private balance = 0;
    private available = 0;
    private readonly allocated = new Map<string, number>();
    private made = 0;
    private lastUsage: { usageId: string; tokens: number } | undefined;

    constructor(
      private readonly number: number,
      private readonly choices: Choices,
    ) {
      this.school = `school-${number}`;
      this.user = `user-${number}`;
      this.members = [`a-${number}`, `b-${number}`, `c-${number}`];
    }

    async open(): Promise<void> {
      await openSchool(doors[0], this.school, { timeZone: calmZone(), tokens: 10_000_000, members: this.members });
      this.available = 10_000_000;
      await this.buy();
    }

    async pair(): Promise<void> {
      this.pairs += 1;
      const draw = this.choices.below(100);
      if (draw < 35) await this.use();
      else if (draw < 65) await this.allocate();
      else if (draw < 75) await this.buy();
      else if (draw < 85) await this.limit();
      else if (draw < 92) await this.suspendAndResume();
      else await this.giveBack();
    }

    private async use(): Promise<void> {
      const tokens = this.choices.from(1, 3);
      const { reply, body } = await this.tell(201, usage(this.user, tokens, this.key(), { reference: `r-${this.made}` }));
      this.balance -= tokens;
      expect(body.balance).toBe(this.balance);
      this.lastUsage = { usageId: body.usageId as string, tokens };
      const path = `/v1/users/${this.user}`;
      expect((await this.read(path, reply)).balance).toBe(this.balance);
      expect(await this.read(`${path}/usages/${body.usageId}`, reply)).toMatchObject({ tokens, reversed: false });
    }

    private async giveBack(): Promise<void> {
      if (this.lastUsage === undefined) return this.use();
      const { usageId, tokens } = this.lastUsage;
      this.lastUsage = undefined;
      const path = `/usages/${usageId}/reversal`;
      const { reply } = await this.tell(201, userCommand(this.user, 'POST', path, { reason: 'a mistake' }, this.key()));
      this.balance += tokens;
      expect((await this.read(`/v1/users/${this.user}/usages/${usageId}`, reply)).reversed).toBe(true);
      expect((await this.read(`/v1/users/${this.user}`, reply)).balance).toBe(this.balance);
    }

    private async buy(): Promise<void> {
      const key = this.key();
      const tokens = this.choices.from(200, 2_000);
      const { reply, body } = await this.tell(201, userCommand(this.user, 'POST', '/purchases', { tokens, paymentReference: key }, key));
      this.balance += tokens;
      const path = `/v1/users/${this.user}`;
      expect((await this.read(path, reply)).purchased).toBe(this.balance);
      expect((await this.read(`${path}/purchases?limit=1`, reply)).data).toMatchObject([{ purchaseId: body.purchaseId, tokens }]);
    }

    /** Also the members' wallets, which settlement writes, hold what was allocated. */
    private async allocate(): Promise<void> {
      const lines = this.choices
        .some(this.members, this.choices.from(1, 3))
        .map((userId) => ({ userId, tokens: this.choices.from(1, 50) }));
      const { reply, body } = await this.tell(201, organisationCommand(this.school, 'POST', '/allocations', { lines }, this.key()));
      for (const { userId, tokens } of lines) {
        this.available -= tokens;
        this.allocated.set(userId, (this.allocated.get(userId) ?? 0) + tokens);
      }
      expect(body.available).toBe(this.available);
      const path = `/v1/organisations/${this.school}`;
      expect(await this.read(`${path}/allocations/${body.allocationId}`, reply)).toMatchObject({
        settled: true,
        settledLines: lines.length,
      });
      expect(await this.read(path, reply)).toMatchObject({ available: this.available, inTransit: 0 });
      const { userId } = this.choices.of(lines);
      const tokens = this.allocated.get(userId);
      expect((await this.read(`/v1/users/${userId}`, reply)).allocated).toMatchObject([{ organisationId: this.school, tokens }]);
      expect((await this.read(`${path}/members/${userId}`, reply)).allocated).toBe(tokens);
    }

    private async limit(): Promise<void> {
      const userId = this.choices.of(this.members);
      const daily = this.choices.from(1, 1_000_000);
      const path = `/members/${userId}/limits`;
      const { reply } = await this.tell(200, organisationCommand(this.school, 'PUT', path, { usage: { daily } }, this.key()));
      const member = await this.read(`/v1/organisations/${this.school}/members/${userId}`, reply);
      expect(member.limits.usage.daily).toMatchObject({ limit: daily, source: 'member' });
    }

    private async suspendAndResume(): Promise<void> {
      const userId = this.choices.of(this.members);
      for (const status of ['suspended', 'permitted']) {
        const { reply } = await this.tell(200, organisationCommand(this.school, 'PUT', `/members/${userId}`, { status }, this.key()));
        const { data } = await this.read(`/v1/organisations/${this.school}/members?status=${status}`, reply);
        expect((data as Json[]).map((member) => member.userId)).toContain(userId);
      }
    }

    private key(): string {
      return `key-${this.number}-${(this.made += 1)}`;
    }

    /** Writes through either process. */
    private async tell(status: number, command: Command): Promise<{ reply: Reply; body: Json }> {
      const reply = await this.choices.of(doors).ask(command);
      if (reply.status !== status) throw new Error(`${command.path} was answered ${reply.status}: ${reply.text}`);
      expect(positionOf(reply)).toBeDefined();
      return { reply, body: bodyOf(reply) };
    }

    private read(path: string, reply: Reply): Promise<Json> {
      return get(this.choices.of(doors), path, positionOf(reply));
    }
  }

  beforeAll(async () => {
    await holdUp(ledger.store);
    doors = [await ledger.start('here'), await ledger.start('there')];
  }, 60_000);

  it(
    `sees the write, ${PAIRS} times, allocations to members included`,
    async () => {
      const seed = seedOf('POSITIONS_SEED');
      const lanes = Array.from({ length: LANES }, (_, number) => new Lane(number, new Choices(seed + number)));
      let left = PAIRS;
      await Promise.all(
        lanes.map(async (lane) => {
          await lane.open();
          while (left-- > 0) await lane.pair();
        }),
      );
      const pairs = lanes.reduce((sum, lane) => sum + lane.pairs, 0);
      expect(pairs).toBe(PAIRS);
    },
    MINUTES_MAX * 60_000,
  );

  it('is told after 5 s that a position was not reached which the store has not come to', async () => {
    const { headers } = await doors[0].ask(userCommand('ann', 'POST', '/purchases', { tokens: 200, paymentReference: 'p' }, 'p'));
    const [mark, position, event] = textOf(headers['ledger-position'] as string).split('.');
    const beyond = positionMade(`${mark}.${BigInt(position!) + 1_000_000n}.${event}`);
    const began = performance.now();
    const reply = await doors[0].once({ method: 'GET', path: '/v1/users/ann', position: beyond });
    expect([reply.status, bodyOf(reply).code]).toEqual([503, 'POSITION_NOT_REACHED']);
    expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
    // Timers may be a moment early; that it does not wait much longer is what the client's own patience says.
    expect(performance.now() - began).toBeGreaterThan(WAIT_MS - 50);
  }, 60_000);

  it('is refused with the position of another store, and with what is no position', async () => {
    const other = new LedgerUnderTest();
    try {
      const door = await other.start('other');
      const foreign = positionOf(await door.ask(userCommand('ann', 'POST', '/purchases', { tokens: 200, paymentReference: 'p' }, 'p')));
      for (const position of [foreign, 'nonsense', positionMade('0-0.x')]) {
        const reply = await doors[0].once({ method: 'GET', path: '/v1/users/ann', position });
        expect([reply.status, bodyOf(reply)]).toEqual([
          400,
          expect.objectContaining({ code: 'VALIDATION_FAILED', errors: [expect.objectContaining({ field: '/Ledger-Position' })] }),
        ]);
      }
    } finally {
      await other.end();
    }
  }, 60_000);

  it('waits for a member whose settlement is held up when it names its allocation, and else never', async () => {
    const [door] = doors;
    const lines = (...userIds: string[]) => ({ lines: userIds.map((userId) => ({ userId, tokens: 5 })) });
    const allocate = (key: string, ...userIds: string[]) =>
      door.ask(organisationCommand('held', 'POST', '/allocations', lines(...userIds), key));
    const named = await allocate('named', 'stuck', 'well');
    expect(named.status).toBe(201);
    const allocation = `/v1/organisations/held/allocations/${bodyOf(named).allocationId}`;
    const waiting = { yes: 8 };
    const delayed = Array.from({ length: waiting.yes }, async () => {
      const reply = await door.once({ method: 'GET', path: allocation, position: positionOf(named) });
      waiting.yes -= 1;
      return [reply.status, bodyOf(reply).code];
    });

    // Each is sent once: a read that waited for the stuck member would be answered 503.
    const read = async (path: string, reply: Reply): Promise<Json> => {
      const answer = await door.once({ method: 'GET', path, position: positionOf(reply) });
      expect([path, answer.status]).toEqual([path, 200]);
      return bodyOf(answer);
    };
    let meanwhile = 0;
    for (let n = 0; n < 50 || waiting.yes > 0; n++) {
      const own = await door.ask(userCommand('stuck', 'POST', '/purchases', { tokens: 200, paymentReference: `p-${n}` }, `p-${n}`));
      expect(await read('/v1/users/stuck', own)).toMatchObject({ purchased: 200 * (n + 1), allocated: [] });
      const other = await allocate(`other-${n}`, 'well');
      expect((await read(`/v1/organisations/held/allocations/${bodyOf(other).allocationId}`, other)).settled).toBe(true);
      if (waiting.yes > 0) meanwhile += 2;
      await pause(1);
    }
    expect(meanwhile).toBeGreaterThan(0);
    expect(await Promise.all(delayed)).toEqual(delayed.map(() => [503, 'POSITION_NOT_REACHED']));
    // Without the position it is there to be read, unsettled.
    expect(await get(door, allocation)).toMatchObject({ settled: false, settledLines: 1, lineCount: 2 });
    const { text } = await door.ask({ method: 'GET', path: '/metrics' });
    expect(text).toMatch(/^ledger_settlement_gaps 1$/m);
  }, 60_000);
});

/** An organisation whose member `stuck` is missing a number: its settlement stops there until a person looks. */
async function holdUp(file: string): Promise<void> {
  const wallet: WalletRef = { kind: 'organisation', id: 'held' };
  const facts: WalletEvent[] = [
    opened('held', calmZone()),
    purchased(100_000, 100_000, 'first'),
    permitted('stuck', 'well'),
    allocated('with-a-gap', [['stuck', 10, 2]], 99_990),
  ];
  const stream = streamOf(wallet);
  const head = chainStart(stream, hashing);
  const envelope = { actor: 'tester', role: 'platform', requestId: 'r', correlationId: 'r' };
  const store = await SqliteEventStore.open(file);
  await store.append(
    stream,
    NO_STREAM,
    facts.map((fact) => seal(fact, envelope, head, hashing)),
  );
  await store.close();
}

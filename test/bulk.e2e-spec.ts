import { addsUp } from './support/adds-up';
import { Choices } from './support/choices';
import { reach } from './support/clients';
import { expecting, organisationCommand } from './support/commands';
import { bodyOf, calmZone, type Door, LedgerUnderTest, positionOf, seedOf } from './support/ledger-under-test';
import { grownBy, StoreReader } from './support/stored-rows';

const MEMBERS = 10_000;
const KILLS = 4;
const members = Array.from({ length: MEMBERS }, (_, n) => `member-${String(n).padStart(5, '0')}-of-a-large-university`);

describe('an organisation of 10,000 members', () => {
  let ledger: LedgerUnderTest;
  let door: Door;
  const choices = new Choices(seedOf('BULK_SEED'));
  const command = (path: string, body: unknown, key: string) => organisationCommand('university', 'POST', path, body, key);
  const read = (path = '') => expecting(200, door, { method: 'GET', path: `/v1/organisations/university${path}` });
  const head = () => {
    const reader = new StoreReader(ledger.store);
    try {
      return reader.head();
    } finally {
      reader.close();
    }
  };

  beforeAll(async () => {
    ledger = new LedgerUnderTest();
    door = await ledger.start('a');
    await expecting(201, door, organisationCommand('university', 'PUT', '', { timeZone: calmZone() }, 'open'));
    await expecting(201, door, command('/purchases', { tokens: 10_000_000, paymentReference: 'first' }, 'buy'));
  }, 60_000);
  afterAll(() => ledger.end());

  it('is set by one command, which can be repeated and tried dry', async () => {
    const body = { members: members.map((userId) => ({ userId, status: 'permitted', limits: { usage: { daily: 50 } } })) };
    const before = head();
    expect(await expecting(200, door, { ...command('/members/batch?dryRun=true', body, ''), key: undefined })).toEqual({
      members: MEMBERS,
      changed: MEMBERS,
    });
    expect(head()).toBe(before);
    const first = await door.ask(command('/members/batch', body, 'members'));
    expect([first.status, bodyOf(first)]).toEqual([200, { members: MEMBERS, changed: MEMBERS }]);
    const after = head();
    const again = await door.ask(command('/members/batch', body, 'members'));
    expect([again.status, again.text, again.headers['idempotency-replayed']]).toEqual([200, first.text, 'true']);
    expect(head()).toBe(after);
    await reach(door, first);
    expect((await read()).members).toEqual({ permitted: MEMBERS, suspended: 0, removed: 0 });
  }, 60_000);

  it('is allocated to by one command, and a read at its position finds everything settled', async () => {
    const body = { lines: members.map((userId) => ({ userId, tokens: 20 })) };
    const reply = await door.ask(command('/allocations', body, 'allocate'));
    const { allocationId, ...answer } = bodyOf(reply);
    expect([reply.status, answer]).toEqual([201, { tokens: 200_000, lineCount: MEMBERS, available: 9_800_000 }]);
    const path = `/v1/organisations/university/allocations/${allocationId}?limit=1`;
    expect(await expecting(200, door, { method: 'GET', path, position: positionOf(reply) })).toMatchObject({
      settled: true,
      settledLines: MEMBERS,
    });
    expect(await read()).toMatchObject({ available: 9_800_000, inTransit: 0 });
    await addsUp(ledger, []);
  }, 60_000);

  it('is left untouched by one line that fails, whichever and wherever it is', async () => {
    const broken = choices.from(1, MEMBERS - 2);
    const suspended = 'suspended-member';
    const limited = 'limited-member';
    const others = {
      members: [
        { userId: suspended, status: 'suspended' },
        { userId: limited, status: 'permitted', limits: { allocation: { daily: 5 } } },
      ],
    };
    await reach(door, await door.ask(command('/members/batch', others, 'others')));
    const before = await read();
    const was = head();
    const failing: Record<string, (index: number) => string> = {
      // The line that fails is the one that comes second, so the first of all cannot be it.
      DUPLICATE_MEMBER: (index) => members[index === 0 ? 0 : index - 1]!,
      MEMBER_NOT_PERMITTED: () => 'stranger',
      MEMBER_SUSPENDED: () => suspended,
      LIMIT_EXCEEDED: () => limited,
    };
    for (const [code, userOf] of Object.entries(failing)) {
      for (const index of [0, broken, MEMBERS - 1]) {
        const lines = members.map((userId) => ({ userId, tokens: 20 }));
        lines[index]!.userId = userOf(index);
        const at = code === 'DUPLICATE_MEMBER' && index === 0 ? 1 : index;
        if (at !== index) lines[at]!.userId = userOf(index);
        const refused = await expecting(422, door, command('/allocations', { lines }, `fails-${code}-${index}`));
        expect(refused).toMatchObject({
          code: 'ALLOCATION_REFUSED',
          failedLines: 1,
          lines: [{ index: at, userId: lines[at]!.userId, code }],
        });
        expect(head()).toBe(was);
      }
    }
    expect(await read()).toEqual(before);
  }, 60_000);

  it(`is settled in full, each line once, although the service is killed ${KILLS} times in the middle of it`, async () => {
    const body = { lines: members.map((userId, n) => ({ userId, tokens: 1 + (n % 7) })), memo: 'killed' };
    const { port } = door;
    const reply = await door.ask(command('/allocations', body, 'killed'));
    expect(reply.status).toBe(201);
    const inMiddle: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      await grownBy(ledger.store, choices.from(1, MEMBERS / (KILLS + 4)));
      await ledger.kill(door);
      inMiddle.push(receivedOf(bodyOf(reply).allocationId as string));
      door = await ledger.start('a', port);
    }
    process.stdout.write(`killed after ${inMiddle.join(', ')} of ${MEMBERS} lines\n`);
    expect(inMiddle[0]).toBeLessThan(MEMBERS);
    await reach(door, reply);
    const again = await door.ask(command('/allocations', body, 'killed'));
    expect([again.text, again.headers['idempotency-replayed']]).toEqual([reply.text, 'true']);
    expect(receivedOf(bodyOf(reply).allocationId as string)).toBe(MEMBERS);
    await addsUp(ledger, [door]);
  }, 120_000);

  function receivedOf(allocationId: string): number {
    const reader = new StoreReader(ledger.store);
    try {
      let received = 0;
      for (const { event } of reader.rows())
        if (event.type === 'AllocationReceived' && event.data.allocationId === allocationId) received += 1;
      return received;
    } finally {
      reader.close();
    }
  }
});

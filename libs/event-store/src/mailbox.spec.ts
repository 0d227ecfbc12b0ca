import { AppendTooLarge, type NewEvent, OutcomeUnknown, StoreClosed, StoreUnavailable } from './event-store';
import { ASKS_MAX, Contention, FETCHES_MAX, Overloaded, QUEUE_MAX, ROUNDS_MAX, Wanted } from './ask';
import { Mailboxes } from './mailboxes';
import {
  ask,
  contentOf,
  type Purse,
  type PurseAsk,
  type PurseAttempt,
  type PurseCommand,
  PurseRefusal,
  purses,
  type PurseResult,
} from './testing/purse';
import {
  type Fates,
  landsLate,
  neverLands,
  readUnavailable,
  replyLost,
  ScriptedFates,
  SimulatedConnection,
  SimulatedStore,
  unavailable,
} from './testing/simulated-store';
import { VirtualTime } from './testing/virtual-time';

const STREAM = 'purse-1';
const ATTEMPT_MS = 1_000;

type Told = { result: PurseResult } | { error: unknown };

function world({ statesMax = 10, maxAppendBytes = 1_000_000 } = {}) {
  const time = new VirtualTime();
  const store = new SimulatedStore();
  let foreign = 0;
  /** One more instance of the ledger, with a memory and fates of its own. */
  const instance = (fates: Fates) => {
    const connection = new SimulatedConnection(store, time, fates, maxAppendBytes);
    const pauses: number[] = [];
    const mailboxes = new Mailboxes<Purse, PurseAttempt>(connection, purses, {
      sizeMax: statesMax,
      attemptMs: ATTEMPT_MS,
      now: () => time.now(),
      pause: (ms) => {
        pauses.push(ms);
        return time.pause(ms);
      },
    });
    const send = (asked: PurseCommand | PurseAsk, stream = STREAM): Promise<Told> =>
      mailboxes.ask(stream, typeof asked === 'function' ? asked : ask(asked)).then(
        ({ result }) => ({ result }),
        (error: unknown) => ({ error }),
      );
    const told = (...commands: (PurseCommand | PurseAsk)[]): Promise<Told[]> =>
      time.outcomeOf(Promise.all(commands.map((one) => send(one))));
    return { connection, mailboxes, pauses, send, told };
  };
  const fates = new ScriptedFates();
  return {
    time,
    store,
    fates,
    instance,
    ...instance(fates),
    /** What another instance stores, in no time. */
    elsewhere: (command: PurseCommand, stream = STREAM): void => {
      const event: NewEvent = {
        id: `elsewhere-${(foreign += 1)}`,
        type: command.kind,
        data: JSON.stringify({ ...command, content: contentOf(command) }),
        metadata: '',
      };
      store.commit(stream, store.headOf(stream).revision, [event]);
    },
    stored: (stream = STREAM): PurseCommand[] => store.eventsOf(stream).map(({ data }) => JSON.parse(data) as PurseCommand),
  };
}

const credit = (amount: number, key?: string): PurseCommand => ({ kind: 'credit', amount, key });
const spend = (amount: number, key?: string): PurseCommand => ({ kind: 'spend', amount, key });
const recount: PurseCommand = { kind: 'recount', amount: 0 };
const accepted = (balance: number) => ({ result: { accepted: expect.any(String), balance } });
const refused = (code: PurseRefusal['code']) => ({ error: expect.objectContaining({ code }) });
const failed = (kind: new (...given: never[]) => Error) => ({ error: expect.any(kind) });

describe('what queues while an append is in flight', () => {
  it('goes into one append, in the order in which it came', async () => {
    const { connection, send, store, time, fates } = world();
    fates.nextAppends({ landsAfterMs: 50, answersAfterMs: 60, says: 'truth' });
    const first = send(credit(1));
    await time.pass(20);
    const later = [2, 3, 4].map((amount) => send(credit(amount)));
    expect(await time.outcomeOf(Promise.all([first, ...later]))).toEqual([accepted(1), accepted(3), accepted(6), accepted(10)]);
    expect(connection.tries.map(({ ids }) => ids.length)).toEqual([1, 3]);
    expect(store.eventsOf(STREAM).map(({ id }) => id)).toEqual(connection.tries.flatMap(({ ids }) => ids));
  });

  it('is one append too when it came in one tick', async () => {
    const { connection, told } = world();
    await told(credit(1), credit(2), credit(3));
    expect(connection.tries.map(({ ids }) => ids.length)).toEqual([3]);
  });

  it('is decided on what stands before it in the same append', async () => {
    const { told } = world();
    expect(await told(credit(10), spend(7), spend(7), spend(3))).toEqual([accepted(10), accepted(3), refused('FUNDS'), accepted(0)]);
  });

  it(`is ${ASKS_MAX} asks in one append, and one more goes into the next`, async () => {
    const all = (count: number) => Array.from({ length: count }, () => credit(1));
    const whole = world();
    await whole.told(...all(ASKS_MAX));
    expect(whole.connection.tries.map(({ ids }) => ids.length)).toEqual([ASKS_MAX]);
    const more = world();
    const told = await more.told(...all(ASKS_MAX + 1));
    expect(more.connection.tries.map(({ ids }) => ids.length)).toEqual([ASKS_MAX, 1]);
    expect(told.at(-1)).toEqual(accepted(ASKS_MAX + 1));
  });

  it('is split where it would be larger than the store takes', async () => {
    const { connection, store, told } = world({ maxAppendBytes: 1_000 });
    const memo = 'x'.repeat(300);
    await told({ ...credit(1), memo }, { ...credit(2), memo }, { ...credit(3), memo });
    expect(connection.tries.map(({ ids }) => ids.length)).toEqual([2, 1]);
    expect(store.eventsOf(STREAM)).toHaveLength(3);
  });

  it('says which revision, position and event each answer stands on', async () => {
    const { mailboxes, time, store } = world();
    const together = [credit(1), recount, credit(1), recount].map((command) => mailboxes.ask(STREAM, ask(command)));
    const answers = await time.outcomeOf(Promise.all(together));
    const { id } = store.eventsOf(STREAM)[1]!;
    expect(answers.map(({ revision, position, appendedId }) => [revision, position, appendedId])).toEqual(together.map(() => [1, 2n, id]));
    const question = await time.outcomeOf(mailboxes.ask(STREAM, ask(recount)));
    expect(question).toEqual({ result: { balance: 2 }, revision: 1, position: 2n, appendedId: undefined });
  });
});

describe('one ask that fails', () => {
  const bug: PurseAsk = () => {
    throw new TypeError('a bug');
  };

  it('harms no neighbour by a refusal or a bug', async () => {
    const { connection, told } = world();
    expect(await told(credit(5), spend(6), bug, spend(5))).toEqual([accepted(5), refused('FUNDS'), failed(TypeError), accepted(0)]);
    expect(connection.tries).toHaveLength(1);
  });

  it('harms no neighbour by a fold that breaks in the middle of its own event', async () => {
    const { told, stored } = world();
    const broken: PurseAsk = (purse, attempt) => ({
      ...(ask(credit(1_000))(purse, attempt) as { events: NewEvent[] }),
      apply: () => {
        purse.balance += 500;
        throw new TypeError('a bug in the fold');
      },
    });
    await told(credit(5));
    expect(await told(broken, spend(100), spend(5), spend(1))).toEqual([
      failed(TypeError),
      refused('FUNDS'),
      accepted(0),
      refused('FUNDS'),
    ]);
    expect(await told(credit(5), broken, spend(5))).toEqual([accepted(5), failed(TypeError), accepted(0)]);
    expect(stored().map(({ amount }) => amount)).toEqual([5, 5, 5, 5]);
  });

  it('is alone with an append that is too large', async () => {
    const { told, stored } = world({ maxAppendBytes: 1_000 });
    const large = { ...credit(7), memo: 'x'.repeat(2_000) };
    expect(await told(credit(5), large, spend(5))).toEqual([accepted(5), failed(AppendTooLarge), accepted(0)]);
    expect(stored().map(({ amount }) => amount)).toEqual([5, 5]);
  });

  it('is not told of an error that a stale state made', async () => {
    // So it is with a gap in a settlement: this instance has not seen that another one closed it.
    const { told, elsewhere } = world();
    const noGap: PurseAsk = (purse) => {
      if (purse.balance < 2) throw new Error('a gap');
      return { events: [], result: { balance: purse.balance } };
    };
    await told(credit(1));
    elsewhere(credit(1));
    expect(await told(noGap)).toEqual([{ result: { balance: 2 } }]);
  });
});

describe('a conflict', () => {
  it('reloads, and decides again everything that was stacked', async () => {
    const { connection, time, elsewhere, send, store, fates, told } = world();
    await told(credit(10));
    fates.nextAppends({ landsAfterMs: 50, answersAfterMs: 51, says: 'truth' });
    const answers = Promise.all([send(spend(6, 'a')), send(spend(4, 'b')), send(spend(1, 'c'))]);
    await time.pass(20);
    elsewhere(spend(3));
    expect(await time.outcomeOf(answers)).toEqual([accepted(1), refused('FUNDS'), accepted(0)]);
    const [, before, after] = connection.tries;
    expect([before?.expectedRevision, after?.expectedRevision]).toEqual([0, 1]);
    // An id is never used for two attempts.
    expect(before?.ids.some((id) => after?.ids.includes(id))).toBe(false);
    expect(store.eventsOf(STREAM)).toHaveLength(4);
  });

  /** Another writer is first, each time, for so many times. */
  const beaten = (times: number) => {
    const here = world();
    let left = times;
    const fates: Fates = {
      append: () => {
        if ((left -= 1) >= 0) here.elsewhere(credit(1));
        return { landsAfterMs: 1, answersAfterMs: 2, says: 'truth' };
      },
      read: () => ({ readsAfterMs: 0, answersAfterMs: 0, says: 'truth' }),
    };
    return { here, rival: here.instance(fates) };
  };

  it(`is survived ${ROUNDS_MAX - 1} times in a row, and not ${ROUNDS_MAX} times`, async () => {
    const survived = beaten(ROUNDS_MAX - 1);
    expect(await survived.rival.told(credit(100))).toEqual([accepted(100 + ROUNDS_MAX - 1)]);
    const given = beaten(ROUNDS_MAX);
    expect(await given.rival.told(credit(100), spend(1))).toEqual([failed(Contention), failed(Contention)]);
    expect(given.rival.connection.tries).toHaveLength(ROUNDS_MAX);
    expect(given.here.stored().every(({ amount }) => amount === 1)).toBe(true);
    // The next one starts afresh.
    expect(await given.rival.told(credit(100))).toEqual([accepted(100 + ROUNDS_MAX)]);
  });
});

describe('an unknown outcome', () => {
  it('repeats the same ids at the same revision, and is told of its own append', async () => {
    const { connection, told, fates, stored } = world();
    fates.nextAppends(replyLost);
    expect(await told(credit(5), credit(6))).toEqual([accepted(5), accepted(11)]);
    expect(connection.tries).toHaveLength(2);
    expect(connection.tries[1]).toEqual(connection.tries[0]);
    expect(stored()).toHaveLength(2);
  });

  it('is decided again when somebody else stands in its place', async () => {
    const { elsewhere, fates, send, stored, time } = world();
    fates.nextAppends(neverLands);
    const answer = send(spend(1));
    await time.pass(4);
    elsewhere(credit(1));
    expect(await time.outcomeOf(answer)).toEqual(refused('FUNDS'));
    expect(stored()).toHaveLength(1);
  });

  it(`is given up after the time of an attempt, and says so`, async () => {
    const { connection, time, told, fates, stored, pauses } = world();
    fates.nextAppends(...Array.from({ length: 100 }, () => neverLands));
    expect(await told(credit(5, 'a'))).toEqual([failed(OutcomeUnknown)]);
    expect(time.now()).toBeGreaterThanOrEqual(ATTEMPT_MS);
    expect(time.now()).toBeLessThan(3 * ATTEMPT_MS);
    expect(new Set(connection.tries.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(750);
    expect(stored()).toEqual([]);
  });

  it('lets the rest of the batch go on, decided on what the store really holds', async () => {
    const { told, fates } = world();
    await told(credit(5));
    fates.nextAppends({ ...unavailable, says: 'unknown', answersAfterMs: 2 * ATTEMPT_MS });
    // The refusal was decided on the spend of unknown outcome, which never came to be.
    expect(await told(spend(5, 'a'), recount)).toEqual([failed(OutcomeUnknown), { result: { balance: 5 } }]);
  });

  it('is told to those of its append alone; what the next append would have taken is decided again', async () => {
    const { told, fates } = world();
    fates.nextAppends({ ...neverLands, answersAfterMs: 2 * ATTEMPT_MS });
    const answers = await told(...Array.from({ length: ASKS_MAX + 2 }, () => credit(1)));
    expect(answers.slice(0, ASKS_MAX)).toEqual(Array.from({ length: ASKS_MAX }, () => failed(OutcomeUnknown)));
    expect(answers.slice(ASKS_MAX)).toEqual([accepted(1), accepted(2)]);
  });

  it('may still land: then the repeat of its key is a replay', async () => {
    const { time, told, fates, stored } = world();
    fates.nextAppends(landsLate(5 * ATTEMPT_MS), ...Array.from({ length: 100 }, () => neverLands));
    const [first] = await told(credit(5, 'a'));
    expect(first).toEqual(failed(OutcomeUnknown));
    await time.pass(5 * ATTEMPT_MS);
    expect(await told(credit(5, 'a'))).toEqual([{ result: { replayed: 0, balance: 5 } }]);
    expect(stored()).toHaveLength(1);
  });

  it('may land late, after a later append has taken its place: then it never does', async () => {
    const { time, told, fates, stored, send } = world();
    fates.nextAppends(landsLate(3 * ATTEMPT_MS), { ...neverLands, answersAfterMs: ATTEMPT_MS });
    const first = send(credit(5, 'a'));
    await time.pass(2 * ATTEMPT_MS);
    expect(await first).toEqual(failed(OutcomeUnknown));
    const again = send(credit(5, 'a'));
    await time.pass();
    expect(await again).toEqual(accepted(5));
    expect(stored()).toHaveLength(1);
    expect(await told(credit(5, 'a'))).toEqual([{ result: { replayed: 0, balance: 5 } }]);
  });

  it('does not become "nothing was written" when the store is away afterwards', async () => {
    const { told, fates, stored } = world();
    fates.nextAppends(landsLate(500), ...Array.from({ length: 100 }, () => ({ ...unavailable, answersAfterMs: 300 })));
    expect(await told(credit(5))).toEqual([failed(OutcomeUnknown)]);
    expect(stored()).toHaveLength(1);
  });

  it.each([
    ['refuses its size', new AppendTooLarge(2, 1)],
    ['is closed', new StoreClosed()],
    ['fails in a way that nobody foresaw', new TypeError('a bug')],
  ])('does not become "nothing was written" when the store %s afterwards', async (_, error) => {
    const { told, fates, stored } = world();
    fates.nextAppends(landsLate(500), { landsAfterMs: null, answersAfterMs: 1, says: error });
    expect(await told(credit(5))).toEqual([failed(OutcomeUnknown)]);
    expect(stored()).toHaveLength(1);
  });
});

describe('a failure of the store', () => {
  it('on the first try says that nothing was written, at once', async () => {
    const { connection, told, fates, stored } = world();
    fates.nextAppends(unavailable);
    expect(await told(credit(5), recount)).toEqual([failed(StoreUnavailable), failed(StoreUnavailable)]);
    expect(connection.tries).toHaveLength(1);
    expect(stored()).toEqual([]);
  });

  it('leaves nothing of what was decided in memory', async () => {
    const { told, fates, connection } = world();
    await told(credit(5));
    fates.nextAppends(unavailable);
    await told(spend(5, 'a'));
    const { reads } = connection;
    expect(await told(recount, spend(5, 'a'))).toEqual([{ result: { balance: 5 } }, accepted(0)]);
    expect(connection.reads).toBeGreaterThan(reads);
  });

  it('of a kind that nobody foresaw leaves nothing in memory either', async () => {
    const { told, fates } = world();
    await told(credit(5));
    fates.nextAppends({ landsAfterMs: null, answersAfterMs: 1, says: new TypeError('a bug') });
    expect(await told(spend(5))).toEqual([failed(TypeError)]);
    expect(await told(recount)).toEqual([{ result: { balance: 5 } }]);
  });

  it('while loading is told to those who waited, and the next ask loads', async () => {
    const { told, fates } = world();
    fates.nextReads(readUnavailable);
    expect(await told(recount)).toEqual([failed(StoreUnavailable)]);
    expect(await told(recount)).toEqual([{ result: { balance: 0 } }]);
  });

  it('while confirming is told to those who waited, for a refusal that is not confirmed is none', async () => {
    const { told, fates } = world();
    await told(credit(5));
    fates.nextReads(readUnavailable);
    expect(await told(spend(6))).toEqual([failed(StoreUnavailable)]);
    expect(await told(spend(6))).toEqual([refused('FUNDS')]);
  });
});

describe('rule (i): an answer that appends nothing waits for what it was decided on', () => {
  it('is not given while the append is in flight', async () => {
    const { send, time, fates } = world();
    fates.nextAppends({ landsAfterMs: 50, answersAfterMs: 60, says: 'truth' });
    let told = false;
    const both = Promise.all([send(credit(5, 'a')), send(credit(5, 'a')).finally(() => (told = true))]);
    await time.pass(40);
    expect(told).toBe(false);
    expect(await time.outcomeOf(both)).toEqual([accepted(5), { result: { replayed: 0, balance: 5 } }]);
  });

  it('never replays what then fails', async () => {
    const { elsewhere, fates, send, stored, time, told } = world();
    await told(credit(10));
    fates.nextAppends({ landsAfterMs: 50, answersAfterMs: 51, says: 'truth' });
    const both = Promise.all([send(spend(10, 'a')), send(spend(10, 'a'))]);
    await time.pass(20);
    elsewhere(spend(10, 'b'));
    expect(await time.outcomeOf(both)).toEqual([refused('FUNDS'), refused('FUNDS')]);
    expect(stored().map(({ key }) => key)).toEqual([undefined, 'b']);
  });

  it('never refuses for the sake of what then fails', async () => {
    const { fates, told } = world();
    await told(credit(10));
    fates.nextAppends({ ...neverLands, answersAfterMs: 2 * ATTEMPT_MS });
    expect(await told(spend(10, 'a'), spend(5, 'b'))).toEqual([failed(OutcomeUnknown), accepted(5)]);
  });

  it('asks again, when its append fails, what was answered by a question', async () => {
    const { elsewhere, fates, send, time, told } = world();
    await told(credit(10));
    fates.nextAppends({ landsAfterMs: 50, answersAfterMs: 51, says: 'truth' });
    const both = Promise.all([send(spend(10)), send(recount)]);
    await time.pass(20);
    elsewhere(credit(1));
    expect(await time.outcomeOf(both)).toEqual([accepted(1), { result: { balance: 1 } }]);
  });
});

describe('rule (ii): an answer that appends nothing reads the head of its stream first', () => {
  it('never refuses a key that another instance has stored', async () => {
    const { elsewhere, told } = world();
    await told(credit(10));
    elsewhere(spend(10, 'a'));
    expect(await told(spend(11, 'b'))).toEqual([refused('FUNDS')]);
    await told(credit(1));
    elsewhere(credit(20));
    elsewhere(spend(20, 'c'));
    expect(await told(spend(20, 'c'))).toEqual([{ result: { replayed: 4, balance: 1 } }]);
  });

  it('is given from a state that is at its head', async () => {
    const { elsewhere, told } = world();
    await told(credit(10));
    elsewhere(credit(5));
    expect(await told(spend(12, 'a'))).toEqual([accepted(3)]);
    elsewhere(spend(3));
    expect(await told(recount)).toEqual([{ result: { balance: 0 } }]);
  });

  it('does not join a read that was issued before it arrived', async () => {
    const { connection, elsewhere, fates, send, time, told } = world();
    await told(credit(10));
    fates.nextReads({ readsAfterMs: 1, answersAfterMs: 50, says: 'truth' });
    const before = send(spend(11));
    await time.pass(10);
    elsewhere(credit(5));
    const after = send(spend(11, 'a'));
    expect(await time.outcomeOf(Promise.all([before, after]))).toEqual([refused('FUNDS'), accepted(4)]);
    expect(connection.headReads).toBe(2);
  });

  it('shares one read among all who wait for it', async () => {
    const { connection, told } = world();
    await told(credit(10));
    const { headReads } = connection;
    await told(spend(11), recount, spend(12), recount);
    expect(connection.headReads).toBe(headReads + 1);
  });

  it('needs no read when its own append proves the head', async () => {
    const { connection, told } = world();
    expect(await told(credit(10), spend(11))).toEqual([accepted(10), refused('FUNDS')]);
    expect(connection.headReads).toBe(0);
  });

  it('reloads when the store knows less than the state', async () => {
    const ahead = world();
    await ahead.told(credit(10));
    jest.spyOn(ahead.connection, 'headOf').mockImplementationOnce(async () => ({ revision: -1, position: -1n }));
    const { reads } = ahead.connection;
    expect(await ahead.told(recount)).toEqual([{ result: { balance: 10 } }]);
    expect(ahead.connection.reads).toBe(reads + 1);
  });
});

describe('an ask that wants something first', () => {
  const wanting =
    (name: string, then: PurseAsk, fetches: string[], needsDurable = false): PurseAsk =>
    (purse, attempt) => {
      if (attempt.fetched.has(name)) return then(purse, attempt);
      return new Wanted(async () => {
        fetches.push(name);
        attempt.fetched.add(name);
      }, needsDurable);
    };

  it('is decided after the fetch, which the asks of its round share', async () => {
    const { connection, told } = world();
    const fetches: string[] = [];
    const answers = await told(credit(5), wanting('policy', ask(spend(1)), fetches), wanting('policy', ask(spend(2)), fetches));
    expect(answers).toEqual([accepted(5), accepted(4), accepted(2)]);
    expect(fetches).toEqual(['policy']);
    expect(connection.tries).toHaveLength(1);
  });

  it('fetches anew in another round: nothing read before it arrived is used', async () => {
    const { elsewhere, fates, send, time, told } = world();
    const fetches: string[] = [];
    await told(credit(5));
    fates.nextAppends({ landsAfterMs: 50, answersAfterMs: 51, says: 'truth' });
    const answer = send(wanting('policy', ask(spend(1)), fetches));
    await time.pass(20);
    elsewhere(credit(1));
    expect(await time.outcomeOf(answer)).toEqual(accepted(5));
    await told(wanting('policy', ask(spend(1)), fetches));
    expect(fetches).toEqual(['policy', 'policy', 'policy']);
  });

  it('that may hang on what is not yet durable is put behind it', async () => {
    const { connection, store, told } = world();
    let seen = 0;
    const reversal: PurseAsk = (purse, attempt) => {
      if (attempt.fetched.has('event')) return ask(credit(3))(purse, attempt);
      return new Wanted(async () => {
        seen = store.eventsOf(STREAM).length;
        attempt.fetched.add('event');
      }, purse.revision > attempt.durableRevision);
    };
    expect(await told(credit(5), spend(3), reversal, spend(1))).toEqual([accepted(5), accepted(2), accepted(5), accepted(4)]);
    expect(seen).toBe(2);
    expect(connection.tries.map(({ ids }) => ids.length)).toEqual([2, 2]);
  });

  it('does not wait for others when nothing is pending', async () => {
    const { connection, told } = world();
    expect(await told(wanting('event', ask(credit(1)), [], true), credit(1))).toEqual([accepted(1), accepted(2)]);
    expect(connection.tries).toHaveLength(1);
  });

  it('harms nobody else when the fetch fails', async () => {
    const { told } = world();
    const hopeless: PurseAsk = () => new Wanted(() => Promise.reject(new StoreUnavailable('away')));
    expect(await told(credit(5), hopeless, spend(5))).toEqual([accepted(5), failed(StoreUnavailable), accepted(0)]);
  });

  it(`may fetch ${FETCHES_MAX} times in a round, and not once more`, async () => {
    const { told } = world();
    const greedy = (times: number): { asked: PurseAsk; count: () => number } => {
      let count = 0;
      const asked: PurseAsk = (purse, attempt) =>
        count === times
          ? ask(credit(1))(purse, attempt)
          : new Wanted(async () => {
              count += 1;
            });
      return { asked, count: () => count };
    };
    expect(await told(greedy(FETCHES_MAX).asked)).toEqual([accepted(1)]);
    const over = greedy(FETCHES_MAX + 1);
    expect(await told(over.asked)).toEqual([failed(StoreUnavailable)]);
    expect(over.count()).toBe(FETCHES_MAX);
  });
});

describe('bounds', () => {
  it(`lets ${QUEUE_MAX} asks wait, and refuses one more without harm`, async () => {
    const { send, time, fates, stored, connection } = world();
    fates.nextAppends({ landsAfterMs: 50, answersAfterMs: 51, says: 'truth' });
    const first = send(credit(1));
    await time.pass(20);
    const waiting = Array.from({ length: QUEUE_MAX }, () => send(credit(1)));
    const over = send(credit(1));
    expect(await over).toEqual(failed(Overloaded));
    const told = await time.outcomeOf(Promise.all([first, ...waiting]));
    expect(told.filter((one) => 'result' in one)).toHaveLength(QUEUE_MAX + 1);
    expect(stored()).toHaveLength(QUEUE_MAX + 1);
    expect(Math.max(...connection.tries.map(({ ids }) => ids.length))).toBe(ASKS_MAX);
  });

  it('loads a stream of many pages whole', async () => {
    const { connection, elsewhere, told } = world();
    for (let count = 0; count < 2_000; count += 1) elsewhere(credit(1));
    expect(await told(recount)).toEqual([{ result: { balance: 2_000 } }]);
    expect([connection.reads, connection.headReads]).toEqual([3, 1]);
  });

  it('forgets the least recently used states, and never forks a balance', async () => {
    const { send, time, stored } = world({ statesMax: 1 });
    const streams = ['purse-a', 'purse-b', 'purse-c'];
    const all: Promise<Told>[] = [];
    for (let count = 0; count < 300; count += 1) {
      const stream = streams[(count * 7) % 3]!;
      all.push(send(count < 30 ? credit(5) : spend(1), stream));
      if (count % 4 === 0) await time.pass(count % 5);
    }
    const told = await time.outcomeOf(Promise.all(all));
    expect(told.filter((one) => 'error' in one).every(({ error }: { error?: unknown }) => error instanceof PurseRefusal)).toBe(true);
    for (const stream of streams) {
      const balance = stored(stream).reduce((sum, { kind, amount }) => sum + (kind === 'credit' ? amount : -amount), 0);
      expect(balance).toBe(0);
      expect(await time.outcomeOf(send(recount, stream))).toEqual({ result: { balance: 0 } });
    }
  });

  it('keeps a state that is at its head, so that the next command costs one append and no read', async () => {
    const { connection, told } = world();
    await told(credit(1));
    const { reads, headReads } = connection;
    await told(credit(1));
    expect([connection.reads, connection.headReads]).toEqual([reads, headReads]);
  });
});

describe('drain', () => {
  it('answers all that waits and takes nothing new', async () => {
    const { mailboxes, send, time, fates } = world();
    fates.nextAppends({ landsAfterMs: 50, answersAfterMs: 51, says: 'truth' });
    const first = send(credit(1));
    await time.pass(20);
    const second = send(credit(1));
    let drained = false;
    const drains = Promise.all([mailboxes.drain().then(() => (drained = true)), mailboxes.drain()]);
    expect(await send(credit(1))).toEqual(failed(StoreClosed));
    await time.pass(20);
    expect(drained).toBe(false);
    await time.outcomeOf(drains);
    expect(await Promise.all([first, second])).toEqual([accepted(1), accepted(2)]);
  });

  it('is at once when nothing waits', async () => {
    const { mailboxes, time, told } = world();
    await told(credit(1));
    await time.outcomeOf(mailboxes.drain());
    expect(await told(credit(1))).toEqual([failed(StoreClosed)]);
  });
});

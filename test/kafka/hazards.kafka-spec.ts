import type { Producer, RecordMetadata } from 'kafkajs';
import { checkAnswers } from '../../apps/publisher/src/kafka/answers';
import { isConcurrentTransactions } from '../../apps/publisher/src/kafka/errors';
import { SinkFenced, SinkUnavailable } from '../../apps/publisher/src/sink/message-sink';
import { describeWithKafka } from '../kafka-broker/describe-with-kafka';
import { ADD_PARTITIONS, END_TXN, type Fate, INIT_PRODUCER_ID, next, PRODUCE } from './support/kafka-proxy';
import { type NamedSink, ProxiedBroker } from './support/proxied-broker';
import { checkpointAt, eventsOf } from './support/sink-under-test';

/**
 * Ways in which kafkajs loses or doubles messages when it is used as one would think. Each is made to happen on a real broker behind
 * a network that breaks at one request: first to the naive use, then to the publisher's side to Kafka, which must not mind.
 */

const BARE = { maxInFlightRequests: 1, allowAutoTopicCreation: false, retry: { retries: 0 } };
/** Key and partition of everything here. */
const send = (producer: Producer, topic: string, value: string) => producer.send({ topic, messages: [{ key: 'k', value, partition: 0 }] });

describeWithKafka('with one broker', () => {
  let kafka: ProxiedBroker;

  beforeAll(async () => {
    kafka = await ProxiedBroker.start();
  }, 300_000);
  afterEach(() => kafka.mend());
  afterAll(() => kafka.stop(), 60_000);

  /** One transaction of a producer of the naive kind, which is aborted when something fails. */
  async function transact(producer: Producer, topic: string, values: readonly string[], patient = true): Promise<RecordMetadata[]> {
    const transaction = await producer.transaction();
    const messages = values.map((value) => ({ key: 'k', value, partition: 0 }));
    try {
      for (;;)
        try {
          const answers = await transaction.send({ topic, messages });
          await transaction.commit();
          return answers;
        } catch (error) {
          // The transaction before is being wound up, which is the hazard H5 alone.
          if (!patient || !isConcurrentTransactions(error)) throw error;
        }
    } catch (error) {
      await transaction.abort();
      throw error;
    }
  }
  const bareProducer = async ({ transactionalId }: NamedSink, behind = kafka.behind): Promise<Producer> => {
    const producer = behind.producer({ ...BARE, transactionalId });
    await producer.connect();
    return producer;
  };

  describe('H3: the answer to a send is lost, the transaction is aborted', () => {
    const lose: Fate = { kind: 'lose answer' };

    it('naive, the same producer sends again: committed and gone', async () => {
      const naive = await kafka.sink('h3-naive');
      const producer = await bareProducer(naive);
      kafka.proxy.fate = next(PRODUCE, lose);
      await expect(transact(producer, naive.topics.events, ['E1', 'E2'])).rejects.toThrow();
      const answers = await transact(producer, naive.topics.events, ['E1', 'E2']);
      await producer.disconnect();
      expect(await kafka.values(naive.topics.events)).toEqual([]);
      // What gives it away, and is checked after every send of ours.
      const meant = [{ topic: naive.topics.events, messages: [{ value: 'E1', partition: 0 }] }];
      expect(() => checkAnswers(meant, answers, true)).toThrow(SinkUnavailable);
    }, 60_000);

    it('ours: a new take-over, and both arrive once', async () => {
      const ours = await kafka.sink('h3-ours');
      const session = await ours.sink().takeOver();
      await session.publish(eventsOf(['k', 'E0']), checkpointAt(0, session));
      let produced = 0;
      // The first is the checkpoint's.
      kafka.proxy.fate = (apiKey) => (apiKey === PRODUCE && ++produced === 2 ? lose : { kind: 'pass' });
      await expect(session.publish(eventsOf(['k', 'E1'], ['k', 'E2']), checkpointAt(2, session))).rejects.toThrow(SinkUnavailable);
      await session.close();
      const again = await ours.sink().takeOver();
      expect(again.checkpoint?.position).toBe(0n);
      await again.publish(eventsOf(['k', 'E1'], ['k', 'E2']), checkpointAt(2, again));
      await again.close();
      expect(await kafka.values(ours.topics.events)).toEqual(['E0', 'E1', 'E2']);
    }, 60_000);
  });

  describe('H4: the answer to a commit is lost', () => {
    const lose = (): void => void (kafka.proxy.fate = next(END_TXN, { kind: 'lose answer' }));

    it('naive: committed, but the producer says no, is stuck for ever, and who sends again doubles', async () => {
      const naive = await kafka.sink('h4-naive');
      const producer = await bareProducer(naive);
      const transaction = await producer.transaction();
      await transaction.send({ topic: naive.topics.events, messages: [{ key: 'k', value: 'E1', partition: 0 }] });
      lose();
      await expect(transaction.commit()).rejects.toThrow();
      await expect(transaction.abort()).rejects.toThrow();
      await expect(producer.transaction()).rejects.toThrow('COMMITTING');
      await producer.disconnect();
      const second = await bareProducer(naive);
      await transact(second, naive.topics.events, ['E1']);
      await second.disconnect();
      expect(await kafka.values(naive.topics.events)).toEqual(['E1', 'E1']);
    }, 60_000);

    it('ours: the next take-over reads that it was committed', async () => {
      const ours = await kafka.sink('h4-ours');
      const session = await ours.sink().takeOver();
      lose();
      await expect(session.publish(eventsOf(['k', 'E1']), checkpointAt(1, session))).rejects.toThrow(SinkUnavailable);
      await session.close();
      const again = await ours.sink().takeOver();
      await again.close();
      expect(again.checkpoint?.position).toBe(1n);
      expect(await kafka.values(ours.topics.events)).toEqual(['E1']);
    }, 60_000);
  });

  describe('H5: a transaction begins while the one before is still being wound up', () => {
    const TIMES = 40;

    it('naive, without a retry: refused', async () => {
      const naive = await kafka.sink('h5-naive');
      const producer = await bareProducer(naive);
      // Nearly always within a few; a busy machine may be slower to ask than the broker is to wind up.
      const backToBack = async (): Promise<void> => {
        for (let n = 0; ; n++) await transact(producer, naive.topics.events, [`E${n}`], false);
      };
      await expect(backToBack()).rejects.toThrow(/another concurrent operation/);
      await producer.disconnect();
    }, 60_000);

    it('ours: asks again at once, sends nothing twice', async () => {
      const ours = await kafka.sink('h5-ours');
      const session = await ours.sink().takeOver();
      const before = kafka.proxy.seen.get(ADD_PARTITIONS) ?? 0;
      // Two are needed for each: the checkpoint's and the events'. More of them: one was refused, and asked again.
      const askedAgain = (times: number): boolean => kafka.proxy.seen.get(ADD_PARTITIONS)! - before > 2 * times;
      let n = 0;
      for (; n < TIMES || !askedAgain(n); n++) await session.publish(eventsOf(['k', `E${n}`]), checkpointAt(n, session));
      await session.close();
      expect(await kafka.values(ours.topics.events)).toEqual(Array.from({ length: n }, (_, index) => `E${index}`));
    }, 60_000);
  });

  describe('H6: a successor reads the checkpoint while its predecessor is about to commit', () => {
    /** The predecessor's commit hangs in the network; whoever delivers it decides when. */
    async function hangingCommit(named: NamedSink) {
      const session = await named.sink().takeOver();
      let kept: (deliver: () => Promise<void>) => void = () => undefined;
      const hanging = new Promise<() => Promise<void>>((resolve) => (kept = resolve));
      kafka.proxy.fate = next(END_TXN, { kind: 'keep', kept });
      const outcome = session.publish(eventsOf(['k', 'E1']), checkpointAt(1, session)).catch((error: unknown) => error);
      return { deliver: await hanging, outcome, close: () => session.close() };
    }

    it('naive, connect() is taken for the fence: doubled', async () => {
      const naive = await kafka.sink('h6-naive');
      const predecessor = await hangingCommit(naive);
      const successor = await bareProducer(naive);
      // What it reads as committed ends before the transaction that hangs: it will publish from there.
      expect(await kafka.readable(naive.topics.checkpoint)).toBeLessThan(await kafka.written(naive.topics.checkpoint));
      await predecessor.deliver();
      await transact(successor, naive.topics.events, ['E1']);
      await successor.disconnect();
      await predecessor.outcome;
      await predecessor.close();
      expect(await kafka.values(naive.topics.events)).toEqual(['E1', 'E1']);
    }, 60_000);

    it('ours: fenced before anything is read, the late commit is refused', async () => {
      const ours = await kafka.sink('h6-ours');
      const predecessor = await hangingCommit(ours);
      const successor = await ours.sink().takeOver();
      expect(successor.checkpoint).toBeUndefined();
      await predecessor.deliver();
      await successor.publish(eventsOf(['k', 'E1']), checkpointAt(1, successor));
      await successor.close();
      expect(await predecessor.outcome).toBeInstanceOf(SinkUnavailable);
      await predecessor.close();
      expect(await kafka.values(ours.topics.events)).toEqual(['E1']);
    }, 60_000);
  });

  describe('H7: how a fencing looks', () => {
    const code = (value: number) => (frame: Buffer) => void frame.writeInt16BE(value, 12);

    it('naive, looking for PRODUCER_FENCED: never seen', async () => {
      const naive = await kafka.sink('h7-naive');
      const old = await bareProducer(naive);
      await transact(old, naive.topics.events, ['E1']);
      const successor = await bareProducer(naive);
      await transact(successor, naive.topics.events, ['E2']);
      const error = await transact(old, naive.topics.events, ['E3']).catch((thrown: unknown) => thrown as Error);
      expect(error).toBeInstanceOf(Error);
      expect(JSON.stringify([error, (error as Error).message])).not.toContain('FENCED');
      await old.disconnect();
      await successor.disconnect();
    }, 60_000);

    it('ours: known by the old code, the new one, and the answer of a broker that is confused by the rival', async () => {
      const ours = await kafka.sink('h7-ours');
      const old = await ours.sink().takeOver();
      const successor = await ours.sink().takeOver();
      await expect(old.publish(eventsOf(['k', 'E1']), checkpointAt(1, old))).rejects.toThrow(SinkFenced);
      await old.close();
      await successor.close();
      for (const answer of [90, -1]) {
        const session = await ours.sink().takeOver();
        kafka.proxy.fate = next(END_TXN, { kind: 'change answer', change: code(answer) });
        await expect(session.publish(eventsOf(['k', 'E2']), checkpointAt(2, session))).rejects.toThrow(SinkFenced);
        await session.close();
      }
    }, 60_000);
  });

  describe('H8: the producer gets no id when it connects, and somebody goes on', () => {
    const noId = (apiKey: number): Fate => (apiKey === INIT_PRODUCER_ID ? { kind: 'cut' } : { kind: 'pass' });

    it('naive, "idempotent": a retry doubles', async () => {
      const naive = await kafka.sink('h8-naive');
      const producer = kafka.behind.producer({ idempotent: true, maxInFlightRequests: 1 });
      kafka.proxy.fate = noId;
      await expect(producer.connect()).rejects.toThrow();
      kafka.proxy.fate = next(PRODUCE, { kind: 'lose answer' });
      await send(producer, naive.topics.events, 'E1');
      await producer.disconnect();
      expect(await kafka.values(naive.topics.events)).toEqual(['E1', 'E1']);
    }, 60_000);

    it('ours: no id, no session', async () => {
      const ours = await kafka.sink('h8-ours');
      kafka.proxy.fate = noId;
      await expect(ours.sink().takeOver()).rejects.toThrow(SinkUnavailable);
      expect(await kafka.values(ours.topics.checkpoint)).toEqual([]);
    }, 60_000);
  });

  describe('H9: retries of kafkajs cannot be switched off together with "idempotent"', () => {
    it('naive: refused; ours leaves the flag out, and a send that fails is sent once', async () => {
      const flags = { ...BARE, transactionalId: 'h9', idempotent: true };
      expect(() => kafka.behind.producer(flags)).toThrow(/retries/);
      const ours = await kafka.sink('h9-ours');
      const session = await ours.sink().takeOver();
      const before = kafka.proxy.seen.get(PRODUCE) ?? 0;
      kafka.proxy.fate = (apiKey) => (apiKey === PRODUCE ? { kind: 'cut' } : { kind: 'pass' });
      await expect(session.publish(eventsOf(['k', 'E1']), checkpointAt(1, session))).rejects.toThrow(SinkUnavailable);
      await session.close();
      expect(kafka.proxy.seen.get(PRODUCE)! - before).toBe(1);
    }, 60_000);
  });

  describe('H10: a send of an aborted transaction arrives during the next one', () => {
    /** Keeps the `nth` produce request in the network. */
    function keepProduce(nth: number): Promise<() => Promise<void>> {
      let produced = 0;
      return new Promise((kept) => {
        kafka.proxy.fate = (apiKey) => (apiKey === PRODUCE && ++produced === nth ? { kind: 'keep', kept } : { kind: 'pass' });
      });
    }

    /** The `nth` produce request reaches the broker behind the straggler. */
    function nextBehind(nth: number, deliver: () => Promise<void>): (apiKey: number) => Fate {
      let produced = 0;
      return (apiKey) => (apiKey === PRODUCE && ++produced === nth ? { kind: 'behind', first: deliver() } : { kind: 'pass' });
    }

    it('naive, the same producer goes on: the aborted one is committed, the new one is gone', async () => {
      const naive = await kafka.sink('h10-naive');
      const impatient = kafka.patient(5_000);
      const producer = await bareProducer(naive, impatient);
      const kept = keepProduce(1);
      await expect(transact(producer, naive.topics.events, ['OLD'])).rejects.toThrow();
      const deliver = await kept;
      // The straggler arrives when the next transaction has begun and has not sent yet.
      kafka.proxy.fate = nextBehind(1, deliver);
      await transact(producer, naive.topics.events, ['NEW']);
      await producer.disconnect();
      expect(await kafka.values(naive.topics.events)).toEqual(['OLD']);
    }, 60_000);

    it('ours: another epoch, the straggler is refused', async () => {
      const ours = await kafka.sink('h10-ours');
      const session = await ours.sink().takeOver();
      const kept = keepProduce(2);
      await expect(session.publish(eventsOf(['k', 'OLD']), checkpointAt(1, session))).rejects.toThrow(SinkUnavailable);
      const deliver = await kept;
      await session.close();
      const again = await ours.sink().takeOver();
      kafka.proxy.fate = nextBehind(2, deliver);
      await again.publish(eventsOf(['k', 'NEW']), checkpointAt(1, again));
      await again.close();
      expect(await kafka.values(ours.topics.events)).toEqual(['NEW']);
    }, 60_000);
  });
});

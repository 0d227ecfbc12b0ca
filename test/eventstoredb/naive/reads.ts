import { randomUUID } from 'node:crypto';
import { jsonEvent } from '@eventstore/db-client';
import { errorOf, outcomeOf } from './outcomes';
import type { Naive, Scenario } from './program';
import { EXPECTS_TO_HANG_MS, type NaiveName, PATIENCE_MS } from './scenario';

/** What a connection carries: the batch append is one, so one less is left for reads. */
const LEAKED = 99;
/** So large that a stream does not fit into the windows of the connection, and its read stays open on the server. */
const BIG_EVENT_CHARACTERS = 50_000;
const BIG_EVENTS = 20;

/** Looks at the first event, and leaves. */
async function peek({ settings, report }: Naive, client: ReturnType<Naive['connect']>): Promise<void> {
  for await (const { event } of client.readStream(settings.stream)) {
    report.handled.push(Number(event?.revision));
    break;
  }
}

export const readScenarios = {
  /** `break` out of a read, as often as a connection carries calls. */
  async leakedReads(naive) {
    const { connect, settings, report, settles } = naive;
    const client = connect();
    const events = Array.from({ length: BIG_EVENTS }, () =>
      jsonEvent({ id: randomUUID(), type: 'TokensUsed', data: { text: 'x'.repeat(BIG_EVENT_CHARACTERS) } }),
    );
    await client.appendToStream(settings.stream, events, { expectedRevision: 'no_stream' });
    for (let read = 0; read < LEAKED; read += 1) await peek(naive, client);
    report.hangs = !(await settles(peek(naive, client), EXPECTS_TO_HANG_MS));
    // Another client of the process goes the same way: the library under it shares the connection.
    report.outcomes.push((await settles(peek(naive, connect()), EXPECTS_TO_HANG_MS)) ? 'a second client reads' : 'a second client hangs');
  },

  /** The first call to a host that accepts the connection and says nothing. */
  async frozenHost({ connect, settings, report, settles }) {
    const client = connect();
    const head = client.readStream(settings.stream, { direction: 'backwards', fromRevision: 'end', maxCount: 1, deadline: 1_000 });
    const reading = (async () => {
      for await (const { event } of head) report.handled.push(Number(event?.revision));
    })();
    report.hangs = !(await settles(reading, EXPECTS_TO_HANG_MS));
    const append = outcomeOf(connect().appendToStream(settings.stream, [], { deadline: 1_000 }));
    report.outcomes.push((await settles(append, EXPECTS_TO_HANG_MS)) ? await append : 'the append hangs');
  },

  /** Reads, once before the fault and once in it. */
  async readOnce({ connect, settings, report, tell, told, settles }) {
    const client = connect();
    const read = async (): Promise<void> => {
      try {
        for await (const { event } of client.readStream(settings.stream, { requiresLeader: true }))
          report.handled.push(Number(event?.revision));
        report.outcomes.push('read');
      } catch (error) {
        report.outcomes.push(errorOf(error));
      }
    };
    await read();
    tell('ready');
    await told();
    report.hangs = !(await settles(read(), settings.patienceMs ?? PATIENCE_MS));
  },
} satisfies Partial<Record<NaiveName, Scenario>>;

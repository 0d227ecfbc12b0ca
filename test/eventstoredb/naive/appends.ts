import { randomUUID } from 'node:crypto';
import { jsonEvent, type EventData, type JSONType } from '@eventstore/db-client';
import { outcomeOf } from './outcomes';
import type { Scenario } from './program';
import { EXPECTS_TO_HANG_MS, type NaiveName, PATIENCE_MS } from './scenario';

const event = (data: JSONType = {}): EventData => jsonEvent({ id: randomUUID(), type: 'TokensUsed', data });

/** Given to calls that hang: they are waited for longer, so that it has passed. */
const DEADLINE_MS = EXPECTS_TO_HANG_MS / 2;

export const appendScenarios = {
  /** Data that JSON cannot hold: an amount as a bigint, say. */
  async unserialisable({ connect, settings, report, settles }) {
    const client = connect();
    await client.appendToStream(settings.stream, event(), { expectedRevision: 'no_stream' });
    const amount = { tokens: 5n } as unknown as JSONType;
    report.hangs = !(await settles(client.appendToStream(settings.stream, event(amount), { expectedRevision: 0n }), EXPECTS_TO_HANG_MS));
  },

  /** Two clients of two servers; the first server is killed while the second has an append under way. */
  async foreignError({ connect, settings, report, tell, told, settles }) {
    const [doomed, healthy] = [connect(), connect(settings.otherUrl)];
    await doomed.appendToStream('somebody-1', event());
    await healthy.appendToStream(settings.stream, event(), { expectedRevision: 'no_stream' });
    tell('ready');
    await told();
    // The second server is slow now, so this append is still under way when the first server dies.
    const append = outcomeOf(healthy.appendToStream(settings.stream, event(), { expectedRevision: 0n }));
    tell('under way');
    report.hangs = !(await settles(append, PATIENCE_MS));
    if (!report.hangs) report.outcomes.push(await append);
    await told();
  },

  /** The server commits and its answer is lost; the call was given a deadline. */
  async noReply({ connect, settings, report, tell, told, settles }) {
    const client = connect();
    await client.appendToStream(settings.stream, event(), { expectedRevision: 'no_stream' });
    tell('ready');
    await told();
    const append = client.appendToStream(settings.stream, event(), { expectedRevision: 0n, deadline: DEADLINE_MS });
    report.hangs = !(await settles(append, EXPECTS_TO_HANG_MS));
    // Later appends are answered, so it is not the connection that hangs.
    report.outcomes.push(await outcomeOf(client.appendToStream(settings.stream, event(), { expectedRevision: 'any' })));
  },

  /** The first question of a client fails once; the server is well from then on. */
  async cachedFailure({ connect, settings, report }) {
    const client = connect();
    for (let attempt = 0; attempt < 5; attempt += 1)
      report.outcomes.push(await outcomeOf(client.appendToStream(settings.stream, event(), { expectedRevision: 'any' })));
  },

  /** After an error, reads where the stream is and appends the same event there: it must be new, since the append failed. */
  async retryWithRevisionReadAgain({ connect, settings, report, tell, told }) {
    const client = connect();
    const { stream } = settings;
    await client.appendToStream(stream, event(), { expectedRevision: 'no_stream' });
    tell('ready');
    await told();
    const used = event({ tokens: 5 });
    const failed = outcomeOf(client.appendToStream(stream, used, { expectedRevision: 0n }));
    report.outcomes.push(await failed);
    for await (const { event: last } of client.readStream(stream, { direction: 'backwards', fromRevision: 'end', maxCount: 1 }))
      report.outcomes.push(await outcomeOf(client.appendToStream(stream, used, { expectedRevision: last!.revision })));
  },

  /** After an error, the caller decides again: another event with an id of its own, at whatever revision. */
  async retryAsNew({ connect, settings, report, tell, told }) {
    const client = connect();
    await client.appendToStream(settings.stream, event(), { expectedRevision: 'no_stream' });
    tell('ready');
    await told();
    report.outcomes.push(await outcomeOf(client.appendToStream(settings.stream, event({ tokens: 5 }), { expectedRevision: 'any' })));
    report.outcomes.push(await outcomeOf(client.appendToStream(settings.stream, event({ tokens: 5 }), { expectedRevision: 'any' })));
    await told();
  },

  /** Appends, once before the fault and once in it. */
  async appendOnce({ connect, settings, report, tell, told, settles }) {
    const client = connect();
    await client.appendToStream(settings.stream, event(), { expectedRevision: 'no_stream' });
    tell('ready');
    await told();
    const append = outcomeOf(client.appendToStream(settings.stream, event(), { expectedRevision: 0n, requiresLeader: true }));
    tell('under way');
    report.hangs = !(await settles(append, settings.patienceMs ?? PATIENCE_MS));
    if (!report.hangs) report.outcomes.push(await append);
  },
} satisfies Partial<Record<NaiveName, Scenario>>;

import { answer, flag, list, ref, text } from './answer-shapes';
import type { JsonSchema } from './validation/schemas';

/** What a batch of usages and the feed of events look like. */

export const BATCH_AND_FEED_ANSWERS = {
  UsagesCharged: answer<{ results: unknown }>({ results: list(ref('UsageResult')) }),
  UsageResult: {
    ...answer<{ key: unknown; status: unknown; replayed: unknown }>({
      key: { type: ['string', 'null'], description: 'As the line gave it; null when that was no text' },
      status: { type: 'integer', description: '201, or the status of the problem' },
      replayed: flag,
    }),
    description: 'With the fields of UsageCharged when the status is 201, else with those of Problem',
    additionalProperties: true,
  },
  FedEvent: {
    ...answer<Record<'wallet' | 'revision' | 'position' | 'type' | 'data' | 'metadata', unknown>>(
      {
        wallet: { type: 'string', description: 'organisation:<id> or user:<id>' },
        revision: { type: 'integer', minimum: 0, description: "Not told to an admin about a user's wallet" },
        position: { type: 'string', description: 'The id of the server-sent event' },
        type: text,
        data: { type: 'object', description: "The event as it was stored; an admin sees of a user's events its organisation's side only" },
        metadata: { type: 'object', description: 'Who and why, without idempotency keys', additionalProperties: text },
      },
      ['revision'],
    ),
    description: 'The data of one server-sent event; its `id` is the position, its `event` the type',
  },
  EventFeed: {
    type: 'string',
    description:
      'Server-sent events, each with a FedEvent as its data. A comment comes after 15 s of silence, with an id to resume from. ' +
      'Before the ledger ends a stream it says why: `event: cut` with `reason` (SLOW, STUCK, TOKEN_ENDED, SHUTTING_DOWN, STORE_UNAVAILABLE, FAILED) and `detail`.',
  },
} as const satisfies Record<string, JsonSchema>;

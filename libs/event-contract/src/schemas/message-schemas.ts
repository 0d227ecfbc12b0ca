import type { BalanceRecord, SkippedRecord } from '../message';
import { INSTANT, instant, month, userBalance } from './fields';
import { integer, type JsonSchema, object, optional, pattern, type Shape, text } from './shape';

/** What stands beside the data of events: headers, balances, and the place of an event that was skipped. */

const WALLET = '^(organisation|user):[A-Za-z0-9._~-]{1,64}$';
const STREAM = '^(organisation|user)Wallet-[A-Za-z0-9._~-]{1,64}$';
const COUNT = '^(0|[1-9][0-9]{0,19})$';
const HASH = '^[0-9a-f]{64}$';
const BALANCE_MAX = (userBalance.json['properties'] as { balance: { maximum: number } }).balance.maximum;

const wallet = (description: string): Shape<string> => pattern(WALLET, 'user:u1', description);
const hash = (description: string): Shape<string> =>
  pattern(HASH, 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9', description);

export const balanceRecord: Shape<BalanceRecord> = object<BalanceRecord>(
  {
    wallet: wallet('The wallet; also the key of the message'),
    balance: integer(0, BALANCE_MAX, 'Tokens; of a user free, purchased and all allocated ones together'),
    free: optional(
      object<{ tokens: number; month: string }>(
        {
          tokens: integer(1, BALANCE_MAX, 'Free tokens in the balance'),
          month: month('They lapse when this month ends, without a message'),
        },
        'Left out when there are none',
      ),
    ),
    revision: integer(0, Number.MAX_SAFE_INTEGER, 'Of the event, in the stream of the wallet'),
    position: pattern(COUNT, '123', 'Of the event, in the store; up to 64 bits, therefore text'),
    asOf: instant('When the event was recorded'),
  },
  'The balance of a wallet right after one event; the last message of a wallet is its balance now',
);

export const skippedRecord: Shape<SkippedRecord> = object<SkippedRecord>(
  {
    type: text(1, 1_000, 'The type of the event that was skipped'),
    reason: text(1, 1_000, 'Why, as the operator or the publisher put it'),
  },
  'Stands in the place of an event that could not be published, so that the revisions of a wallet have no gap',
);

const header = (shape: Shape<string>): JsonSchema => shape.json;
const id = (description: string): Shape<string> => text(1, 1_000, description);

/** What every message of the events topic carries; all values are text. Readers ignore headers that they do not know. */
export const eventHeaders: JsonSchema = {
  description: 'CloudEvents 1.0, binary mode of its Kafka binding. All values are UTF-8 text',
  type: 'object',
  properties: {
    'content-type': { type: 'string', const: 'application/json' },
    ce_specversion: { type: 'string', const: '1.0' },
    ce_id: header(pattern('^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$', '0d4e9a0c-2a53-5b0e-9a6f-0e6f2d1f7c55', 'Id of the event')),
    ce_source: header(id('The ledger; a setting of its publisher')),
    ce_type: header(pattern('^ledger\\.[A-Za-z][A-Za-z0-9]{0,99}\\.v[1-9][0-9]{0,5}$', 'ledger.TokensUsed.v1', 'Type and version')),
    ce_subject: header(wallet('The wallet')),
    ce_time: header(pattern(INSTANT, '2026-11-23T09:05:00.000Z', 'When it was recorded: "at" of the data')),
    ce_dataschema: header(
      pattern(
        '^urn:token-ledger:event:[A-Za-z][A-Za-z0-9]{0,99}:[1-9][0-9]{0,5}$',
        'urn:token-ledger:event:TokensUsed:1',
        '$id of the schema',
      ),
    ),
    ce_partitionkey: header(pattern(STREAM, 'userWallet-u1', 'The stream; also the key of the message')),
    ce_streamrevision: header(pattern(COUNT, '0', 'Revision in the stream of the wallet: 0, 1, 2, ... without gaps')),
    ce_globalposition: header(pattern(COUNT, '123', 'Position in the store; grows, with gaps')),
    ce_correlationid: header(id('What belongs together, as the first caller named it')),
    ce_causationid: header(id('The request that caused it')),
    ce_actor: header(id('Who asked')),
    ce_role: header(id('In which role')),
    ce_client: header(id('Through which client, where that is known')),
    ce_requestid: header(id('The request')),
    ce_hash: header(hash('Of this event, in the chain of its stream')),
    ce_previoushash: header(hash('Of the event before it')),
    traceparent: header(
      pattern('^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$', `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`, 'W3C trace context'),
    ),
  },
  required: [
    ...['content-type', 'ce_specversion', 'ce_id', 'ce_source', 'ce_type', 'ce_subject', 'ce_partitionkey'],
    ...['ce_streamrevision', 'ce_globalposition'],
  ],
};

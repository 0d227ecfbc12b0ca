import type { StoredEvent } from '@ledger/event-store';

/** What the audit checks, by the name that a finding carries. */
export const RULES = {
  stream: 'a stream is named after a wallet: organisationWallet-<id> or userWallet-<id>',
  revision: 'the revisions of a stream are 0, 1, 2, ... without gaps',
  canonical: 'data and metadata are stored as canonical JSON (RFC 8785)',
  metadata: 'metadata are texts with known names, the required ones are there, and a key stands with its contentHash on a result alone',
  'previous-hash': 'previousHash is the hash of the event before it, or of the name of the stream',
  hash: 'hash is the SHA-256 of the previous hash and the canonical content',
  id: 'the id is the UUIDv5 of the hash',
  type: 'the type is one that this kind of wallet has',
  'schema-version': 'the event is of a known version',
  schema: 'the data fit the JSON Schema of the type',
  calendar: 'instants and days are ones that the calendar has: no 30 February',
  time: 'at never goes back within a stream',
  opened: 'a wallet is opened once, by its first event, under the id of its stream',
  balance: 'balanceAfter follows from the balance before and the event',
  negative: 'no bucket is below zero',
  amounts: 'the amounts of an event add up',
  price: 'a purchase costs what its price table says',
  bought: 'a wallet buys at most 10^12 tokens in its life',
  debt: 'a debt grows by what a bill could not take, and a purchase pays it first',
  month: 'the month of free tokens never goes back, and is the month of the event',
  grant: 'a new month begins with the lapse of the unused rest and the grant of the allowance',
  allowance: 'raising an allowance adds the difference to what the month was granted',
  draw: 'a draw takes free, then allocated, then purchased tokens, each as far as it goes',
  'usage-price': 'a usage costs 1.9 times its variable cost, rounded half up',
  late: 'a usage occurred at most 72 h before and 60 s after it was recorded',
  'policy-revision': 'a draw was decided under a revision of the organisation that was there and is not older than the last',
  policy: 'status and limits are those of the organisation at the revision that the event names',
  window: 'windows are the day and month of the instant in the zone of the organisation, counted without gap',
  limit: 'no window is above the limit in force',
  'limit-reached': 'a limit that was reached is recorded once per window and value',
  reversal: 'a usage is reversed once, in full, to where its tokens came from',
  member: 'only what a member is can change: resumed who was suspended, cleared who is known',
  allocation: 'an allocation goes to permitted members, in whole parts whose sums are right',
  number: 'the allocations of a member are numbered 1, 2, 3, ...',
  received: 'what a member receives was allocated: the same number, allocation and tokens, and only once',
  bill: 'a bill takes what is there in the order of its sources, or declines',
  storage: 'storage is accrued at 133 pico-tokens a byte and day above the free gigabyte',
  'unique-key': 'an idempotency key has one result',
  'unique-payment': 'a payment reference credits a wallet once',
  'unique-id': 'generated ids are never used twice',
  'unique-bill': 'a month is billed once and declined once, a day of storage accrued once',
  conservation: 'what was issued is held, in transit, spent or lapsed',
  index: 'the tables that lead to the events agree with the events',
  certificate: 'the streams are those of the certificate, or have grown since',
} as const;

export type Rule = keyof typeof RULES;

/** One thing that does not hold. */
export interface Finding {
  rule: Rule;
  stream: string;
  /** -1 when it is about the whole stream, or the whole store. */
  revision: number;
  eventId: string;
  what: string;
  expected: string;
  found: string;
}

/** Reports that something about the event under audit does not hold. */
export type Fault = (rule: Rule, what: string, expected: unknown, found: unknown) => void;

/** Findings that are kept; beyond them only counts. A store that is wrong everywhere must not fill the memory. */
const KEPT_MAX = 1_000;
const SHOWN_CHARACTERS_MAX = 200;

export class Findings {
  readonly kept: Finding[] = [];
  readonly byRule = new Map<Rule, number>();
  count = 0;

  add(finding: Finding): void {
    this.count += 1;
    this.byRule.set(finding.rule, (this.byRule.get(finding.rule) ?? 0) + 1);
    if (this.kept.length < KEPT_MAX) this.kept.push(finding);
  }

  /** Of the event. */
  of({ stream, revision, id }: Pick<StoredEvent, 'stream' | 'revision' | 'id'>): Fault {
    return (rule, what, expected, found) =>
      this.add({ rule, stream, revision, eventId: id, what, expected: shown(expected), found: shown(found) });
  }

  merge({ kept, byRule, count }: Pick<Findings, 'kept' | 'byRule' | 'count'>): void {
    for (const finding of kept.slice(0, KEPT_MAX - this.kept.length)) this.kept.push(finding);
    for (const [rule, each] of byRule) this.byRule.set(rule, (this.byRule.get(rule) ?? 0) + each);
    this.count += count;
  }
}

/** One sentence that names stream, revision, event, rule, expected and found. */
export function sentenceOf({ rule, stream, revision, eventId, what, expected, found }: Finding): string {
  const where = revision < 0 ? stream : `${stream}, revision ${revision}, event ${eventId}`;
  return `${where}: ${what} should be ${expected} and is ${found} (rule ${rule}: ${RULES[rule]}).`;
}

export function shown(value: unknown): string {
  const text =
    typeof value === 'string'
      ? value
      : (JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each)) ?? 'nothing');
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}...` : text;
}

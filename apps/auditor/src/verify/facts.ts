import { faultOf } from '@ledger/event-contract';
import { ORGANISATION_EVENT_TYPES, SCHEMA, USER_EVENT_TYPES, usualData, type WalletEvent, type WalletRef } from '@ledger/wallet';
import { checkCanonical, parsed } from './chain';
import type { EntryLog } from './entries';
import type { Fault } from './finding';
import type { Place } from './surroundings';
import type { LastKey } from './user-state';

/** What an event says, by itself, and the key that it is the result of. */

type Kind = WalletRef['kind'];
const TYPES = { organisation: new Set<string>(ORGANISATION_EVENT_TYPES), user: new Set<string>(USER_EVENT_TYPES) };

/** The fact, when its text is canonical JSON that fits its schema. */
export function factOf({ type, data }: { type: string; data: string }, kind: Kind, fault: Fault): WalletEvent | undefined {
  const usual = kind === 'user' ? usualData(type, data) : undefined;
  if (usual !== undefined) return { type, data: usual } as WalletEvent;
  const facts = parsed(data);
  if (facts === undefined) {
    fault('canonical', 'the text of the data', 'JSON', data);
    return undefined;
  }
  checkCanonical('the data', data, facts, fault);
  const wrong = faultOf(type, SCHEMA, facts, kind);
  if (wrong === undefined && TYPES[kind].has(type)) return { type, data: facts } as WalletEvent;
  if (TYPES[kind].has(type)) fault('schema', 'the data', `as the schema of ${type} says`, wrong);
  else fault('type', 'the type', `an event of ${kind === 'user' ? 'a user' : 'an organisation'}`, type);
  return undefined;
}

/** The days that not every month has, where an event names a day or an instant. In a text of a caller the quotation marks are escaped. */
const LATE_DAYS = /"(at|occurredAt|resetsAt|window|daily|day)":"([0-9]{4}-[0-9]{2}-(29|30|31))/g;

/** A pattern cannot say how long a month is. */
export function checkCalendar(data: string, fault: Fault): void {
  for (const [, name, date, day] of data.matchAll(LATE_DAYS))
    if (new Date(`${date}T00:00:00.000Z`).getUTCDate() !== Number(day))
      fault('calendar', `the day of ${name}`, 'one that the calendar has', date);
}

/** Several events in a row may be the result of one key: parts of an allocation, a batch of members, a declined day of storage. */
export function checkKey(
  state: { lastKey: LastKey | undefined },
  fact: WalletEvent,
  key: string,
  contentHash: string | undefined,
  { position, revision, stream, fault }: Place,
  entries: EntryLog,
): void {
  const result = resultOf(fact);
  const { lastKey } = state;
  if (lastKey?.key === key && lastKey.revision === revision - 1) {
    const same = lastKey.result === result || (fact.type === 'BillDeclined' && lastKey.result === 'storage');
    if (!same || lastKey.contentHash !== contentHash)
      fault('unique-key', `the result of the key ${key}`, 'that of the event before it', fact.type);
  } else entries.add('key', position, 0, stream, key);
  state.lastKey = result === undefined ? undefined : { key, contentHash, result, revision };
}

/** What several events in a row, as the result of one key, have in common; undefined of what stands alone. */
function resultOf({ type, data }: WalletEvent): string | undefined {
  switch (type) {
    case 'TokensAllocated':
    case 'AllocationReceived':
      return data.allocationId;
    case 'StorageAccrued':
      return 'storage';
    case 'TokensUsed':
      return undefined;
    default:
      return 'batch' in data ? JSON.stringify(data.batch) : undefined;
  }
}

import type { NewEvent } from '../event-store';
import type { Ask, Behaviour, Ruled } from '../ask';

/** The smallest wallet that has everything a mailbox must respect: funds, a limit on what is spent, keys that are replayed. */
export interface Purse {
  stream: string;
  revision: number;
  balance: number;
  spent: number;
  limit: number;
  keys: Map<string, { revision: number; content: string }>;
}

export interface PurseCommand {
  key?: string;
  /** `recount` says nothing new: it answers the balance. */
  kind: 'credit' | 'spend' | 'limit' | 'recount';
  amount: number;
  /** Text that makes the event large. */
  memo?: string;
}

export interface PurseEvent extends PurseCommand {
  content: string;
}

export interface PurseResult {
  /** `accepted`: the id of the event; `replayed`: its revision. */
  accepted?: string;
  replayed?: number;
  balance: number;
}

export class PurseRefusal extends Error {
  constructor(readonly code: 'FUNDS' | 'LIMIT' | 'KEY_REUSED') {
    super(code);
  }
}

export interface PurseAttempt {
  durableRevision: number;
  fetched: Set<string>;
}

export type PurseAsk = Ask<Purse, PurseAttempt, PurseResult>;

export const contentOf = ({ kind, amount }: PurseCommand): string => `${kind} ${amount}`;

function fold(purse: Purse, { key, kind, amount, content }: PurseEvent): void {
  purse.revision += 1;
  if (key !== undefined) purse.keys.set(key, { revision: purse.revision, content });
  if (kind === 'credit') purse.balance += amount;
  if (kind === 'limit') purse.limit = amount;
  if (kind === 'spend') {
    purse.balance -= amount;
    purse.spent += amount;
  }
}

export const purses: Behaviour<Purse, PurseAttempt> = {
  empty: (stream) => ({ stream, revision: -1, balance: 0, spent: 0, limit: Infinity, keys: new Map() }),
  sizeOf: () => 1,
  revisionOf: ({ revision }) => revision,
  absorb: (purse, events) => events.forEach(({ data }) => fold(purse, JSON.parse(data) as PurseEvent)),
  newAttempt: ({ revision }) => ({ durableRevision: revision, fetched: new Set() }),
};

let decisions = 0;

/** Decides a command; an event's id is another with every decision, as the ids made of hashes are. */
export function ask(command: PurseCommand): PurseAsk {
  return (purse): Ruled<PurseResult> => {
    const { key, kind, amount } = command;
    const { balance } = purse;
    const first = key === undefined ? undefined : purse.keys.get(key);
    if (first) {
      if (first.content !== contentOf(command)) return { events: [], refusal: new PurseRefusal('KEY_REUSED') };
      return { events: [], result: { replayed: first.revision, balance } };
    }
    if (kind === 'recount') return { events: [], result: { balance } };
    if (kind === 'spend' && amount > balance) return { events: [], refusal: new PurseRefusal('FUNDS') };
    if (kind === 'spend' && purse.spent + amount > purse.limit) return { events: [], refusal: new PurseRefusal('LIMIT') };
    const fact: PurseEvent = { ...command, content: contentOf(command) };
    const id = `${++decisions}`;
    const event: NewEvent = { id, type: kind, data: JSON.stringify(fact), metadata: '' };
    const delta = kind === 'credit' ? amount : kind === 'spend' ? -amount : 0;
    return { events: [event], apply: () => fold(purse, fact), result: { accepted: id, balance: balance + delta } };
  };
}

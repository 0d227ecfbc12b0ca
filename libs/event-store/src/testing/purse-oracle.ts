import { contentOf, type PurseCommand, type PurseEvent, type PurseRefusal } from './purse';
import type { DatedEvent } from './simulated-store';

/** One answer that a client was given, and when. Instants are of the simulated store: no two happenings share one. */
export interface Heard {
  command: PurseCommand;
  arrived: number;
  answered: number;
  answer: { accepted: string; balance: number } | { replayed: number } | { refused: PurseRefusal['code'] } | { counted: number };
}

interface Tally {
  balance: number;
  spent: number;
  limit: number;
  keys: Map<string, string>;
  /** The state was the head, or lay inside the append that made the head, from here ... */
  from: number;
  /** ... until here. */
  until: number;
}

export type Violation =
  | 'key stored twice'
  | 'id stored twice'
  | 'revision gap'
  | 'funds below zero'
  | 'limit overshot'
  | 'accepted, not stored'
  | 'accepted before stored'
  | 'accepted, other balance'
  | 'accepted twice'
  | 'replayed, not stored'
  | 'false refusal'
  | 'refused what is stored'
  | 'false count';

/** Judges one stream by what is stored in the end; knows nothing of mailboxes, and folds by rules of its own. */
export function violationsOf(stored: readonly DatedEvent[], heard: readonly Heard[]): Violation[] {
  const facts = stored.map((event) => ({ ...event, fact: JSON.parse(event.data) as PurseEvent }));
  const violations: Violation[] = [];
  const tallies = talliesOf(facts, violations);
  const byId = new Map(facts.map((event, index) => [event.id, { ...event, after: tallies[index + 1]! }]));
  if (byId.size !== facts.length) violations.push('id stored twice');
  const accepted = new Set<string>();

  for (const { command, arrived, answered, answer } of heard) {
    const possible = tallies.filter(({ from, until }) => from <= answered && until >= arrived);
    if ('accepted' in answer) {
      const event = byId.get(answer.accepted);
      if (!event || event.fact.key !== command.key) violations.push('accepted, not stored');
      else if (event.instant > answered || event.instant < arrived) violations.push('accepted before stored');
      else if (event.after.balance !== answer.balance) violations.push('accepted, other balance');
      if (accepted.has(answer.accepted)) violations.push('accepted twice');
      accepted.add(answer.accepted);
    } else if ('replayed' in answer) {
      const event = facts[answer.replayed];
      const same = event && event.fact.key === command.key && contentOf(event.fact) === contentOf(command);
      if (!same || event.instant > answered) violations.push('replayed, not stored');
    } else if ('refused' in answer) {
      if (possible.some((tally) => refusalOn(tally, command) === answer.refused)) continue;
      const own = facts.find(({ fact }) => fact.key === command.key);
      const isStored = own !== undefined && own.instant < arrived && contentOf(own.fact) === contentOf(command);
      violations.push(isStored ? 'refused what is stored' : 'false refusal');
    } else if (!possible.some(({ balance }) => balance === answer.counted)) {
      violations.push('false count');
    }
  }
  return violations;
}

/** Every state that the stream went through, the empty one first, with the time for which it was true. */
function talliesOf(facts: readonly (DatedEvent & { fact: PurseEvent })[], violations: Violation[]): Tally[] {
  let last: Tally = { balance: 0, spent: 0, limit: Infinity, keys: new Map(), from: 0, until: Infinity };
  const tallies = [last];
  facts.forEach(({ instant, revision, fact: { key, kind, amount, content } }, index) => {
    if (revision !== index) violations.push('revision gap');
    last.until = instant;
    const next: Tally = { ...last, keys: new Map(last.keys), from: instant, until: Infinity };
    if (key !== undefined) {
      if (next.keys.has(key)) violations.push('key stored twice');
      next.keys.set(key, content);
    }
    if (kind === 'credit') next.balance += amount;
    if (kind === 'limit') next.limit = amount;
    if (kind === 'spend') {
      next.balance -= amount;
      next.spent += amount;
      if (next.balance < 0) violations.push('funds below zero');
      if (next.spent > next.limit) violations.push('limit overshot');
    }
    tallies.push(next);
    last = next;
  });
  return tallies;
}

/** Guards in their order: the key, funds, the limit. */
function refusalOn({ balance, spent, limit, keys }: Tally, command: PurseCommand): PurseRefusal['code'] | undefined {
  const content = command.key === undefined ? undefined : keys.get(command.key);
  if (content !== undefined) return content === contentOf(command) ? undefined : 'KEY_REUSED';
  if (command.kind !== 'spend') return undefined;
  if (command.amount > balance) return 'FUNDS';
  return spent + command.amount > limit ? 'LIMIT' : undefined;
}

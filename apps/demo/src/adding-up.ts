import { emptyHolding, held, type Books, type UserHolding } from './books';
import type { Recomputed } from './recompute';
import type { Cell } from './table';

const DIFFERENCES_MAX = 20;

export interface AddingUp {
  /** What does not add up, a sentence each; none when everything does. */
  faults: string[];
  /** A row for each kind of total: its name, then what the answers, the reads and the events say. */
  rows: Cell[][];
  wallets: number;
}

/**
 * Compares the three witnesses wallet by wallet and total by total, and each with itself:
 * issued = held + in transit + spent + lapsed, to the token.
 */
export function addUp(answers: Required<Books>, reads: Books, events: Recomputed): AddingUp {
  const faults = [...events.faults];
  const witnesses: Books[] = [answers, reads, events];
  const row = (name: string, value: (books: Books) => number | undefined): Cell[] => {
    const values = witnesses.map(value);
    const known = values.filter((tokens) => tokens !== undefined);
    if (new Set(known).size > 1)
      faults.push(`${name}: ${witnesses.map(({ witness }, at) => `${witness} say ${values[at] ?? 'nothing'}`).join(', ')}.`);
    return [name, ...values.map((tokens) => tokens ?? '')];
  };
  const rows = [
    row('purchased', ({ purchased }) => purchased),
    row('granted free', ({ granted }) => granted),
    row('held by organisations', (books) => held(books).organisations),
    row('held by members', (books) => held(books).users),
    row('in transit', (books) => held(books).inTransit),
    row('spent', ({ spent }) => spent),
    row('of it on bills', ({ billed }) => billed),
    row('still owed', ({ owed }) => owed && [...owed.values()].reduce((sum, tokens) => sum + tokens, 0)),
    row('lapsed', ({ lapsed }) => lapsed),
  ];
  for (const books of [answers, events]) {
    const { organisations, users, inTransit } = held(books);
    const issued = books.purchased + books.granted;
    const accounted = organisations + users + inTransit + books.spent + books.lapsed;
    if (issued !== accounted) faults.push(`By the ${books.witness} ${issued} tokens were issued, and ${accounted} are accounted for.`);
  }
  faults.push(...differences(answers, reads), ...differences(events, reads));
  return { faults, rows, wallets: reads.organisations.size + reads.users.size };
}

/** Wallets in which two witnesses disagree. A wallet that one does not know is empty to it. */
function differences(one: Books, other: Books): string[] {
  const found: string[] = [];
  const compare = (wallet: string, bucket: string, a: number, b: number) => {
    if (a !== b && found.length < DIFFERENCES_MAX) found.push(`${wallet} ${bucket}: ${one.witness} say ${a}, ${other.witness} say ${b}.`);
  };
  for (const id of new Set([...one.organisations.keys(), ...other.organisations.keys()])) {
    const [a, b] = [one.organisations.get(id), other.organisations.get(id)];
    compare(id, 'available', a?.available ?? 0, b?.available ?? 0);
    compare(id, 'in transit', a?.inTransit ?? 0, b?.inTransit ?? 0);
  }
  for (const owner of new Set([...(one.owed?.keys() ?? []), ...(other.owed?.keys() ?? [])]))
    if (one.owed && other.owed) compare(owner, 'owed', one.owed.get(owner) ?? 0, other.owed.get(owner) ?? 0);
  for (const id of new Set([...one.users.keys(), ...other.users.keys()])) {
    const [a, b]: UserHolding[] = [one.users.get(id) ?? emptyHolding(), other.users.get(id) ?? emptyHolding()];
    compare(id, 'free', a!.free, b!.free);
    compare(id, 'purchased', a!.purchased, b!.purchased);
    for (const organisationId of new Set([...a!.allocated.keys(), ...b!.allocated.keys()]))
      compare(id, `allocated by ${organisationId}`, a!.allocated.get(organisationId) ?? 0, b!.allocated.get(organisationId) ?? 0);
  }
  return found;
}

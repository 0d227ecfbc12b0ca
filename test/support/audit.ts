import { postings, walletOf } from '@ledger/wallet';
import { balanceOf, held, type Books } from '../../apps/demo/src/books';
import { recompute, type Recomputed } from '../../apps/demo/src/recompute';
import { ChainAudit } from './audit-chain';
import { PolicyAudit } from './audit-policies';
import { UniqueAudit } from './audit-unique';
import { type StoredRow, storedRows } from './stored-rows';

/** One view of the log that is told every event in the order of the store and says what is wrong with it. */
export interface Auditing {
  add(row: StoredRow, fault: (sentence: string) => void): void;
}

export interface Audited {
  /** What does not hold, a sentence each; the first FAULTS_MAX. */
  faults: string[];
  /** Where all tokens are, by the events alone. */
  books: Recomputed;
  rows: StoredRow[];
}

const FAULTS_MAX = 30;

/**
 * Audits a store file while nobody writes it and everything is settled: the chain of hashes, what is unique, the terms that
 * were decided under, the arithmetic of every balance (the demo's recomputation), and double entry down to each bucket.
 */
export function audit(file: string): Audited {
  return auditRows(storedRows(file));
}

export function auditRows(rows: StoredRow[]): Audited {
  const faults: string[] = [];
  const views: Auditing[] = [new ChainAudit(), new UniqueAudit(), new PolicyAudit()];
  const entries = new DoubleEntry();
  for (const row of rows) {
    const fault = (sentence: string) => {
      if (faults.length < FAULTS_MAX) faults.push(`${row.stream} revision ${row.revision} (${row.type}) ${sentence}`);
    };
    for (const view of [...views, entries]) view.add(row, fault);
  }
  const books = recompute(rows);
  faults.push(...books.faults, ...entries.compare(books), ...unconserved(books));
  return { faults: faults.slice(0, FAULTS_MAX), books, rows };
}

/** Accounts that only postings move; each must come to what the recomputation has in that bucket. */
class DoubleEntry implements Auditing {
  private readonly accounts = new Map<string, number>();

  add({ stream, event }: StoredRow, fault: (sentence: string) => void): void {
    const wallet = walletOf(stream);
    if (!wallet) return fault('is on a stream of no wallet');
    const lines = postings(wallet, event);
    if (lines.reduce((sum, { tokens }) => sum + tokens, 0) !== 0) fault('has postings that do not sum to zero');
    for (const { account, tokens } of lines) {
      const now = (this.accounts.get(account) ?? 0) + tokens;
      this.accounts.set(account, now);
      if (now < 0 && /^(user|organisation):/.test(account) && !account.endsWith(':inTransit')) fault(`leaves ${account} with ${now}`);
    }
  }

  compare(books: Recomputed): string[] {
    const wanted = new Map<string, number>([
      ['world', -(books.purchased + books.granted)],
      ['lapsed', books.lapsed],
    ]);
    for (const [id, { available, inTransit }] of books.organisations) {
      wanted.set(`organisation:${id}:available`, available).set(`organisation:${id}:inTransit`, inTransit);
    }
    for (const [id, { free, purchased, allocated }] of books.users) {
      wanted.set(`user:${id}:free`, free).set(`user:${id}:purchased`, purchased);
      for (const [organisationId, tokens] of allocated) wanted.set(`user:${id}:allocated:${organisationId}`, tokens);
    }
    const platform = (this.accounts.get('platform:usage') ?? 0) + (this.accounts.get('platform:bills') ?? 0);
    const found = platform === books.spent ? [] : [`The platform was posted ${platform} tokens, and ${books.spent} were spent.`];
    const names = new Set([...wanted.keys(), ...[...this.accounts.keys()].filter((name) => !name.startsWith('platform:'))]);
    for (const name of names) {
      const [posted, recomputed] = [this.accounts.get(name) ?? 0, wanted.get(name) ?? 0];
      if (posted !== recomputed) found.push(`${name} was posted ${posted} tokens, and the events come to ${recomputed}.`);
    }
    return found;
  }
}

function unconserved(books: Recomputed): string[] {
  const { organisations, users, inTransit } = held(books);
  const issued = books.purchased + books.granted;
  const there = organisations + users + inTransit + books.spent + books.lapsed;
  return issued === there ? [] : [`${issued} tokens were issued, and ${there} are accounted for.`];
}

/** Books as plain data, without what is empty, so that two witnesses can be compared by one expectation. */
export function shown({ organisations, users }: Pick<Books, 'organisations' | 'users'>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [id, { available, inTransit }] of organisations) result[`organisation ${id}`] = { available, inTransit };
  for (const [id, holding] of users) {
    const allocated = Object.fromEntries([...holding.allocated].filter(([, tokens]) => tokens !== 0).sort());
    result[`user ${id}`] = { free: holding.free, purchased: holding.purchased, allocated, balance: balanceOf(holding) };
  }
  return result;
}

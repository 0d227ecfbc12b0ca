import type { StoredEvent } from '@ledger/event-store';
import type { Posting } from '@ledger/wallet';
import { accountName, dashedId } from './accounts';
import { type Journal, type Line, OPENED, TOKEN, written } from './journal';

/** beancount's journal. Its directives may stand in any order: it sorts them by day, and opens accounts first. */

export const BEANCOUNT_HEAD = `option "title" "The postings of a token ledger"\n${OPENED} commodity ${TOKEN}\n\n`;

/** What the transactions of one file come to. `held` is what accounts hold before the first of them; it goes on with them. */
export class BeancountBook {
  readonly accounts = new Set<string>();
  private lastDay = OPENED;

  constructor(private readonly held: Map<string, number>) {}

  /** The transaction of an event, '' when it moves nothing. */
  of(stored: StoredEvent): string {
    return written(stored, (event, at, lines) => this.transaction(event, at, lines));
  }

  /** beancount holds balances against the morning of a day only, so they are asserted once, on the day after the last event. */
  balances(accounts: ReadonlySet<string> = this.accounts): string {
    const day = new Date(Date.parse(this.lastDay) + DAY_MS).toISOString().slice(0, 10);
    return Array.from(accounts, (account) => `${day} balance ${nameOf(account)}  ${this.held.get(account) ?? 0} ${TOKEN}\n`).join('');
  }

  /** Counts what another file on the same accounts has. */
  add({ accounts, lastDay }: BeancountBook): void {
    for (const account of accounts) this.accounts.add(account);
    if (lastDay > this.lastDay) this.lastDay = lastDay;
  }

  private transaction({ stream, revision, id, type }: StoredEvent, at: string, lines: readonly Line[]): string {
    const day = at.slice(0, 10);
    if (day > this.lastDay) this.lastDay = day;
    for (const { account, tokens } of lines) {
      this.accounts.add(account);
      this.held.set(account, (this.held.get(account) ?? 0) + tokens);
    }
    return `${day} * "${stream}@${revision}" "${type}"\n  event: "${id}"\n  at: "${at}"\n${posted(lines)}\n`;
  }
}

export const opened = (accounts: Iterable<string>): string =>
  Array.from(accounts, (account) => `${OPENED} open ${nameOf(account)} ${TOKEN}\n`).join('');

/** '' when nothing was held. */
export const openingBalances = (held: readonly Posting[]): string =>
  held.length === 0 ? '' : `${OPENED} * "Opening balances"\n${posted(held)}\n`;

const posted = (lines: readonly Posting[]): string =>
  lines.map(({ account, tokens }) => `  ${nameOf(account)}  ${tokens} ${TOKEN}\n`).join('');

const nameOf = (account: string): string => accountName(account, dashedId);
const DAY_MS = 86_400_000;

/** All of a ledger in one file. */
export function beancountJournal(): Journal {
  const book = new BeancountBook(new Map());
  return {
    head: BEANCOUNT_HEAD,
    of: (page) => page.map((stored) => book.of(stored)).join(''),
    tail: () => `${opened(book.accounts)}${book.balances()}`,
  };
}

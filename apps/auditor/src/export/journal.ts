import type { StoredEvent } from '@ledger/event-store';
import { type Posting, postings, type WalletEvent, walletOf, type WalletRef } from '@ledger/wallet';
import { datedFact, factOf, noEvent, using } from '../replay/facts';
import { accountName, plainId } from './accounts';
import type { EventLines } from './lines';

/** Postings as a double-entry journal: one transaction for each event that moves tokens; the others have none. hledger's is here. */

/** The commodity of every amount. */
export const TOKEN = 'TOK';

/** A journal under way; `tail` is what stands behind its last transaction. */
export interface Journal extends EventLines {
  tail(): string;
}

export interface Line extends Posting {
  /** What the event says that the account holds after it; only on the account's last line of the event. */
  after?: number;
}

/**
 * hledger's own format. Every line is held against the balance that its event claims. `held` is what accounts hold before the first
 * event: with it a journal begins anywhere in a ledger and can be checked alone. It goes on with the events.
 */
export function hledgerJournal(held = new Map<string, number>()): Journal {
  const declared = new Set<string>();
  const name = (account: string): string => accountName(account, plainId);
  const opening = [...held].filter(([, tokens]) => tokens !== 0).map(([account, tokens]): Line => ({ account, tokens, after: tokens }));
  const transaction = ({ stream, revision, id, type }: StoredEvent, at: string, lines: readonly Line[]): string => {
    for (const { account, tokens } of lines) held.set(account, (held.get(account) ?? 0) + tokens);
    return [
      ...fresh(declared, lines).map((account) => `account ${name(account)}\n`),
      `${at.slice(0, 10)} * (${stream}@${revision}) ${type}  ; event:${id}, at:${at}\n`,
      ...posted(lines),
    ].join('');
  };
  const posted = (lines: readonly Line[]): string[] => [
    ...lines.map(({ account, tokens, after }) => {
      const assertion = after === undefined ? '' : ` = ${after} ${TOKEN}`;
      return `    ${name(account)}  ${tokens} ${TOKEN}${assertion}\n`;
    }),
    '\n',
  ];
  const opened =
    opening.length === 0
      ? []
      : [...fresh(declared, opening).map((account) => `account ${name(account)}\n`), `${OPENED} * Opening balances\n`, ...posted(opening)];
  return {
    head: [`; The postings of a token ledger: 1 ${TOKEN} is one token.\n\ncommodity 1000. ${TOKEN}\n\n`, ...opened].join(''),
    of: (page) => page.map((stored) => written(stored, transaction)).join(''),
    tail: () => '',
  };
}

/** Two instances' clocks may differ, so no event's day is surely the first of its accounts. */
export const OPENED = '1970-01-01';

function fresh(declared: Set<string>, lines: readonly Line[]): string[] {
  const accounts = lines.map(({ account }) => account).filter((account) => !declared.has(account));
  for (const account of accounts) declared.add(account);
  return [...new Set(accounts)];
}

/** The transaction of an event, '' when it moves nothing. */
export function written(stored: StoredEvent, transaction: (stored: StoredEvent, at: string, lines: readonly Line[]) => string): string {
  const wallet = walletOf(stored.stream);
  if (wallet === undefined) return '';
  const event = datedFact(stored);
  const lines = using(stored, () => linesOf(wallet, event));
  // Whoever changes a store must not write directives of a journal.
  if (![stored.id, wallet.id].every((id) => PLAIN.test(id)) || !lines.every(isPlain)) throw noEvent(stored);
  return lines.length === 0 ? '' : transaction(stored, event.data.at, lines);
}

const PLAIN = /^[\w.~-]+$/;
const PLAIN_ACCOUNT = /^[\w.~-]+(:[\w.~-]+)*$/;
const isPlain = ({ account, tokens, after = 0 }: Line): boolean =>
  PLAIN_ACCOUNT.test(account) && Number.isSafeInteger(tokens) && Number.isSafeInteger(after);

/** Whether the event has a transaction. */
export function movesTokens(stored: StoredEvent): boolean {
  const wallet = walletOf(stored.stream);
  return wallet !== undefined && using(stored, () => linesOf(wallet, factOf(stored))).length > 0;
}

export function linesOf(wallet: WalletRef, event: WalletEvent): Line[] {
  const lines: Line[] = postings(wallet, event);
  for (const [account, after] of claimed(wallet, event)) {
    const last = lines.findLast((line) => line.account === account);
    if (last) last.after = after;
  }
  return lines;
}

/** The balances that an event names, by account. What is in transit, and what is nobody's, no event names. */
function claimed(wallet: WalletRef, { data }: WalletEvent): [account: string, tokens: number][] {
  if (!('balanceAfter' in data)) return [];
  const { balanceAfter } = data;
  if ('available' in balanceAfter) return [[`organisation:${wallet.id}:available`, balanceAfter.available]];
  const { free, purchased, allocated = [] } = balanceAfter;
  const own = `user:${wallet.id}`;
  return [
    ...(free ? [[`${own}:free`, free.tokens] as [string, number]] : []),
    ...(purchased === undefined ? [] : [[`${own}:purchased`, purchased] as [string, number]]),
    ...allocated.map(({ organisationId, tokens }): [string, number] => [`${own}:allocated:${organisationId}`, tokens]),
  ];
}

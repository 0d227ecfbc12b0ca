import type { EventStore, StoredEvent } from '@ledger/event-store';
import type { Kafka } from 'kafkajs';
import { committedIn, type ReadMessage } from './committed';

/** What a reader of the topics would complain of, against the store itself. All zero is exactly once, in order. */
export interface Account {
  events: number;
  lost: number;
  doubled: number;
  outOfOrder: number;
  /** Messages whose value, key or identity is not that of the stored event. */
  garbled: number;
  balancesWrong: number;
}

export const EVENTS = 'ledger.wallet-events.v1';
export const BALANCES = 'ledger.wallet-balances.v1';
const PAGE = 10_000;

/** Counts over the whole topics; the store must not be written meanwhile, and the publisher must have caught up. */
export async function accountOf(kafka: Kafka, store: EventStore, topics = { events: EVENTS, balances: BALANCES }): Promise<Account> {
  const stored = await everyEvent(store);
  const messages = await committedIn(kafka, topics.events);
  const seen = new Map<string, number>();
  const lastRevision = new Map<string, number>();
  const byId = new Map(stored.map((event) => [event.id, event]));
  const account: Account = { events: stored.length, lost: 0, doubled: 0, outOfOrder: 0, garbled: 0, balancesWrong: 0 };
  for (const message of messages) {
    const id = message.headers['ce_id'] ?? '';
    const event = byId.get(id);
    seen.set(id, (seen.get(id) ?? 0) + 1);
    if (!event || !isTrue(message, event)) account.garbled += 1;
    const revision = Number(message.headers['ce_streamrevision']);
    if (revision !== (lastRevision.get(message.key) ?? -1) + 1) account.outOfOrder += 1;
    lastRevision.set(message.key, revision);
  }
  for (const { id } of stored) if (!seen.has(id)) account.lost += 1;
  for (const times of seen.values()) account.doubled += times - 1;
  account.balancesWrong = differing(balancesOf(stored), lastValues(await committedIn(kafka, topics.balances)));
  return account;
}

export const EXACT = { lost: 0, doubled: 0, outOfOrder: 0, garbled: 0, balancesWrong: 0 };

async function everyEvent(store: EventStore): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for (let after = -1n; ; after = all.at(-1)!.position) {
    const page = await store.readAll(after, PAGE);
    if (page.length === 0) return all;
    all.push(...page);
  }
}

const isTrue = ({ key, value, headers }: ReadMessage, event: StoredEvent): boolean =>
  key === event.stream &&
  value === event.data &&
  headers['ce_streamrevision'] === String(event.revision) &&
  headers['ce_globalposition'] === String(event.position);

interface Balance {
  balance: number;
  free?: { tokens: number; month: string };
}

/** Free tokens are gone when their month ends: a balance without the month would be read wrong from then on. */
const balanceText = ({ balance, free }: Balance, revision: number): string =>
  `${balance}${free && free.tokens > 0 ? ` with ${free.tokens} of ${free.month}` : ''} at ${revision}`;

/** The last balance of each wallet by the test's own reading of the events. */
function balancesOf(stored: readonly StoredEvent[]): Map<string, string> {
  const balances = new Map<string, string>();
  for (const { stream, data, revision } of stored) {
    const { balanceAfter } = JSON.parse(data) as { balanceAfter?: Balance };
    if (balanceAfter) balances.set(stream.replace('Wallet-', ':'), balanceText(balanceAfter, revision));
  }
  return balances;
}

function lastValues(messages: readonly ReadMessage[]): Map<string, string> {
  const last = new Map<string, string>();
  for (const { key, value } of messages) {
    const { revision, wallet, ...balance } = JSON.parse(value!) as Balance & { revision: number; wallet: string };
    last.set(key, wallet === key ? balanceText(balance, revision) : 'of another wallet');
  }
  return last;
}

function differing(wanted: Map<string, string>, found: Map<string, string>): number {
  const wallets = new Set([...wanted.keys(), ...found.keys()]);
  return [...wallets].filter((wallet) => wanted.get(wallet) !== found.get(wallet)).length;
}

import { canonical, type WalletEvent } from '@ledger/wallet';
import { firstLink, type Link } from '../../apps/auditor/src/verify/chain';
import type { Rule } from '../../apps/auditor/src/verify/finding';
import { hashing } from '../../apps/ledger/src/wallets/hashing';
import type { Row } from './tamper-store';

/** The tools of a forger: change stored texts, make hashes anew, choose a place. */

// Whatever a forger writes: the shapes of events would only be in the way.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Fields = any;

/** Where the audit must find it, and by which rules. */
export interface Expected {
  stream: string;
  rules: Rule[];
  /** Revisions of which one must be named; left out when the whole stream is meant. */
  revisions?: number[];
}

export interface Kind {
  name: string;
  /** `audit`: found by rules. `certificate`: the store is consistent, a certificate made before shows it. */
  by: 'audit' | 'certificate';
  /** Changes the rows, or answers undefined when this store has no place for it. */
  forge(rows: Row[], dice: Dice): Expected | undefined;
}

/** Numbers that a seed repeats. */
export class Dice {
  constructor(private state: number) {}

  /** 0 to n - 1. */
  below(n: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  }

  of<Value>(values: readonly Value[]): Value | undefined {
    return values.length === 0 ? undefined : values[this.below(values.length)];
  }
}

export const dataOf = (row: Row): Fields => JSON.parse(row.data);
export const metaOf = (row: Row): Fields => JSON.parse(row.metadata);
export const factOf = (row: Row): WalletEvent => ({ type: row.type, data: dataOf(row) }) as WalletEvent;

export function edit(row: Row, change: (data: Fields) => void): void {
  const data = dataOf(row);
  change(data);
  row.data = canonical(data);
}

export function editMeta(row: Row, change: (metadata: Fields) => void): void {
  const metadata = metaOf(row);
  change(metadata);
  row.metadata = canonical(metadata);
}

export const ofStream = (rows: readonly Row[], stream: string): Row[] => rows.filter((row) => row.stream === stream);
export const isUser = (row: Row): boolean => row.stream.startsWith('userWallet-');
export const walletIdOf = (row: Row): string => row.stream.slice(row.stream.indexOf('-') + 1);

/** A random row of these types that suits. */
export function pick(
  rows: readonly Row[],
  dice: Dice,
  types: readonly string[],
  suits: (row: Row) => boolean = () => true,
): Row | undefined {
  return dice.of(rows.filter((row) => (types.length === 0 || types.includes(row.type)) && suits(row)));
}

/** Random among those that are not the last of their stream. */
export const notLast =
  (rows: readonly Row[]) =>
  (row: Row): boolean =>
    ofStream(rows, row.stream).at(-1) !== row;

/** Makes revisions, hashes and ids of a stream anew, so that the chain holds again. */
export function reseal(rows: readonly Row[], stream: string, keepRevisions = false): void {
  let previousHash = hashing.sha256(stream);
  ofStream(rows, stream).forEach((row, index) => {
    if (!keepRevisions) row.revision = index;
    const metadata: Fields = metaOf(row);
    delete metadata.hash;
    metadata.previousHash = previousHash;
    const text = `${previousHash}{"data":${row.data},"metadata":${canonical(metadata)},"revision":${row.revision},"type":"${row.type}"}`;
    metadata.hash = previousHash = hashing.sha256(text);
    row.metadata = canonical(metadata);
    row.id = hashing.idOf(previousHash);
  });
}

/** Adds to the balance that every later event of a wallet names, in the bucket and the total: a forger who has read the code. */
export function shiftBalances(rows: readonly Row[], from: Row, shift: (after: Fields) => void): void {
  const stream = ofStream(rows, from.stream);
  for (const row of stream.slice(stream.indexOf(from)))
    edit(row, (data) => {
      if (data.balanceAfter) shift(data.balanceAfter);
    });
}

/** A copy behind the last event of the stream, as a new event of it. */
export function appendCopy(rows: Row[], row: Row, change: (data: Fields, last: Row) => void, rename?: (metadata: Fields) => void): Row {
  const last = ofStream(rows, row.stream).at(-1)!;
  const copy = { ...row, revision: last.revision + 1 };
  edit(copy, (data) => {
    data.at = dataOf(last).at;
    change(data, last);
  });
  editMeta(copy, (metadata) => {
    if (metadata.key) metadata.key = `${metadata.key}-again`;
    rename?.(metadata);
  });
  rows.push(copy);
  return copy;
}

/** What the wallet holds after its last event, bucket by bucket. */
export function bucketsAfter(
  rows: readonly Row[],
  stream: string,
): { free: Fields; purchased: number; allocated: Map<string, number>; balance: number } {
  const found = { free: undefined as Fields, purchased: 0, allocated: new Map<string, number>(), balance: 0 };
  for (const row of ofStream(rows, stream)) {
    const after = dataOf(row).balanceAfter;
    if (!after) continue;
    if (after.free) found.free = after.free;
    if (after.purchased !== undefined) found.purchased = after.purchased;
    for (const { organisationId, tokens } of after.allocated ?? []) found.allocated.set(organisationId, tokens);
    found.balance = after.balance;
  }
  return found;
}

export const at = (row: Row, rules: Rule[]): Expected => ({ stream: row.stream, rules, revisions: [row.revision] });

/** Changes the data of one event of these types, and reseals. */
export const changed = (
  name: string,
  types: string[],
  rules: Rule[],
  change: (data: Fields, row: Row, rows: Row[]) => void,
  suits: (data: Fields, row: Row) => boolean = () => true,
): Kind => ({
  // prettier-ignore
  name,
  by: 'audit',
  forge(rows, dice) {
    const row = pick(rows, dice, types, (one) => suits(dataOf(one), one));
    if (!row) return undefined;
    edit(row, (data) => change(data, row, rows));
    reseal(rows, row.stream);
    return at(row, rules);
  },
});

/** Where the chain stands before an event, by its own word. */
export function linkBefore({ stream, revision, metadata }: Row): Link {
  const { previousHash = '' } = JSON.parse(metadata) as Record<string, string>;
  return { ...firstLink(stream), revision: revision - 1, hash: previousHash };
}

/** Makes the hash and the id of one event anew, as a forger does it who knows the format. */
export function hashAgain(row: Row, previousHash: string): void {
  const { revision, type, data, metadata } = row;
  const unhashed = metadata.replace(/,"hash":"[^"]*"/, '');
  const hash = hashing.sha256(`${previousHash}{"data":${data},"metadata":${unhashed},"revision":${revision},"type":"${type}"}`);
  row.metadata = metadata.replace(/,"hash":"[^"]*"/, `,"hash":"${hash}"`);
  row.id = hashing.idOf(hash);
}

import type { EventStore, StoredEvent } from '@ledger/event-store';
import { type Metadata, metadataOf, streamOf, type WalletEvent, type WalletRef } from '@ledger/wallet';
import { CouldNotRun } from '../cli/command';
import { walletName } from '../replay/arguments';
import { eventAt, factOf, streamEvents } from '../replay/facts';

/** An event with what it says. */
export interface Fact {
  stored: StoredEvent;
  event: WalletEvent;
  metadata: Metadata;
}

export const factFrom = (stored: StoredEvent): Fact => ({ stored, event: factOf(stored), metadata: metadataOf(stored) });

/** What one command wrote in one stream: what comes before its result (opening, grant), the result, and what follows from it. */
export interface CommandGroup {
  before: Fact[];
  /** More than one only for an allocation in parts. */
  result: Fact[];
  after: Fact[];
}

/** An event by its revision, its own id, or the id of the usage, purchase, allocation or bill. @throws CouldNotRun */
export async function findEvent(store: EventStore, wallet: WalletRef, text: string): Promise<Fact> {
  const stream = streamOf(wallet);
  if (/^\d{1,15}$/.test(text)) {
    const stored = await eventAt(store, stream, Number(text));
    if (stored) return factFrom(stored);
    const { revision } = await store.headOf(stream);
    throw new CouldNotRun(
      revision < 0
        ? `There is no wallet ${walletName(wallet)} in this store.`
        : `${walletName(wallet)} has no event ${text}: its last is ${revision}.`,
    );
  }
  const named = NAMES.map((name) => `"${name}":${JSON.stringify(text)}`);
  for await (const page of streamEvents(store, stream)) {
    const found = page.find(({ id, data }) => id === text || named.some((name) => data.includes(name)));
    if (found) return factFrom(found);
  }
  throw new CouldNotRun(`${walletName(wallet)} has no event, usage, purchase, allocation or bill ${text}.`);
}

const NAMES = ['usageId', 'purchaseId', 'allocationId', 'billId'] as const;

const precedes = ({ event: { type } }: Fact): boolean => type === 'UserWalletOpened' || type === 'FreeAllowanceGranted';
const follows = ({ event: { type, data } }: Fact): boolean =>
  (type === 'LimitReached' && data.by === 'draw') || (type === 'BillDeclined' && data.kind === 'storage');

/** What stands in one append of at most so many events; more is no group of ours. */
const GROUP_MAX = 20_000;

/**
 * The group of an event. Neighbours belong to it when they were written for the same request, in an order that only one command makes.
 * The result is empty where there is none: a refusal that left nothing but LimitReached.
 */
export async function groupOf(store: EventStore, fact: Fact): Promise<CommandGroup> {
  const around = new Neighbours(store, fact);
  const first = precedes(fact) ? await around.next(fact, (one) => !precedes(one)) : fact;
  const anchor = first && follows(first) ? await around.previous(first, (one) => !follows(one)) : first;
  if (!anchor || precedes(anchor)) return { before: [fact], result: [], after: [] };
  if (anchor.event.type === 'LimitReached') return { before: await around.back(anchor, precedes), result: [], after: [anchor] };
  const parts = (one: Fact): boolean =>
    anchor.event.type === 'TokensAllocated' &&
    one.event.type === 'TokensAllocated' &&
    one.event.data.allocationId === anchor.event.data.allocationId;
  const result = [...(await around.back(anchor, parts)), anchor, ...(await around.on(anchor, parts))];
  const before = await around.back(result[0] ?? anchor, precedes);
  const after = await around.on(result.at(-1) ?? anchor, follows);
  return { before, result, after };
}

/** Events beside one another that one request wrote. */
class Neighbours {
  private readonly requestId: string | undefined;

  constructor(
    private readonly store: EventStore,
    { metadata }: Fact,
  ) {
    this.requestId = metadata['requestId'];
  }

  /** Those directly before that fit, oldest first. */
  async back(fact: Fact, fits: (one: Fact) => boolean): Promise<Fact[]> {
    const found: Fact[] = [];
    for (let at = await this.beside(fact, -1); at && fits(at) && found.length < GROUP_MAX; at = await this.beside(at, -1))
      found.unshift(at);
    return found;
  }

  /** Those directly behind that fit. */
  async on(fact: Fact, fits: (one: Fact) => boolean): Promise<Fact[]> {
    const found: Fact[] = [];
    for (let at = await this.beside(fact, 1); at && fits(at) && found.length < GROUP_MAX; at = await this.beside(at, 1)) found.push(at);
    return found;
  }

  async next(fact: Fact, wanted: (one: Fact) => boolean): Promise<Fact | undefined> {
    return this.first(fact, 1, wanted);
  }

  async previous(fact: Fact, wanted: (one: Fact) => boolean): Promise<Fact | undefined> {
    return this.first(fact, -1, wanted);
  }

  private async first(fact: Fact, step: 1 | -1, wanted: (one: Fact) => boolean): Promise<Fact | undefined> {
    let at = await this.beside(fact, step);
    for (let steps = 0; at && !wanted(at) && steps < GROUP_MAX; steps += 1) at = await this.beside(at, step);
    return at;
  }

  private async beside({ stored }: Fact, step: 1 | -1): Promise<Fact | undefined> {
    const revision = stored.revision + step;
    const found = revision < 0 ? undefined : await eventAt(this.store, stored.stream, revision);
    const fact = found && factFrom(found);
    return fact?.metadata['requestId'] === this.requestId ? fact : undefined;
  }
}

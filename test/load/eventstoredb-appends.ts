import { randomUUID } from 'node:crypto';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { type EventStore, type NewEvent, NO_STREAM } from '@ledger/event-store';
import { PRICE_TABLE, PurchaseTokens, purchaseForUser, use, UseTokens, type WalletCommand } from '@ledger/wallet';
import { SystemClock } from '../../apps/ledger/src/wallets/clock';
import { OrganisationWallets } from '../../apps/ledger/src/wallets/organisation-wallets';
import { UserWallets } from '../../apps/ledger/src/wallets/user-wallets';
import type { WalletsContext } from '../../apps/ledger/src/wallets/wallets';

/** Work that is measured against the store: does one piece each time it is called, in one of several lanes. */
export interface Work {
  name: 'client' | 'adapter' | 'client alone' | 'adapter alone' | 'hot wallet';
  what: string;
  lanes: number;
  /** Resolves when the piece is durable. */
  once(lane: number): Promise<void>;
}

export const IN_FLIGHT = 64;
/** As many as a service with a busy wallet has waiting. */
const HOT_IN_FLIGHT = 2_048;
const EVENT = { type: 'TokensUsed', data: { tokens: 19, memo: 'x'.repeat(230) }, metadata: { actor: 'bench', requestId: 'x'.repeat(120) } };

const newStream = (): string => `userWallet-${randomUUID()}`;

/** The client library as its documentation shows it, but with exact revisions; one event an append. */
export function clientAppends(client: EventStoreDBClient, lanes: number): Work {
  const streams = Array.from({ length: lanes }, () => ({ name: newStream(), next: undefined as bigint | undefined }));
  return {
    name: lanes === 1 ? 'client alone' : 'client',
    what: lanes === 1 ? 'bare client, one stream, one after the other' : `bare client, ${lanes} in flight`,
    lanes,
    once: async (lane) => {
      const stream = streams[lane]!;
      const { nextExpectedRevision } = await client.appendToStream(stream.name, jsonEvent(EVENT), {
        expectedRevision: stream.next ?? 'no_stream',
      });
      stream.next = nextExpectedRevision;
    },
  };
}

/** The same events through the adapter. */
export function adapterAppends(store: EventStore, lanes: number): Work {
  const streams = Array.from({ length: lanes }, () => ({ name: newStream(), revision: NO_STREAM }));
  const event = (): NewEvent => ({
    id: randomUUID(),
    type: EVENT.type,
    data: JSON.stringify(EVENT.data),
    metadata: JSON.stringify(EVENT.metadata),
  });
  return {
    name: lanes === 1 ? 'adapter alone' : 'adapter',
    what: lanes === 1 ? 'adapter, one stream, one after the other' : `adapter, ${lanes} in flight`,
    lanes,
    once: async (lane) => {
      const stream = streams[lane]!;
      stream.revision = (await store.append(stream.name, stream.revision, [event()])).revision;
    },
  };
}

/** Usages of one wallet, decided in this process and gathered into appends by its mailbox. */
export async function hotWallet(store: EventStore): Promise<Work> {
  const settings = { attemptSeconds: 10, freeTokensPerMonth: 0, platformTimeZone: 'UTC', priceTable: PRICE_TABLE };
  // Commands without keys seek nothing in the index.
  const index: WalletsContext['index'] = {
    lookUp: () => ({ revision: Number.MAX_SAFE_INTEGER }),
    reached: () => Promise.resolve(true),
    membershipsOf: () => 0,
  };
  const context: WalletsContext = { store, clock: new SystemClock(), index, settings };
  const users = new UserWallets(context, new OrganisationWallets(context));
  const wallet = { kind: 'user' as const, id: `hot-${randomUUID()}` };
  await users.execute(made(PurchaseTokens, wallet, { tokens: 1_000_000_000, paymentReference: 'bench' }), purchaseForUser);
  return {
    name: 'hot wallet',
    what: `usages of one wallet through its mailbox, ${HOT_IN_FLIGHT} in flight`,
    lanes: HOT_IN_FLIGHT,
    once: async () => void (await users.execute(made(UseTokens, wallet, { tokens: 1, service: 'bench' }), use)),
  };
}

let requests = 0;

function made<Command extends WalletCommand>(of: new () => Command, wallet: Command['wallet'], body: Partial<Command>): Command {
  const requestId = `request-${(requests += 1)}`;
  return Object.assign(new of(), body, { wallet, envelope: { actor: 'bench', role: 'platform', requestId, correlationId: requestId } });
}

/** Pieces per second, with all lanes at work for so long. */
export async function measure(work: Work, seconds: number): Promise<number> {
  const until = performance.now() + seconds * 1_000;
  const began = performance.now();
  let done = 0;
  await Promise.all(
    Array.from({ length: work.lanes }, async (_, lane) => {
      while (performance.now() < until) {
        await work.once(lane);
        done += 1;
      }
    }),
  );
  return (done * 1_000) / (performance.now() - began);
}

import { type EventStore, load } from '@ledger/event-store';
import {
  chargeBillForUser,
  type Decision,
  type Envelope,
  type Given,
  Missing,
  PRICE_TABLE,
  purchaseForUser,
  RECENT_MAX,
  type RememberedEntry,
  seal,
  type SealedEvent,
  streamOf,
  use,
  type UserWallet,
  type WalletCommand,
  type WalletRef,
} from '@ledger/wallet';
import { hashing, uuidV7 } from '../../apps/ledger/src/wallets/hashing';
import { behaviourOf, recordedAs, userKind } from '../../apps/ledger/src/wallets/kept';

/** Makes one wallet's stream very long: real decisions on the wallet as it stands, sealed and written without queues. */

/** Events of one append. */
const TOGETHER = 1_000;
/** So many payments and bills leave nothing of earlier ones in the wallet's state; each comes after so many usages. */
const OTHERS = RECENT_MAX + 16;
const PURCHASE = 10_000;

/** Its own keys and references are new, so what the state has dropped need not be asked. */
class NeverHeardOf extends Map<string, RememberedEntry | null> {
  override get(): null {
    return null;
  }
}

/** Hosting that costs one member of a fourth course, of a month so many before the one that `at` lies in. */
const hosting = (at: number, months: number) => ({
  kind: 'hosting' as const,
  month: new Date(Date.UTC(new Date(at).getUTCFullYear(), new Date(at).getUTCMonth() - months, 1)).toISOString().slice(0, 7),
  campuses: [],
  courses: [1, 1, 1, 1],
  onShortfall: 'owe' as const,
});

/**
 * Appends `count` events to a wallet that is there: usages, with purchases and bills of long-gone months among them, each under a
 * key of its own. Nobody else may write to it meanwhile. Answers the revision of the last.
 */
export async function goOn(store: EventStore, userId: string, count: number, platformTimeZone: string): Promise<number> {
  const wallet: WalletRef = { kind: 'user', id: userId };
  const stream = streamOf(wallet);
  const behaviour = behaviourOf(userKind);
  const kept = await load(stream, store, behaviour);
  const last = kept.head.revision + count;
  const given: Given = {
    at: kept.at,
    newId: '',
    settings: { freeTokensPerMonth: 0, platformTimeZone, priceTable: PRICE_TABLE },
    policies: new Map(),
    older: new NeverHeardOf(),
    stored: new Map(),
    memberships: new Map(),
  };
  const every = Math.floor(count / OTHERS);
  let batch: SealedEvent[] = [];
  const tell = <Command extends WalletCommand>(decide: Decision<UserWallet, Command>, body: object, key: string): void => {
    const envelope: Envelope = {
      actor: 'generator',
      role: 'platform',
      requestId: key,
      correlationId: key,
      key,
      contentHash: hashing.sha256(key),
    };
    const events = decide(kept.wallet, { ...body, wallet, envelope } as unknown as Command, given);
    if (events instanceof Missing) throw new Error(`the generator cannot give ${JSON.stringify(events.wanted)}`);
    for (const event of events) {
      batch.push(seal(event, envelope, kept.head, hashing));
      userKind.fold(kept.wallet, event, recordedAs(event, kept.head.revision, envelope));
    }
  };
  let expected = kept.head.revision;
  for (let n = 0; kept.head.revision < last; n += 1) {
    given.newId = uuidV7(kept.at);
    if (n % every === 0) tell(purchaseForUser, { tokens: PURCHASE, paymentReference: `other-${n}` }, `pay-${n}`);
    else if (n % every === 1) tell(chargeBillForUser, hosting(kept.at, 2 + Math.floor(n / every)), `bill-${n}`);
    else tell(use, { tokens: 1, sources: ['purchased'] }, `use-${n}`);
    if (batch.length < TOGETHER && kept.head.revision < last) continue;
    await store.append(stream, expected, batch);
    expected = kept.head.revision;
    batch = [];
  }
  return expected;
}

import type { WalletCommand } from './commands';
import type { MemberStatus, Period, WalletEvent } from './events';
import type { PriceTable } from './pricing';
import { Refusal } from './refusal';
import type { EntryKind, Remembered, RememberedEntry, SoughtEntry } from './remembered';

/** The figures that the platform configures. */
export interface PlatformSettings {
  /** Default monthly allowance of a user wallet; frozen in UserWalletOpened. */
  freeTokensPerMonth: number;
  /** IANA zone of the months of free allowances. */
  platformTimeZone: string;
  priceTable: PriceTable;
}

/** What an organisation lets one user do with allocated tokens, as of `revision` of its stream. */
export interface Policy {
  organisationId: string;
  revision: number;
  timeZone: string;
  status: MemberStatus;
  /** False when suspended, also when removed after having been suspended. */
  usable: boolean;
  /** Of the usage meter. */
  limits: Record<Period, { limit: number | null; source: 'member' | 'default' }>;
}

/** Everything outside the wallet that a decision may look at. A decision is a pure function of wallet, command and this. */
export interface Given {
  /** Epoch ms: the later of the clock and the wallet's last event. */
  at: number;
  /** UUIDv7 minted for this command: id of the purchase, allocation or usage that it makes. */
  newId: string;
  settings: PlatformSettings;
  /** By organisation id; null when the organisation has no wallet. */
  policies: ReadonlyMap<string, Policy | null>;
  /** Entries that the recent ones of the wallet lack, by `kind:entry`; null when they do not exist. */
  older: ReadonlyMap<string, RememberedEntry | null>;
  /** Events of the wallet's own stream, by revision. */
  stored: ReadonlyMap<number, WalletEvent>;
  /** By user id: how many organisations have the user as a member, as far as this instance has read. Asked for new members only. */
  memberships: ReadonlyMap<string, number>;
}

/** A decision cannot be made yet: fetch this and decide again. */
export class Missing {
  constructor(readonly wanted: { organisationIds?: string[]; entry?: SoughtEntry; revision?: number; memberships?: string[] }) {}
}

/**
 * Says which events a command makes of a wallet. `[]` when there is nothing new to say.
 * @throws Refusal an expected "no"
 */
export type Decision<Wallet, Command extends WalletCommand> = (wallet: Wallet, command: Command, given: Given) => WalletEvent[] | Missing;

/** What became of a command: events to append (a refusal may have some too), or the first result of its key. */
export interface Verdict {
  events: WalletEvent[];
  refusal?: Refusal;
  /** The command was done before: its result begins at this revision of the stream. */
  replayOf?: number;
}

/** Decides a command. Its key comes first, before anything that looks at the clock or the state (design section 2, Idempotency). */
export function judge<Wallet extends { keys: Remembered }, Command extends WalletCommand>(
  wallet: Wallet,
  command: Command,
  given: Given,
  decide: Decision<Wallet, Command>,
): Verdict | Missing {
  const { key, contentHash } = command.envelope;
  try {
    if (key !== undefined) {
      const first = recall(wallet.keys, 'key', key, given);
      if (first instanceof Missing) return first;
      if (first?.contentHash === contentHash && first) return { events: [], replayOf: first.revision };
      if (first) throw new Refusal('KEY_REUSED', `The idempotency key "${key}" was used with other content; take a new key.`, { key });
    }
    const events = decide(wallet, command, given);
    return events instanceof Missing ? events : { events };
  } catch (error) {
    if (error instanceof Refusal) return { events: error.events, refusal: error };
    throw error;
  }
}

/** Looks an entry up among the recent ones, then among the older; Missing when the older ones must be asked first. */
export function recall(remembered: Remembered, kind: EntryKind, entry: string, given: Given): RememberedEntry | undefined | Missing {
  const recent = remembered.recent.get(entry);
  if (recent !== undefined || remembered.droppedRevision < 0) return recent;
  const older = given.older.get(`${kind}:${entry}`);
  if (older === undefined) return new Missing({ entry: { kind, entry, droppedRevision: remembered.droppedRevision } });
  return older ?? undefined;
}

export const invalid = (field: string, value: unknown, message: string): Refusal =>
  new Refusal('VALIDATION_FAILED', `${field.slice(1)} ${message}.`, { errors: [{ field, value, message }] });

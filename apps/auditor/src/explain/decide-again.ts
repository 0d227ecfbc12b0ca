import type { EventStore } from '@ledger/event-store';
import {
  canonical,
  type Decision,
  type Envelope,
  type Given,
  Missing,
  type PlatformSettings,
  Refusal,
  SettlementGap,
  streamOf,
  type UserWallet,
  type WalletCommand,
  type WalletEvent,
  type WalletRef,
} from '@ledger/wallet';
import { eventAt, factOf } from '../replay/facts';
import type { CommandGroup, Fact } from './command-group';
import { olderEntry, revisionAt, type TermsReader } from './past';

/** What came of deciding a command again. */
export interface Again {
  same: boolean;
  /** How the outcome differs from what is recorded, a sentence each. */
  differences: string[];
}

/** Everything that one decision is made of. */
export interface Case<Wallet> {
  store: EventStore;
  ref: WalletRef;
  /** As it stood before the command's first event. */
  wallet: Wallet;
  group: CommandGroup;
  settings: PlatformSettings;
  /** Id of the usage, purchase, allocation or bill that the command made. */
  newId: string;
  terms: TermsReader;
}

/** Fetches that one decision may want; more means that it asks in circles. */
const FETCHES_MAX = 8;

/** Decides a command again, by the ledger's own decision, on what it was decided on, and compares what comes of it. */
export async function decideAgain<Wallet extends object, Command extends WalletCommand>(
  one: Case<Wallet>,
  decide: Decision<Wallet, Command>,
  body: Omit<Command, 'wallet' | 'envelope'>,
): Promise<Again> {
  const { before, result, after } = one.group;
  const recorded = [...before, ...result, ...after];
  const command = { ...body, wallet: one.ref, envelope: envelopeOf(result[0]) } as Command;
  const given = givenFor(one);
  try {
    for (let fetches = 0; fetches <= FETCHES_MAX; fetches += 1) {
      const events = decide(one.wallet, command, given);
      if (!(events instanceof Missing)) return compare(recorded, events);
      await fetch(one, events, given);
    }
  } catch (error) {
    // An allocation is offered that cannot have come yet.
    if (error instanceof SettlementGap) return { same: false, differences: [`decided again it is impossible: ${error.message}`] };
    if (!(error instanceof Refusal)) throw error;
    return { same: false, differences: [`decided again it is refused (${error.code}): ${error.detail}`] };
  }
  return { same: false, differences: ['the decision asks for what the store does not have, again and again'] };
}

type GivenMaps = Given & {
  policies: Map<string, unknown>;
  older: Map<string, unknown>;
  stored: Map<number, WalletEvent>;
  memberships: Map<string, number>;
};

function givenFor<Wallet>({ group, settings, newId }: Case<Wallet>): GivenMaps {
  const at = Date.parse(group.result[0]?.event.data.at ?? '');
  return { at, newId, settings, policies: new Map(), older: new Map(), stored: new Map(), memberships: new Map() };
}

/** Members of a batch and their keys are not asked for again: their envelope is what their result carries. */
function envelopeOf(result: Fact | undefined): Envelope {
  const { actor = '', role = '', requestId = '', $correlationId = '', key, contentHash } = result?.metadata ?? {};
  return { actor, role, requestId, correlationId: $correlationId, ...(key !== undefined && { key, contentHash }) };
}

async function fetch<Wallet extends object>(
  { store, ref, group, terms, wallet }: Case<Wallet>,
  { wanted }: Missing,
  given: GivenMaps,
): Promise<void> {
  const first = [...group.before, ...group.result][0]?.stored.revision ?? 0;
  for (const id of wanted.organisationIds ?? []) {
    const found = await terms.at(id, ref.id, Math.max(await policyRevision(store, group, id), seenBefore(wallet, id)));
    given.policies.set(id, found?.policy ?? null);
  }
  const { entry, revision, memberships } = wanted;
  if (entry) given.older.set(`${entry.kind}:${entry.entry}`, await olderEntry(store, ref, entry.kind, entry.entry, first));
  for (const userId of memberships ?? []) given.memberships.set(userId, 0);
  if (revision === undefined) return;
  const stored = await eventAt(store, streamOf(ref), revision);
  if (stored) given.stored.set(revision, factOf(stored));
}

/** No draw uses an older revision of an organisation than its own stream has recorded, whatever the clocks say. */
const seenBefore = (wallet: object, organisationId: string): number =>
  (wallet as Partial<UserWallet>).relationships?.get(organisationId)?.policyRevision ?? -1;

/** The revision that the draw recorded; of an organisation that it came not to, the one of its instant. */
async function policyRevision(store: EventStore, { result }: CommandGroup, organisationId: string): Promise<number> {
  const event = result[0]?.event;
  const recorded = event?.type === 'TokensUsed' ? event.data.considered.find((one) => one.organisationId === organisationId) : undefined;
  if (recorded) return recorded.revision;
  return revisionAt(store, streamOf({ kind: 'organisation', id: organisationId }), event?.data.at ?? '');
}

/** To the letter: what is decided again is written as it would be stored. */
export function compare(recorded: readonly Fact[], again: readonly WalletEvent[]): Again {
  const differences: string[] = [];
  for (let index = 0; index < Math.max(recorded.length, again.length); index += 1) {
    const [was, now] = [recorded[index]?.event, again[index]];
    if (!was || !now || was.type !== now.type) {
      differences.push(`recorded is ${named(was)}, decided again it is ${named(now)}`);
      continue;
    }
    const [old, fresh] = [was.data as object as Fields, now.data as object as Fields];
    for (const field of new Set([...Object.keys(old), ...Object.keys(fresh)])) {
      const [a, b] = [textOf(old[field]), textOf(fresh[field])];
      if (a !== b) differences.push(`${field} of ${was.type} is recorded as ${a}, decided again it is ${b}`);
    }
  }
  return { same: differences.length === 0, differences };
}

type Fields = Record<string, unknown>;
const named = (event: WalletEvent | undefined): string => event?.type ?? 'no event';
const SHOWN_MAX = 400;

function textOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = canonical(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text;
}

import {
  accrueStorageForOrganisation,
  accrueStorageForUser,
  allocate,
  beginning,
  chargeBillForOrganisation,
  chargeBillForUser,
  type EventOf,
  freeNow,
  type Given,
  HOSTING,
  type OrganisationWallet,
  type PlatformSettings,
  purchaseForOrganisation,
  purchaseForUser,
  receiveAllocation,
  reverse,
  setFreeAllowance,
  type ShortfallPolicy,
  use,
  type UserWallet,
} from '@ledger/wallet';
import { type Again, type Case, compare, decideAgain } from './decide-again';
import type { CommandGroup } from './command-group';
import { possibleBodies, provenBody, type UsageBody } from './restrictions';

/** How an outcome was decided again. */
export interface DecidedAgain extends Again {
  /** What the command must have been, where its event does not say so. */
  assumed?: string;
}

export type UserCase = Case<UserWallet>;
export type OrganisationCase = Case<OrganisationWallet>;

/** Decides again what a user's wallet recorded; undefined for results that nothing is decided in. */
export async function userAgain(one: UserCase): Promise<DecidedAgain | undefined> {
  const event = one.group.result[0]?.event;
  switch (event?.type) {
    case 'TokensUsed':
      return usageAgain(one);
    case 'UsageReversed': {
      const { usageId, reason } = event.data;
      return decideAgain(one, reverse, { usageId, ...(reason !== undefined && { reason }) });
    }
    case 'TokensPurchased':
      return decideAgain(one, purchaseForUser, purchaseOf(event));
    case 'FreeAllowanceSet':
      return decideAgain(one, setFreeAllowance, { tokensPerMonth: event.data.tokensPerMonth });
    case 'AllocationReceived': {
      const { organisationId, allocationId, number, tokens } = event.data;
      return decideAgain(one, receiveAllocation, { organisationId, allocationId, number, tokens });
    }
    case 'BillCharged':
    case 'BillDeclined':
      return billAgain((policy) => decideAgain(one, chargeBillForUser, billOf(event, policy)));
    case 'StorageAccrued':
      return billAgain((policy) => decideAgain(one, accrueStorageForUser, storageOf(event, policy)));
    default:
      return undefined;
  }
}

/** What was written before the first event of a new wallet or month, where nothing but a refusal came after it. */
export function beginningAgain({ wallet, group: { before }, settings }: Pick<UserCase, 'wallet' | 'group' | 'settings'>): Again {
  const given: Given = {
    at: Date.parse(before[0]?.event.data.at ?? ''),
    newId: '',
    settings,
    policies: new Map(),
    older: new Map(),
    stored: new Map(),
    memberships: new Map(),
  };
  return compare(before, beginning(wallet, freeNow(wallet, given), given));
}

/** Decides again what an organisation's wallet recorded. */
export async function organisationAgain(one: OrganisationCase): Promise<DecidedAgain | undefined> {
  const event = one.group.result[0]?.event;
  switch (event?.type) {
    case 'TokensPurchased':
      return decideAgain(one, purchaseForOrganisation, purchaseOf(event));
    case 'TokensAllocated':
      return decideAgain(one, allocate, allocationOf(one.group, event));
    case 'BillCharged':
    case 'BillDeclined':
      return billAgain((policy) => decideAgain(one, chargeBillForOrganisation, billOf(event, policy)));
    case 'StorageAccrued':
      return billAgain((policy) => decideAgain(one, accrueStorageForOrganisation, storageOf(event, policy)));
    default:
      return undefined;
  }
}

async function usageAgain(one: UserCase): Promise<DecidedAgain> {
  const fact = one.group.result[0] as Parameters<typeof provenBody>[0];
  const proven = provenBody(fact, one.wallet);
  if (proven) {
    const again = await decideAgain(one, use, proven);
    return { ...again, assumed: `${restriction(proven)}, as the hash of what the caller sent proves` };
  }
  return firstSame(
    possibleBodies(fact.event),
    (body) => decideAgain(one, use, body),
    (body) => `taking it that ${restriction(body)}, which its content hash does not tell`,
  );
}

/** What the caller restricted the usage to. */
export function restriction({ organisationId, sources }: Pick<UsageBody, 'organisationId' | 'sources'>): string {
  const named = organisationId === undefined ? [] : [`allocated tokens of ${organisationId} alone`];
  if (sources && new Set(sources).size < 3) named.push(`the sources ${sources.join(' and ')}`);
  return named.length === 0 ? 'the caller restricted no source' : `the caller restricted it to ${named.join(' and ')}`;
}

/** The first that comes to what is recorded; when none does, how the first one differs. */
async function firstSame<One>(
  candidates: readonly One[],
  again: (one: One) => Promise<Again>,
  assumed: (one: One) => string | undefined,
): Promise<DecidedAgain> {
  let first: Again | undefined;
  for (const candidate of candidates) {
    const outcome = await again(candidate);
    const told = assumed(candidate);
    if (outcome.same) return told === undefined ? outcome : { ...outcome, assumed: told };
    first ??= outcome;
  }
  return first ?? { same: false, differences: ['nothing can have led to it'] };
}

/** What a bill does on shortfall is not in its event: one policy comes to the outcome, or both do, or none. */
async function billAgain(again: (policy: ShortfallPolicy) => Promise<Again>): Promise<DecidedAgain> {
  const [decline, owe] = [await again('decline'), await again('owe')];
  if (decline.same && owe.same) return decline;
  if (decline.same || owe.same)
    return { ...(decline.same ? decline : owe), assumed: `the bill said to ${decline.same ? 'decline' : 'owe'} what is missing` };
  return decline;
}

function purchaseOf({ data: { tokens, paymentReference, purchasedBy } }: EventOf<'TokensPurchased'>) {
  return { tokens, paymentReference, ...(purchasedBy !== undefined && { purchasedBy }) };
}

function allocationOf({ result }: CommandGroup, { data: { memo } }: EventOf<'TokensAllocated'>) {
  const lines = result.flatMap(({ event }) => (event.type === 'TokensAllocated' ? event.data.lines : []));
  return { lines: lines.map(([userId, tokens]) => ({ userId, tokens })), ...(memo !== undefined && { memo }) };
}

/** Campuses and courses that come to the breakdown: how the places lie on them makes no difference. */
function billOf({ data }: EventOf<'BillCharged'> | EventOf<'BillDeclined'>, policy: ShortfallPolicy) {
  const { billableCampuses = 0, billableCourses = 0, billablePlaces = 0 } = data.breakdown ?? {};
  const onCampuses = billableCampuses > 0 ? billablePlaces : 0;
  return {
    kind: 'hosting' as const,
    month: data.month,
    campuses: placed(billableCampuses, HOSTING.freeCampuses, onCampuses),
    courses: placed(billableCourses, HOSTING.freeCourses, billablePlaces - onCampuses),
    onShortfall: policy,
  };
}

function placed(billable: number, free: number, places: number): number[] {
  const members = Array.from({ length: billable + free }, () => 0);
  if (billable > 0) members[members.length - 1] = places;
  return members;
}

const storageOf = ({ data: { day, bytes } }: EventOf<'StorageAccrued'>, policy: ShortfallPolicy) => ({ day, bytes, onShortfall: policy });

/** Settings under which a group was decided: what a wallet was opened with is in its event. */
export function settingsOf(settings: PlatformSettings, { before }: CommandGroup): PlatformSettings {
  const opened = before.find(({ event }) => event.type === 'UserWalletOpened')?.event;
  return opened?.type === 'UserWalletOpened' ? { ...settings, freeTokensPerMonth: opened.data.freeTokensPerMonth } : settings;
}

export function newIdOf({ result, after }: CommandGroup): string {
  for (const { event } of [...result, ...after]) {
    const data = event.data as { usageId?: string; purchaseId?: string; allocationId?: string; billId?: string };
    const id = data.usageId ?? data.purchaseId ?? data.allocationId ?? data.billId;
    if (id !== undefined) return id;
  }
  return '';
}

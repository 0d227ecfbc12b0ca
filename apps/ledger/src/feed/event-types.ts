import type { EventType } from '@ledger/wallet';

/** A type that is missing here does not compile. */
const KNOWN: Record<EventType, true> = {
  OrganisationWalletOpened: true,
  TimeZoneSet: true,
  TokensPurchased: true,
  MemberPermitted: true,
  MemberSuspended: true,
  MemberResumed: true,
  MemberRemoved: true,
  LimitSet: true,
  LimitCleared: true,
  TokensAllocated: true,
  UserWalletOpened: true,
  FreeAllowanceSet: true,
  FreeAllowanceGranted: true,
  AllocationReceived: true,
  TokensUsed: true,
  UsageReversed: true,
  LimitReached: true,
  BillCharged: true,
  BillDeclined: true,
  StorageAccrued: true,
};

/** Every type of event that there is. */
export const EVENT_TYPES = Object.keys(KNOWN) as EventType[];

import type { EventType, OrganisationEvents, UserEvents } from './events';

/** The types of events by name; one that is missing here does not compile. */
const namesOf = <Type extends EventType>(types: Record<Type, true>): readonly Type[] => Object.keys(types) as Type[];

export const ORGANISATION_EVENT_TYPES = namesOf<keyof OrganisationEvents>({
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
  BillCharged: true,
  BillDeclined: true,
  StorageAccrued: true,
});

export const USER_EVENT_TYPES = namesOf<keyof UserEvents>({
  UserWalletOpened: true,
  FreeAllowanceSet: true,
  FreeAllowanceGranted: true,
  TokensPurchased: true,
  AllocationReceived: true,
  TokensUsed: true,
  UsageReversed: true,
  LimitReached: true,
  BillCharged: true,
  BillDeclined: true,
  StorageAccrued: true,
});

export const EVENT_TYPES: readonly EventType[] = [...new Set([...ORGANISATION_EVENT_TYPES, ...USER_EVENT_TYPES])];

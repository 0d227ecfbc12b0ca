import type { EventType } from '@ledger/wallet';

/** What each event says, in one sentence. */
export const DESCRIBED: Record<EventType, string> = {
  OrganisationWalletOpened: 'An organisation has a wallet now.',
  TimeZoneSet: 'The windows of the limits of an organisation follow another time zone from now on.',
  TokensPurchased: 'A wallet was credited with a package of tokens that was paid for.',
  MemberPermitted: 'Members may receive tokens from the organisation.',
  MemberSuspended: 'Members may neither receive nor draw on what was allocated to them.',
  MemberResumed: 'Members who were suspended may receive and draw again.',
  MemberRemoved: 'Members receive no more; what was allocated to them stays as it was.',
  LimitSet: 'The default limits of the organisation, or the overrides of members, are these now.',
  LimitCleared: 'Members have no limits of their own any more: the default holds.',
  TokensAllocated: 'One part of an allocation: tokens left the organisation for its members, who receive them by AllocationReceived.',
  UserWalletOpened: 'A user has a wallet now.',
  FreeAllowanceSet: 'The monthly free tokens of a user are these now.',
  FreeAllowanceGranted: 'A month has begun for this user: the unused free tokens lapsed, the allowance came.',
  AllocationReceived: 'A user received one line of an allocation.',
  TokensUsed: 'A service charged a user.',
  UsageReversed: 'A usage went back, whole, to where its tokens came from.',
  LimitReached: 'A member has nothing left of a limit; said once per relationship, window and limit value.',
  BillCharged: 'A month of hosting was charged to its owner; once per month.',
  BillDeclined: 'A bill was not covered and nothing was charged; once per kind and month. Uploads can be blocked on it.',
  StorageAccrued: 'A day of storage was accrued; once per day.',
};

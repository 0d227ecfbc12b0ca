import type { DefaultLimits, MemberStatus, WalletRef } from '@ledger/wallet';
import type {
  AllocationAnswer,
  AllocationDetail,
  BillAnswer,
  MemberAnswer,
  OrganisationAnswer,
  Page,
  PageRequest,
  StorageAnswer,
  UsageAnswer,
  UserAnswer,
} from './answers';
import type { PurchaseAnswer } from './purchases';

export interface MembersFilter extends PageRequest {
  /** Without it, everybody but the removed. */
  status?: MemberStatus;
  /** Suspended, or a usage window with nothing left. */
  blocked?: boolean;
}

export interface BillsFilter extends PageRequest {
  /** Without it, both. */
  kind?: 'hosting' | 'storage';
}

/**
 * Questions to this instance's read model. `now` is epoch ms: windows are read for that instant, without an event at
 * midnight. Undefined means that the thing does not exist.
 */
export abstract class Queries {
  abstract organisation(organisationId: string): OrganisationAnswer | undefined;
  abstract defaultLimits(organisationId: string): DefaultLimits | undefined;
  abstract member(organisationId: string, userId: string, now: number): MemberAnswer | undefined;
  abstract members(organisationId: string, filter: MembersFilter, now: number): Page<MemberAnswer>;
  abstract allocations(organisationId: string, page: PageRequest): Page<AllocationAnswer>;
  abstract allocation(organisationId: string, allocationId: string, page: PageRequest): AllocationDetail | undefined;
  /** A user never heard of reads as an empty wallet with the default allowance. */
  abstract user(userId: string, now: number): UserAnswer;
  abstract usage(userId: string, usageId: string): UsageAnswer | undefined;
  abstract usagesByReference(userId: string, reference: string, page: PageRequest): Page<UsageAnswer>;
  abstract bills(wallet: WalletRef, filter: BillsFilter): Page<BillAnswer>;
  abstract storage(wallet: WalletRef): StorageAnswer;
  abstract purchases(wallet: WalletRef, page: PageRequest): Page<PurchaseAnswer>;
}

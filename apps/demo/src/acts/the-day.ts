import type { Act } from '../day';
import { allocateExtra, allocateInBulk } from './allocate';
import { billLastMonth, billMembers, billOrganisations } from './bills';
import { buyPackages, openOrganisations } from './buy-packages';
import { converse } from './converse';
import { lookAround, trySuspended } from './look-around';
import { buyOwnTokens, grantAllowances } from './own-tokens';
import { repeatKeys, reverseSome } from './second-thoughts';
import { permitMembers, setDefaultLimits, setOverrides, suspendMembers } from './set-members';

/** One school's day in the order in which it happens. A new act is a line here and a file beside it. */
export const THE_DAY: readonly Act[] = [
  openOrganisations,
  billLastMonth,
  buyPackages,
  setDefaultLimits,
  permitMembers,
  setOverrides,
  allocateInBulk,
  allocateExtra,
  grantAllowances,
  buyOwnTokens,
  suspendMembers,
  converse,
  trySuspended,
  repeatKeys,
  reverseSome,
  billOrganisations,
  billMembers,
  lookAround,
];

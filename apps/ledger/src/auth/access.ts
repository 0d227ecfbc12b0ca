import { Problem } from '../http/problem';
import type { Principal } from './principal';

/**
 * Who may, as design.md section 5 says. What mints or spends tokens follows a payment or a service, never a click: it is the
 * platform's alone. An admin works on the one organisation of its token, a member reads the one wallet of its own.
 */
export type Access = keyof typeof RULES;

type Ids = Readonly<Record<string, string | undefined>>;
interface Rule {
  may(principal: Principal, ids: Ids): boolean;
  needed(ids: Ids): string[];
}

const isAdminOf = (principal: Principal, ids: Ids) =>
  principal.role === 'admin' && principal.organisation !== undefined && principal.organisation === ids['organisationId'];
const isMember = (principal: Principal, ids: Ids) => principal.role === 'member' && principal.actor === ids['userId'];

const RULES = {
  /** Purchases, usages, reversals, free allowances: tokens come or go. */
  platform: {
    may: (principal) => principal.role === 'platform',
    needed: () => ['platform'],
  },
  /** Members, limits, allocations and the time zone of one organisation. */
  organisationCommand: {
    may: (principal, ids) => principal.role === 'platform' || isAdminOf(principal, ids),
    needed: (ids) => ['platform', `admin of ${ids['organisationId']}`],
  },
  organisationRead: {
    may: (principal, ids) => principal.role === 'platform' || principal.role === 'auditor' || isAdminOf(principal, ids),
    needed: (ids) => ['platform', 'auditor', `admin of ${ids['organisationId']}`],
  },
  /** A user's own tokens: never an admin's to see. */
  userRead: {
    may: (principal, ids) => principal.role === 'platform' || principal.role === 'auditor' || isMember(principal, ids),
    needed: (ids) => ['platform', 'auditor', `member ${ids['userId']}`],
  },
  /** Events of every wallet; which of them, and what of them, feed/audience.ts says. */
  events: {
    may: ({ role, organisation }) => role !== undefined && (role !== 'admin' || organisation !== undefined),
    needed: () => ['platform', 'auditor', 'admin of an organisation', 'member'],
  },
  /** Prices are no secret, but nothing is open. */
  anyRole: {
    may: (principal) => principal.role !== undefined,
    needed: () => ['platform', 'admin', 'member', 'auditor'],
  },
} as const satisfies Record<string, Rule>;

/** @throws Problem FORBIDDEN, naming what would be needed */
export function requireAccess(access: Access, principal: Principal, ids: Ids): void {
  const rule: Rule = RULES[access];
  if (rule.may(principal, ids)) return;
  const needed = rule.needed(ids);
  const role = principal.role === undefined ? 'a token without a role' : `the role ${principal.role}`;
  throw new Problem('FORBIDDEN', `This needs the role ${needed.join(' or ')}; it was asked with ${role}.`, { needed });
}

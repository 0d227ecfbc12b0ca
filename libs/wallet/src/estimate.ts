import { HOSTING, hostingOf, type HostingBreakdown, STORAGE } from './hosting-and-storage';
import { tokensForCost, type PriceTable } from './pricing';

/** The planning calculator (design.md, section 2, Estimate): numbers in, breakdown out, the same as the published page's. */

/** A conversation of the published example costs 0.10 EUR before the platform's percentage. */
const CONVERSATION_COST_EUROS = '0.10';
const MONTHS_PER_YEAR = 12;

export interface EstimateInput {
  /** Members of each, oldest first. */
  campuses: readonly number[];
  courses: readonly number[];
  /** A decimal number, at most nine digits after the point: whole bytes. */
  storageGigabytes: string;
  members: number;
  /** AI budget of each member, a decimal with at most two digits after the point. */
  eurosPerMember: string;
}

export interface Estimate {
  tokensPerMonth: number;
  listPriceCentsPerMonth: number;
  listPriceCentsPerYear: number;
  hosting: HostingBreakdown & { tokens: number };
  storage: { tokens: number; billableGigabytes: string };
  memberAi: { tokens: number; members: number; tokensPerMember: number; conversationsPerMember: number };
  /** What of the input costs nothing, and why. */
  free: FreeOfCharge[];
}

export interface FreeOfCharge {
  what: 'campuses' | 'courses' | 'gigabytes';
  /** How many of them, as an exact decimal. */
  amount: string;
  why: string;
}

/** Decimal texts that the calculator takes: with 10^7 members at 99,999.99 EUR a year stays below 2^53 cents. */
export const GIGABYTES_PATTERN = /^\d{1,9}(\.\d{1,9})?$/;
export const EUROS_PER_MEMBER_PATTERN = /^\d{1,5}(\.\d{1,2})?$/;

export function estimate(input: EstimateInput, table: PriceTable): Estimate {
  const hosting = hostingOf(input.campuses, input.courses);
  const storage = storageOfMonth(input.storageGigabytes);
  // 1 token is 1 cent.
  const tokensPerMember = Number(scaled(input.eurosPerMember, 2));
  const tokensPerConversation = tokensForCost(CONVERSATION_COST_EUROS, table) ?? 1;
  const memberAi = {
    tokens: input.members * tokensPerMember,
    members: input.members,
    tokensPerMember,
    conversationsPerMember: Math.floor(tokensPerMember / tokensPerConversation),
  };
  const tokensPerMonth = hosting.tokens + storage.tokens + memberAi.tokens;
  const listPriceCentsPerMonth = tokensPerMonth * table.centsPerToken;
  const listPriceCentsPerYear = listPriceCentsPerMonth * MONTHS_PER_YEAR;
  return { tokensPerMonth, listPriceCentsPerMonth, listPriceCentsPerYear, hosting, storage, memberAi, free: freeOf(input) };
}

function freeOf({ campuses, courses, storageGigabytes }: EstimateInput): FreeOfCharge[] {
  const bytes = scaled(storageGigabytes, 9);
  const freeBytes = BigInt(STORAGE.freeGigabytes * STORAGE.bytesPerGigabyte);
  const all: FreeOfCharge[] = [
    { what: 'campuses', amount: String(Math.min(campuses.length, HOSTING.freeCampuses)), why: 'The first (oldest) campus is free.' },
    { what: 'courses', amount: String(Math.min(courses.length, HOSTING.freeCourses)), why: 'The first three (oldest) courses are free.' },
    { what: 'gigabytes', amount: unscaled(bytes < freeBytes ? bytes : freeBytes, 9), why: 'The first gigabyte (10^9 bytes) is free.' },
  ];
  return all.filter(({ amount }) => amount !== '0');
}

/** A whole month at once, rounded half up; the daily accrual charges the same without rounding. */
function storageOfMonth(gigabytes: string): Estimate['storage'] {
  const free = BigInt(STORAGE.freeGigabytes * STORAGE.bytesPerGigabyte);
  const bytes = scaled(gigabytes, 9);
  const billable = bytes > free ? bytes - free : 0n;
  const half = 50n * BigInt(STORAGE.bytesPerGigabyte);
  const tokens = (billable * BigInt(STORAGE.centitokensPerGigabyte) + half) / (100n * BigInt(STORAGE.bytesPerGigabyte));
  return { tokens: Number(tokens), billableGigabytes: unscaled(billable, 9) };
}

/** A decimal text as an integer of its smallest places. */
function scaled(text: string, places: number): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(places, '0'));
}

function unscaled(value: bigint, places: number): string {
  const digits = String(value).padStart(places + 1, '0');
  const fraction = digits.slice(-places).replace(/0+$/, '');
  return digits.slice(0, -places) + (fraction === '' ? '' : `.${fraction}`);
}

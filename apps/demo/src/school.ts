import type { Conversation } from './conversations';
import { costEuros, tokensFor } from './price';
import { shuffled, zipf } from './random';

export const MEMBERS = 500;
const FIRST =
  'ada ben carla dario emil fatma greta hana ivo jana karim lena mateo nora oskar paula quirin rosa sami tilda uwe vera willi xenia yuna'.split(
    ' ',
  );
const LAST =
  'adler bauer conrad demir ebert fuchs graf hahn ilic jung keller lorenz maurer novak otto peters richter sommer tanaka vogt'.split(' ');

export interface Organisation {
  id: string;
  timeZone: string;
  members: string[];
}

/** A conversation with its member and its price. */
export interface Usage {
  row: number;
  userId: string;
  variableCostEuros: string;
  /** What the ledger must charge. */
  tokens: number;
}

/** Who plays which part. Heavy members come first in `byRank`. */
export interface School {
  seed: number;
  organisations: Organisation[];
  byRank: string[];
  usages: Usage[];
  /** Tokens that every member would like to spend today. */
  demand: Map<string, number>;
  /** Chosen from the day's demand: some twenty members would spend more, all others less. */
  dailyLimit: number;
  monthlyLimit: number;
  allocationDailyLimit: number;
  /** What every member is allocated: more than the limit lets through, so that it is the limit that bites. */
  tokensPerMember: number;
  cast: Cast;
}

export interface Cast {
  /** Heaviest of all; an override lifts the limits. */
  unlimited: string;
  /** Buy their own tokens and go on when their limits are used up. */
  buyers: string[];
  /** An override makes the month tighter than the default day. */
  tightMonth: string[];
  /** An override makes the day tighter. */
  tightDay: string[];
  suspended: string[];
  /** Permitted, but not in the bulk allocation. */
  newcomers: string[];
  /** Leaves; what was allocated stays usable. */
  leaver: string;
  /** Have free tokens each month. */
  allowed: string[];
}

/** Rank (0 = heaviest) at which the day's demand sets the limit. */
const LIMITED_RANK = 20;
const DAILY_LIMIT_MIN = 4;
export const ALLOWANCE_TOKENS = 20;

export function castSchool(seed: number, conversations: readonly Conversation[]): School {
  const everybody = FIRST.flatMap((first) => LAST.map((last) => `${first}.${last}`)).slice(0, MEMBERS);
  // Twenty belong to both.
  const organisations = [
    { id: 'nordstadt-gymnasium', timeZone: 'Europe/Berlin', members: everybody.filter((_, index) => index < 300) },
    { id: 'harbour-college', timeZone: 'America/New_York', members: everybody.filter((_, index) => index >= 280) },
  ];
  const byRank = shuffled(seed, everybody);
  const pick = zipf(byRank.length);
  const usages = conversations.map((conversation) => ({
    row: conversation.row,
    userId: byRank[pick(seed, conversation.row)]!,
    variableCostEuros: costEuros(conversation),
    tokens: tokensFor(conversation),
  }));
  const demand = new Map(byRank.map((userId) => [userId, 0]));
  for (const { userId, tokens } of usages) demand.set(userId, demand.get(userId)! + tokens);
  const limited = [...demand.values()].sort((a, b) => b - a)[LIMITED_RANK]!;
  const dailyLimit = Math.max(DAILY_LIMIT_MIN, roundDown(limited));
  return {
    seed,
    organisations,
    byRank,
    usages,
    demand,
    dailyLimit,
    monthlyLimit: dailyLimit * 10,
    allocationDailyLimit: dailyLimit * 4,
    tokensPerMember: dailyLimit * 2,
    cast: {
      unlimited: byRank[0]!,
      buyers: byRank.slice(1, 4),
      tightMonth: byRank.slice(6, 8),
      tightDay: byRank.slice(25, 28),
      suspended: byRank.slice(30, 35),
      newcomers: byRank.slice(40, 43),
      leaver: byRank[44]!,
      allowed: byRank.filter((_, rank) => rank >= 50 && rank % 9 === 5),
    },
  };
}

/** Down to two digits that are easy to read: 157 -> 150, 23 -> 23. */
function roundDown(tokens: number): number {
  let unit = 1;
  while (Math.trunc(tokens / unit) >= 100) unit *= 10;
  return tokens - (tokens % unit);
}

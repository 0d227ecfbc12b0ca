import fc from 'fast-check';
import type { ShortfallPolicy, Source } from '../events';

/** Random commands over a few organisations and users, as small numbers that a world makes commands of. */

export const ORGANISATIONS = ['acme', 'beta', 'ceta'] as const;
export const USERS = ['u0', 'u1', 'u2', 'u3'] as const;
export const ZONES = [
  'UTC',
  'Europe/Berlin',
  'Asia/Tokyo',
  'America/St_Johns',
  'Pacific/Kiritimati',
  'Etc/GMT+12',
  'America/New_York',
] as const;
/** Just before a month's end, a year's end, a leap day, and both kinds of clock change. */
export const STARTS = [
  '2026-11-29T20:00:00.000Z',
  '2026-12-31T09:30:00.000Z',
  '2028-02-28T22:00:00.000Z',
  '2027-03-27T21:00:00.000Z',
  '2027-10-30T20:00:00.000Z',
];

const HOUR_MS = 3_600_000;

const organisationId = fc.constantFrom(...ORGANISATIONS);
const userId = fc.constantFrom(...USERS);
const timeZone = fc.constantFrom(...ZONES);
const few = fc.integer({ min: 1, max: 40 });
const sip = fc.integer({ min: 1, max: 15 });
const limit = fc.oneof(fc.constant(null), fc.constant(0), fc.integer({ min: 1, max: 40 }));
const periods = fc.record({ daily: limit, monthly: limit }, { requiredKeys: [] });
const limits = fc.record({ usage: periods, allocation: periods }, { requiredKeys: [] });
const keyed = fc.boolean();
const status = fc.constantFrom('permitted' as const, 'suspended' as const);
const nth = fc.nat({ max: 1_000 });

/** Relative to now; at 72 h and 60 s on both sides of what is allowed. */
const lateness = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(0, -1, -HOUR_MS, -20 * HOUR_MS, -47 * HOUR_MS, -72 * HOUR_MS, 60_000) },
  { weight: 1, arbitrary: fc.constantFrom(-72 * HOUR_MS - 1, 60_001) },
);

/** Milliseconds; or the next midnight or month of some zone, or the millisecond before it. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(0, 1, 60_000, HOUR_MS, 7 * HOUR_MS) },
  { weight: 2, arbitrary: fc.constantFrom(25 * HOUR_MS, 73 * HOUR_MS, 85 * HOUR_MS, 33 * 24 * HOUR_MS) },
  { weight: 2, arbitrary: fc.constantFrom(-1, -60_000, -HOUR_MS, -26 * HOUR_MS) },
  {
    weight: 4,
    arbitrary: fc.record({ timeZone, of: fc.constantFrom('daily' as const, 'monthly' as const), before: fc.constantFrom(0, 1) }),
  },
);

/** Organisations own storage and hosting, and so do users. */
const owner = fc.constantFrom<string[]>(...ORGANISATIONS, ...USERS);
const onShortfall = fc.constantFrom<ShortfallPolicy>('decline', 'decline', 'owe');

const allSources: Source[] = ['free', 'allocated', 'purchased'];

const kinds = {
  nothing: fc.record({ kind: fc.constant('nothing' as const) }),
  clock: fc.record({ kind: fc.constant('clock' as const), step }),
  open: fc.record({ kind: fc.constant('open' as const), organisationId, timeZone, keyed }),
  buy: fc.record({
    kind: fc.constant('buy' as const),
    organisationId,
    tokens: fc.integer({ min: 199, max: 260 }),
    payment: fc.nat({ max: 12 }),
    keyed,
  }),
  member: fc.record({ kind: fc.constant('member' as const), organisationId, userId, status, keyed }),
  remove: fc.record({ kind: fc.constant('remove' as const), organisationId, userId, keyed }),
  members: fc.record({
    kind: fc.constant('members' as const),
    organisationId,
    lines: fc.array(fc.record({ userId, status, limits: fc.option(limits, { nil: null }) }, { requiredKeys: ['userId', 'status'] }), {
      minLength: 1,
      maxLength: 3,
    }),
    keyed,
  }),
  defaults: fc.record({ kind: fc.constant('defaults' as const), organisationId, limits, keyed }),
  override: fc.record({ kind: fc.constant('override' as const), organisationId, userId, limits, keyed }),
  clear: fc.record({ kind: fc.constant('clear' as const), organisationId, userId, keyed }),
  allocate: fc.record({
    kind: fc.constant('allocate' as const),
    organisationId,
    lines: fc.array(fc.record({ userId, tokens: few }), { minLength: 1, maxLength: 4 }),
    keyed,
  }),
  settle: fc.record({
    kind: fc.constant('settle' as const),
    nth,
    how: fc.constantFrom('next' as const, 'next' as const, 'repeat' as const, 'gap' as const),
  }),
  buyOwn: fc.record({
    kind: fc.constant('buyOwn' as const),
    userId,
    tokens: fc.integer({ min: 199, max: 210 }),
    payment: fc.nat({ max: 40 }),
    keyed,
  }),
  allowance: fc.record({ kind: fc.constant('allowance' as const), userId, tokensPerMonth: fc.nat({ max: 60 }), keyed }),
  use: fc.record(
    {
      kind: fc.constant('use' as const),
      userId,
      amount: fc.oneof({ weight: 6, arbitrary: sip }, { weight: 1, arbitrary: fc.constantFrom('0.10', '0.25', '0.001', '0.05') }),
      keyed,
      organisationId: fc.oneof({ weight: 12, arbitrary: organisationId }, { weight: 1, arbitrary: fc.constant('ghost') }),
      // Mostly allocated tokens alone: there is where limits are.
      sources: fc.oneof(fc.constant<Source[]>(['allocated']), fc.subarray(allSources, { minLength: 1 }), fc.constant(allSources)),
      late: lateness,
    },
    { requiredKeys: ['kind', 'userId', 'amount', 'keyed', 'sources'] },
  ),
  reverse: fc.record({ kind: fc.constant('reverse' as const), userId, nth, keyed }),
  hosting: fc.record({
    kind: fc.constant('hosting' as const),
    owner,
    /** Months before this one; below zero they are to come. */
    back: fc.oneof({ weight: 8, arbitrary: fc.nat({ max: 5 }) }, { weight: 1, arbitrary: fc.constant(-1) }),
    /** Members of each; the first campus and the first three courses are free. */
    campuses: fc.array(fc.nat({ max: 4 }), { maxLength: 3 }),
    courses: fc.array(fc.nat({ max: 3 }), { maxLength: 5 }),
    onShortfall,
    keyed,
  }),
  storage: fc.record({
    kind: fc.constant('storage' as const),
    owner,
    /** Days before today, or a text that no calendar has. */
    back: fc.oneof({ weight: 12, arbitrary: fc.integer({ min: -1, max: 5 }) }, { weight: 1, arbitrary: fc.constant('2027-02-29') }),
    bytes: fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 400_000_000_000 }) },
      { weight: 2, arbitrary: fc.constantFrom(0, 999_999_999, 1_000_000_000, 1_000_000_001, 1_001_000_000_000) },
    ),
    onShortfall,
    keyed,
  }),
  repeat: fc.record({ kind: fc.constant('repeat' as const), nth, other: fc.boolean() }),
};

export type Move = {
  [Kind in keyof typeof kinds]: (typeof kinds)[Kind] extends fc.Arbitrary<infer Value> ? Value : never;
}[keyof typeof kinds];
export type MoveOf<Kind extends Move['kind']> = Extract<Move, { kind: Kind }>;

const weights: Partial<Record<keyof typeof kinds, number>> = {
  use: 14,
  settle: 8,
  allocate: 7,
  clock: 5,
  reverse: 4,
  storage: 5,
  hosting: 4,
  repeat: 4,
  allowance: 2,
  defaults: 2,
  member: 2,
  buy: 2,
};

/** A failing run shrinks towards moves that do nothing, so that the few that matter remain. */
export const move: fc.Arbitrary<Move> = fc.oneof(
  { withCrossShrink: true },
  ...Object.entries(kinds).map(([kind, arbitrary]) => ({
    weight: weights[kind as keyof typeof kinds] ?? 1,
    arbitrary: arbitrary as fc.Arbitrary<Move>,
  })),
);

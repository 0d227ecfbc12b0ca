import fc from 'fast-check';
import { type Move, move, ORGANISATIONS, STARTS, USERS, ZONES } from './moves';

/** Random histories: what a world is set to, and what happens in it. Shared by all that looks at what random commands leave behind. */

const MOVES = 110;

export const histories = fc.record({
  start: fc.constantFrom(...STARTS),
  platformTimeZone: fc.constantFrom(...ZONES),
  freeTokensPerMonth: fc.constantFrom(0, 15),
  moves: fc.array(move, { minLength: MOVES, maxLength: MOVES }),
});

/** Before its moves: everybody is there and has something, so that few commands fail for lack of it. */
export const beginning: Move[] = ORGANISATIONS.flatMap((organisationId, index): Move[] => [
  { kind: 'open', organisationId, timeZone: ZONES[index] ?? 'UTC', keyed: false },
  { kind: 'buy', organisationId, tokens: 250, payment: 0, keyed: true },
  { kind: 'members', organisationId, lines: USERS.map((userId) => ({ userId, status: 'permitted' })), keyed: true },
  { kind: 'allocate', organisationId, lines: USERS.map((userId) => ({ userId, tokens: 40 })), keyed: true },
  ...USERS.map((): Move => ({ kind: 'settle', nth: 0, how: 'next' })),
]);

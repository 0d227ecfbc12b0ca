import { type Charge, type EventOf, sumOf } from '@ledger/wallet';
import type { EntryLog } from './entries';
import type { Fingerprint } from './fingerprint';
import type { Place, Surroundings } from './surroundings';
import { giveBack, pruneCounters, relationshipOf, type Touched, usedIn, type UserState } from './user-state';

/** The rules of reversals. A usage may be long ago: what a reversal must agree in with it is entered as a digest, and joined at the end. */

/** What can be said without the usage itself; `join.ts` compares the two. */
export function checkReversal(
  state: UserState,
  data: EventOf<'UsageReversed'>['data'],
  place: Place,
  { entries, flows }: Surroundings,
): Touched {
  const { fault } = place;
  const { usageId, tokens, returned, lapsed, windows } = data;
  // Counters of windows before this day were dropped, so those could not be given back.
  entries.add('reversal', place.position, Number(state.keptSince.replaceAll('-', '')), usageId);
  if (lapsed === 0) entries.add('returned', place.position, returning(entries, state.id, data), usageId);
  if (sumOf(returned) + lapsed !== tokens) fault('amounts', 'what is returned and lapsed together', tokens, sumOf(returned) + lapsed);
  const back = new Map<string, number>();
  let free = false;
  let purchased = false;
  for (const { source, organisationId = '', tokens: each } of returned) {
    if (source === 'free') {
      free = true;
      state.free += each;
    } else if (source === 'purchased') {
      purchased = true;
      state.purchased += each;
    } else {
      back.set(organisationId, each);
      relationshipOf(state, organisationId).tokens += each;
      state.allocated += each;
    }
  }
  for (const { organisationId, window, used } of windows) {
    const before = usedIn(state, relationshipOf(state, organisationId), window);
    const wanted = Math.max(0, (before ?? 0) - (back.get(organisationId) ?? 0));
    if (before === undefined || used !== wanted) fault('window', `what is used in ${window} of ${organisationId}`, wanted, used);
  }
  // Decided before old counters are dropped, counted after it: as the ledger does.
  pruneCounters(state, place.day, place.at);
  for (const { organisationId, window, used } of windows) giveBack(state, relationshipOf(state, organisationId), window, used);
  flows.usage.add(-tokens);
  flows.lapsed.add(lapsed);
  return { free, purchased, allocated: [...back.keys()] };
}

/** What a usage says that is returned in full. */
export function returnable(entries: EntryLog, userId: string, data: EventOf<'TokensUsed'>['data']): number {
  const digest = entries.digest();
  takeCharges(digest, userId, data.tokens, data.freeMonth, data.charged);
  for (const { organisationId, tokens, windows } of data.considered) {
    if (tokens === 0) continue;
    takeWindow(digest, organisationId, windows.daily.window);
    takeWindow(digest, organisationId, windows.monthly.window);
  }
  return digest.extra();
}

/** The same, when the reversal returns in full what the usage says. */
function returning(entries: EntryLog, userId: string, data: EventOf<'UsageReversed'>['data']): number {
  const digest = entries.digest();
  const returnsFree = data.returned.some(({ source }) => source === 'free');
  takeCharges(digest, userId, data.tokens, returnsFree ? data.balanceAfter.free?.month : undefined, data.returned);
  for (const { organisationId, window } of data.windows) takeWindow(digest, organisationId, window);
  return digest.extra();
}

function takeCharges(digest: Fingerprint, userId: string, tokens: number, freeMonth: string | undefined, charges: readonly Charge[]): void {
  digest.text(userId);
  digest.number(tokens);
  digest.text(freeMonth ?? '');
  digest.number(charges.length);
  for (const { source, organisationId, tokens: each } of charges) {
    digest.number(SOURCES.indexOf(source));
    if (organisationId !== undefined) digest.text(organisationId);
    digest.number(each);
  }
}

const SOURCES: readonly Charge['source'][] = ['free', 'allocated', 'purchased'];

function takeWindow(digest: Fingerprint, organisationId: string, window: string): void {
  digest.text(organisationId);
  digest.text(window);
}

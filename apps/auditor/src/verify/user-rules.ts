import { FREE_TOKENS_MAX, type UserEvent, windowsAt } from '@ledger/wallet';
import { checkBill } from './bill-rules';
import { checkReached, checkUsage } from './draw-rules';
import { checkPurchase } from './purchase-rules';
import { checkReversal } from './reversal-rules';
import type { Place, Surroundings } from './surroundings';
import { checkBalance, pruneCounters, relationshipOf, type Touched, type UserState } from './user-state';

/** Judges one event of a user by the wallet before it, and applies it. */
export function checkUserEvent(state: UserState, event: UserEvent, place: Place, around: Surroundings): void {
  const { fault } = place;
  checkOpened(state, event, place);
  if (state.reachedNext.length > 0 && event.type !== 'LimitReached') missingReached(state, place);
  if (event.type !== 'BillDeclined') state.declinedDay = undefined;
  if (event.type === 'UserWalletOpened') return opened(state, event.data, place);
  if (event.type === 'FreeAllowanceGranted') return granted(state, event.data, place, around);
  checkMonth(state, place, around);
  let touched: Touched = {};
  switch (event.type) {
    case 'FreeAllowanceSet':
      allowanceSet(state, event.data, place, around);
      touched = { free: true };
      break;
    case 'TokensPurchased': {
      const credited = checkPurchase(state, event.data, place, around);
      state.purchased += credited;
      touched = { purchased: true };
      break;
    }
    case 'AllocationReceived':
      received(state, event.data, place, around);
      touched = { allocated: [event.data.organisationId] };
      break;
    case 'TokensUsed':
      touched = checkUsage(state, event.data, place, around);
      break;
    case 'UsageReversed':
      touched = checkReversal(state, event.data, place, around);
      break;
    case 'LimitReached':
      checkReached(state, event.data, place, around);
      break;
    case 'BillCharged':
    case 'BillDeclined':
    case 'StorageAccrued': {
      const funds = [{ source: 'free' as const, tokens: state.free }, { source: 'purchased' as const, tokens: state.purchased }]; // prettier-ignore
      const charged = checkBill(state, funds, event, place, around);
      for (const { source, tokens } of charged) {
        if (source === 'free') state.free -= tokens;
        else state.purchased -= tokens;
      }
      touched = { free: charged.some(({ source }) => source === 'free'), purchased: charged.some(({ source }) => source === 'purchased') };
      break;
    }
    default:
      return event satisfies never;
  }
  pruneCounters(state, place.day, place.at);
  if ('balanceAfter' in event.data) checkBalance(state, event.data.balanceAfter, touched, fault);
}

/** At the end of a stream: nothing may be left to be said. */
export function checkUserEnd(state: UserState, place: Place): void {
  if (state.reachedNext.length > 0) missingReached(state, place);
}

function missingReached(state: UserState, { fault }: Place): void {
  for (const next of state.reachedNext) fault('limit-reached', 'what follows the draw', { LimitReached: next }, 'no such event');
  state.reachedNext = [];
}

function checkOpened(state: UserState, { type }: UserEvent, { fault }: Place): void {
  const opens = type === 'UserWalletOpened';
  if (opens === state.opened) fault('opened', 'the event', state.opened ? 'one of a wallet that is open' : 'UserWalletOpened', type);
  state.opened = true;
}

type Data<Type extends UserEvent['type']> = Extract<UserEvent, { type: Type }>['data'];

function opened(state: UserState, { userId, freeTokensPerMonth, balanceAfter }: Data<'UserWalletOpened'>, { fault }: Place): void {
  if (userId !== state.id) fault('opened', 'userId', state.id, userId);
  state.tokensPerMonth = freeTokensPerMonth;
  checkBalance(state, balanceAfter, {}, fault);
}

function granted(state: UserState, data: Data<'FreeAllowanceGranted'>, place: Place, { flows, platformTimeZone }: Surroundings): void {
  const { fault } = place;
  const { month, tokens, lapsed, balanceAfter } = data;
  if (month <= state.month) fault('month', 'the month', `after ${state.month}`, month);
  const [first, last] = monthsOf(place.at, platformTimeZone);
  if (month < first || month > last) fault('month', 'the month', first === last ? first : `${first} or ${last}`, month);
  if (tokens !== state.tokensPerMonth) fault('grant', 'the allowance', state.tokensPerMonth, tokens);
  if (lapsed !== state.free) fault('grant', 'what lapsed', state.free, lapsed);
  if (tokens === 0 && lapsed === 0) fault('grant', 'the grant', 'of something', 0);
  flows.lapsed.add(lapsed);
  flows.granted.add(tokens);
  Object.assign(state, { free: state.free - lapsed + tokens, month, granted: tokens });
  checkBalance(state, balanceAfter, { free: true }, fault);
}

/** Before any other event of a new month the rest lapses and the allowance is granted. */
function checkMonth(state: UserState, { fault, at: instant, day }: Place, { platformTimeZone }: Surroundings): void {
  // The month of UTC is a day behind at most, so most events need no closer look.
  if ((state.month !== '' && day.startsWith(state.month)) || day.slice(0, 7) <= state.month) return;
  if (state.free === 0 && state.tokensPerMonth === 0) return;
  const [first] = monthsOf(instant, platformTimeZone);
  if (first > state.month)
    fault(
      'grant',
      'the event before it',
      `FreeAllowanceGranted of ${first}`,
      `a wallet with the free tokens of ${state.month || 'no month'}`,
    );
}

function allowanceSet(state: UserState, data: Data<'FreeAllowanceSet'>, place: Place, { flows, platformTimeZone }: Surroundings): void {
  const { fault } = place;
  const { tokensPerMonth, added, month } = data;
  const [first, last] = monthsOf(place.at, platformTimeZone);
  if (month < state.month) fault('month', 'the month', `${state.month} or later`, month);
  else if (month === state.month ? first > month : month < first || month > last) fault('month', 'the month', `${first} to ${last}`, month);
  if (month > state.month && (state.free > 0 || state.tokensPerMonth > 0))
    fault('grant', 'the event before it', `FreeAllowanceGranted of ${month}`, `free tokens of ${state.month}`);
  const before = month === state.month ? state.granted : 0;
  const wanted = Math.max(0, tokensPerMonth - before);
  if (added !== wanted) fault('allowance', 'added', wanted, added);
  if (tokensPerMonth > FREE_TOKENS_MAX) fault('allowance', 'tokensPerMonth', `at most ${FREE_TOKENS_MAX}`, tokensPerMonth);
  flows.granted.add(added);
  Object.assign(state, { free: state.free + added, month, granted: before + added, tokensPerMonth });
}

function received(state: UserState, data: Data<'AllocationReceived'>, { fault, position }: Place, { entries, flows }: Surroundings): void {
  const { organisationId, allocationId, number, tokens } = data;
  const relationship = relationshipOf(state, organisationId);
  if (number !== relationship.received + 1)
    fault('number', `the number of the allocation of ${organisationId}`, relationship.received + 1, number);
  entries.add('received', position, tokens, organisationId, state.id, String(number), allocationId);
  flows.move(organisationId, -tokens);
  relationship.received = number;
  relationship.tokens += tokens;
  state.allocated += tokens;
}

/** The first and the last month that an instant may be in: of the platform's zone, or of any zone when that is not known. */
export function monthsOf(at: number, zone: string | undefined): readonly [string, string] {
  if (zone !== undefined) {
    const { window } = windowsAt(zone, at).monthly;
    return [window, window];
  }
  return [windowsAt('Etc/GMT+12', at).monthly.window, windowsAt('Etc/GMT-14', at).monthly.window];
}

import {
  type BillEvent,
  billEntry,
  type Charge,
  PICO_TOKENS_PER_TOKEN,
  picoTokensOf,
  storageOfDay,
  sumOf,
  tokensText,
  HOSTING,
} from '@ledger/wallet';
import type { Place, Surroundings } from './surroundings';
import type { DeclinedDay } from './user-state';

/** The rules of bills, the same for both kinds of owner (design of the ledger: docs/decisions/0006). */

/** What a bill finds; it is changed to what is there after it, but for the balance. */
export interface Billed {
  owed: number;
  carriedPico: bigint;
  declinedDay: DeclinedDay | undefined;
}

/** `funds` are what is there, in the order in which it is taken. Answers what was taken. */
export function checkBill(
  owner: Billed,
  funds: readonly Charge[],
  event: BillEvent,
  place: Place,
  { entries, flows }: Surroundings,
): readonly Charge[] {
  const { fault, position, stream } = place;
  entries.add('bill', position, 0, stream, billEntry(event));
  if (event.type !== 'StorageAccrued') entries.add('id', position, 0, 'bill', event.data.billId);
  const available = sumOf(funds);
  const followed = owner.declinedDay;
  owner.declinedDay = undefined;
  switch (event.type) {
    case 'BillDeclined': {
      const { tokens, missing, breakdown, kind, month } = event.data;
      if (kind === 'hosting') {
        if (breakdown === undefined) fault('bill', 'the breakdown of the hosting', 'there', undefined);
        else if (tokens !== breakdown.billablePlaces * HOSTING.tokensPerMember)
          fault('bill', 'the tokens', breakdown.billablePlaces * HOSTING.tokensPerMember, tokens);
        if (missing !== tokens - available || missing <= 0) fault('bill', 'the missing tokens', tokens - available, missing);
      } else if (!followed || followed.month !== month || followed.tokens !== tokens || followed.missing !== missing)
        fault('bill', 'the storage that was declined', followed, { month, tokens, missing });
      lateMonth(month, place);
      return [];
    }
    case 'BillCharged': {
      const { tokens, chargedTokens, owedTokens, breakdown, charged, owed, month } = event.data;
      const wanted = breakdown.billablePlaces * HOSTING.tokensPerMember;
      if (tokens !== wanted) fault('bill', 'the tokens', wanted, tokens);
      if (chargedTokens + owedTokens !== tokens) fault('amounts', 'what is charged and owed together', tokens, chargedTokens + owedTokens);
      lateMonth(month, place);
      checkTaken(owner, funds, { tokens, chargedTokens, owedTokens, charged, owed }, place);
      flows.bills.add(chargedTokens);
      return charged;
    }
    case 'StorageAccrued': {
      const { bytes, accruedTokens, chargedTokens, carriedTokens, owedTokens, declined, charged, owed, day } = event.data;
      const pico = storageOfDay(bytes);
      if (accruedTokens !== tokensText(pico)) fault('storage', 'accruedTokens', tokensText(pico), accruedTokens);
      const gathered = owner.carriedPico + pico;
      const tokens = Number(gathered / PICO_TOKENS_PER_TOKEN);
      const carried = tokensText(gathered - BigInt(chargedTokens + owedTokens) * PICO_TOKENS_PER_TOKEN);
      if (carriedTokens !== carried) fault('storage', 'carriedTokens', carried, carriedTokens);
      owner.carriedPico = picoTokensOf(carriedTokens);
      if (declined) {
        if (tokens <= available) fault('storage', 'declined', `false, for ${available} of ${tokens} tokens are there`, true);
        if (charged.length > 0 || chargedTokens > 0 || owedTokens > 0)
          fault('storage', 'what a declined day charges', 0, chargedTokens + owedTokens);
        if (owed !== owner.owed) fault('debt', 'owed', owner.owed, owed);
        owner.owed = owed;
        owner.declinedDay = { month: day.slice(0, 7), tokens, missing: tokens - available };
      } else checkTaken(owner, funds, { tokens, chargedTokens, owedTokens, charged, owed }, place);
      // The zone that is furthest ahead has the next day fourteen hours before UTC.
      const today = new Date(place.at + 14 * 3_600_000).toISOString().slice(0, 10);
      if (day > today) fault('storage', 'the day', `${today} or before`, day);
      flows.bills.add(chargedTokens);
      return charged;
    }
    default:
      return event satisfies never;
  }
}

interface Taken {
  tokens: number;
  chargedTokens: number;
  owedTokens: number;
  charged: readonly Charge[];
  owed: number;
}

function checkTaken(
  owner: Billed,
  funds: readonly Charge[],
  { tokens, chargedTokens, owedTokens, charged, owed }: Taken,
  { fault }: Place,
): void {
  let open = tokens;
  const wanted: Charge[] = [];
  for (const { source, tokens: held } of funds) {
    const taken = Math.min(open, Math.max(0, held));
    if (taken > 0) wanted.push({ source, tokens: taken });
    open -= taken;
  }
  const same =
    wanted.length === charged.length &&
    wanted.every(({ source, tokens: each }, index) => charged[index]!.source === source && charged[index]!.tokens === each);
  if (!same) fault('bill', 'what is charged', wanted, charged);
  if (sumOf(charged) !== chargedTokens) fault('amounts', 'chargedTokens', sumOf(charged), chargedTokens);
  if (owedTokens !== open) fault('debt', 'owedTokens', open, owedTokens);
  if (owed !== owner.owed + owedTokens) fault('debt', 'owed', owner.owed + owedTokens, owed);
  owner.owed = owed;
}

function lateMonth(month: string, { at, fault }: Place): void {
  const thisMonth = new Date(at + 14 * 3_600_000).toISOString().slice(0, 7);
  if (month > thisMonth) fault('bill', 'the month', `${thisMonth} or before`, month);
}

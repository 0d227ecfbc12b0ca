import { type Billing, declinedEntry, hostingEntry, storageEntry } from './billing';
import { dayEndsAt, isoInstant, LATE_MS, windowsAt } from './calendar';
import type { AccrueStorage, ChargeBill } from './commands';
import { type Decision, type Given, invalid, Missing, recall } from './decision';
import type { Charge, OrganisationBalance, OrganisationEvent, OrganisationEvents, ShortfallPolicy, UserBalance, UserEvent } from './events';
import { hostingOf, PICO_TOKENS_PER_TOKEN, storageOfDay, tokensText } from './hosting-and-storage';
import { balanceOf, mustExist, type OrganisationWallet } from './organisation-wallet';
import { WALLET_TOKENS_MAX } from './pricing';
import { Refusal } from './refusal';
import { balanceAfter, sumOf } from './user-balance';
import { beginning, freeNow, type UserWallet } from './user-wallet';

/**
 * Hosting and storage, charged to their owner (design section 2, Bills); limits and allocated tokens are never touched. The
 * decisions are the same for both kinds of wallet: an `Owner` says in what they differ.
 */
interface Owner {
  billing: Billing;
  timeZone: string;
  /** In the order in which they are drawn. */
  funds: Charge[];
  balanceAfter(charged: readonly Charge[]): OrganisationBalance | UserBalance;
}

type BillType = 'BillCharged' | 'BillDeclined' | 'StorageAccrued';
/** A bill's event but for the balance, which differs with the owner. */
type BillFact = { [Type in BillType]: { type: Type; data: Omit<OrganisationEvents[Type], 'balanceAfter'> } }[BillType];
type BillDecision<Command> = (owner: Owner, command: Command, given: Given) => BillFact[] | Missing;

const hosting: BillDecision<ChargeBill> = (owner, { month, campuses, courses, onShortfall }, given) => {
  const thisMonth = windowsAt(owner.timeZone, given.at).monthly.window;
  if (month > thisMonth) throw invalid('/month', month, `must be ${thisMonth} or a month before it`);
  const billed = recall(owner.billing.bills, 'bill', hostingEntry(month), given);
  const declined = recall(owner.billing.bills, 'bill', declinedEntry('hosting', month), given);
  if (billed instanceof Missing) return billed;
  if (declined instanceof Missing) return declined;
  if (billed)
    throw new Refusal('BILL_EXISTS', `The hosting of ${month} was billed before; a month is billed once.`, { kind: 'hosting', month });

  const { tokens, ...breakdown } = hostingOf(campuses, courses);
  const bill = { at: isoInstant(given.at), billId: given.newId, kind: 'hosting' as const, month, tokens };
  const taken = take(owner, tokens, onShortfall);
  if (!taken.declined) {
    const { chargedTokens, owedTokens, charged, owed } = taken;
    return [{ type: 'BillCharged', data: { ...bill, chargedTokens, owedTokens, breakdown, charged, owed } }];
  }
  if (!declined) return [{ type: 'BillDeclined', data: { ...bill, missing: taken.missing, breakdown } }];
  // Said once: the month is open, and a refusal does not use the key up.
  const available = tokens - taken.missing;
  const detail = `The hosting of ${month} costs ${tokens} tokens, ${available} are there; it was declined before and stays open.`;
  throw new Refusal('INSUFFICIENT_TOKENS', detail, { requested: tokens, available, missing: taken.missing, sources: sourcesOf(owner) });
};

const storage: BillDecision<AccrueStorage> = (owner, { day, bytes, onShortfall }, given) => {
  refuseDay(owner.timeZone, day, given);
  const month = day.slice(0, 7);
  const accrued = recall(owner.billing.bills, 'bill', storageEntry(day), given);
  const saidBefore = recall(owner.billing.bills, 'bill', declinedEntry('storage', month), given);
  if (accrued instanceof Missing) return accrued;
  if (saidBefore instanceof Missing) return saidBefore;
  if (accrued)
    throw new Refusal('BILL_EXISTS', `The storage of ${day} was accrued before; a day is accrued once.`, { kind: 'storage', day });

  const at = isoInstant(given.at);
  const pico = storageOfDay(bytes);
  const gathered = owner.billing.carriedPico + pico;
  const tokens = Number(gathered / PICO_TOKENS_PER_TOKEN);
  const { declined, chargedTokens, owedTokens, charged, owed, missing } = take(owner, tokens, onShortfall);
  const settled = BigInt(chargedTokens + owedTokens) * PICO_TOKENS_PER_TOKEN;
  const amounts = { accruedTokens: tokensText(pico), chargedTokens, carriedTokens: tokensText(gathered - settled), owedTokens };
  const facts: BillFact[] = [{ type: 'StorageAccrued', data: { at, day, bytes, ...amounts, declined, charged, owed } }];
  if (declined && !saidBefore)
    facts.push({ type: 'BillDeclined', data: { at, billId: given.newId, kind: 'storage', month, tokens, missing } });
  return facts;
};

export const chargeBillForOrganisation = ofOrganisation(hosting);
export const chargeBillForUser = ofUser(hosting);
export const accrueStorageForOrganisation = ofOrganisation(storage);
export const accrueStorageForUser = ofUser(storage);

/** An organisation pays with what is available, by the calendar of its own zone. */
function ofOrganisation<Command extends ChargeBill | AccrueStorage>(decide: BillDecision<Command>): Decision<OrganisationWallet, Command> {
  return (wallet, command, given) => {
    mustExist(wallet);
    const owner: Owner = {
      billing: wallet.billing,
      timeZone: wallet.timeZone,
      funds: [{ source: 'purchased', tokens: wallet.available }],
      balanceAfter: (charged) => balanceOf(wallet.available - sumOf(charged)),
    };
    const facts = decide(owner, command, given);
    return facts instanceof Missing ? facts : facts.map((fact) => withBalance(owner, fact) as OrganisationEvent);
  };
}

/** A user pays with free tokens first, then with purchased ones, by the platform's calendar. */
function ofUser<Command extends ChargeBill | AccrueStorage>(decide: BillDecision<Command>): Decision<UserWallet, Command> {
  return (wallet, command, given) => {
    const free = freeNow(wallet, given);
    const owner: Owner = {
      billing: wallet.billing,
      timeZone: given.settings.platformTimeZone,
      funds: [
        { source: 'free', tokens: free.tokens },
        { source: 'purchased', tokens: wallet.purchased },
      ],
      balanceAfter: (charged) => balanceAfter(wallet, free, charged, -1),
    };
    const facts = decide(owner, command, given);
    if (facts instanceof Missing) return facts;
    return [...beginning(wallet, free, given), ...facts.map((fact) => withBalance(owner, fact) as UserEvent)];
  };
}

/** What follows an accrual in the same append has its balance too. */
const withBalance = (owner: Owner, { type, data }: BillFact) => ({
  type,
  data: { ...data, balanceAfter: owner.balanceAfter('charged' in data ? data.charged : []) },
});

interface Taken {
  declined: boolean;
  chargedTokens: number;
  owedTokens: number;
  charged: Charge[];
  /** All that the wallet owes after it. */
  owed: number;
  missing: number;
}

function take({ funds, billing }: Owner, tokens: number, onShortfall: ShortfallPolicy): Taken {
  let open = tokens;
  const charged: Charge[] = [];
  for (const { source, tokens: held } of funds) {
    const taken = Math.min(open, held);
    if (taken > 0) charged.push({ source, tokens: taken });
    open -= taken;
  }
  if (open > 0 && onShortfall === 'decline') {
    return { declined: true, chargedTokens: 0, owedTokens: 0, charged: [], owed: billing.owed, missing: open };
  }
  // More than a wallet may ever buy could never be paid, and the sum of debts must stay far below 2^53.
  if (billing.owed + open > WALLET_TOKENS_MAX) {
    const facts = { requested: open, owed: billing.owed, maximum: WALLET_TOKENS_MAX };
    throw new Refusal('BALANCE_TOO_LARGE', `A wallet owes at most ${WALLET_TOKENS_MAX} tokens.`, facts);
  }
  return { declined: false, chargedTokens: tokens - open, owedTokens: open, charged, owed: billing.owed + open, missing: open };
}

const sourcesOf = ({ funds }: Owner) => funds.map(({ source, tokens }) => ({ source, available: tokens }));

function refuseDay(timeZone: string, day: string, given: Given): void {
  const endsAt = dayEndsAt(timeZone, day);
  if (endsAt === undefined) throw invalid('/day', day, 'must be a day of the calendar such as 2026-11-23');
  const today = windowsAt(timeZone, given.at).daily.window;
  if (day > today) throw invalid('/day', day, `must be ${today} or a day before it`);
  if (endsAt >= given.at - LATE_MS) return;
  throw new Refusal('TOO_OLD', `The day ${day} ended more than 72 h ago (in ${timeZone}); its storage can no longer be accrued.`, {
    day,
    endedAt: isoInstant(endsAt),
  });
}

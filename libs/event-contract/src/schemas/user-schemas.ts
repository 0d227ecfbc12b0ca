import { type Considered, type Period, type UserEvents, type WindowAfter } from '@ledger/wallet';
import {
  at,
  day,
  dayOrMonth,
  freeTokens,
  generatedId,
  instant,
  limit,
  month,
  tokens,
  tokensOrNone,
  usageCharges,
  usedTokens,
  userBalance,
  walletId,
  whole,
  words,
} from './fields';
import { boolean, constant, list, object, oneOfTexts, optional, pattern, type Shape } from './shape';

/** Events that only users have. */
type OwnTypes = Exclude<keyof UserEvents, 'TokensPurchased' | 'BillCharged' | 'BillDeclined' | 'StorageAccrued'>;
type Schemas = { [Type in OwnTypes]: Shape<UserEvents[Type]> };

/** A user draws on about 1,000 organisations at most. */
const ORGANISATIONS_MAX = 10_000;
const COST = '^[0-9]{1,9}(\\.[0-9]{1,12})?$';

const windowAfter = (window: Shape<string>, description: string): Shape<WindowAfter> =>
  object<WindowAfter>({ window, used: whole(0, 'Used in it after the draw'), limit: limit('The limit in force') }, description);
const zone = 'in the zone of the organisation';

const considered = object<Considered>({
  organisationId: walletId('An organisation whose tokens were considered'),
  revision: whole(0, 'Revision of the stream of the organisation that the policy was read at'),
  status: oneOfTexts(['permitted', 'suspended', 'removed'], 'Of the member in the organisation'),
  usable: boolean('False when suspended: then nothing may be drawn'),
  tokens: tokensOrNone('Drawn from what this organisation allocated'),
  windows: object<Record<Period, WindowAfter>>(
    {
      daily: windowAfter(day(`The day, ${zone}`), 'The window of the day'),
      monthly: windowAfter(month(`The month, ${zone}`), 'The window of the month'),
    },
    'The windows that the usage counts in',
  ),
});

const windowsGivenBack = list(
  object<{ organisationId: string; window: string; used: number }>({
    organisationId: walletId('The organisation whose tokens came back'),
    window: dayOrMonth('The window'),
    used: whole(0, 'Used in it after the reversal'),
  }),
  0,
  2 * ORGANISATIONS_MAX,
  'Windows that tokens were given back to',
);

export const USER_SCHEMAS: Schemas = {
  UserWalletOpened: object<UserEvents['UserWalletOpened']>({
    at,
    userId: walletId('The user'),
    freeTokensPerMonth: freeTokens('The default allowance, frozen for this wallet'),
    balanceAfter: userBalance,
  }),
  FreeAllowanceSet: object<UserEvents['FreeAllowanceSet']>({
    at,
    tokensPerMonth: freeTokens('The allowance; a lower one counts from the next month'),
    added: freeTokens('Granted at once to this month'),
    month: month('The month that they were added to'),
    balanceAfter: userBalance,
  }),
  FreeAllowanceGranted: object<UserEvents['FreeAllowanceGranted']>({
    at,
    month: month('The month of the allowance'),
    tokens: freeTokens('The allowance'),
    lapsed: freeTokens('The unused rest of the last month that was granted'),
    balanceAfter: userBalance,
  }),
  AllocationReceived: object<UserEvents['AllocationReceived']>({
    at,
    organisationId: walletId('The organisation that allocated them'),
    allocationId: generatedId('The allocation'),
    number: whole(1, 'Running number of the member in this organisation: 1, 2, 3, ...'),
    tokens: tokens('Received'),
    balanceAfter: userBalance,
  }),
  TokensUsed: object<UserEvents['TokensUsed']>({
    at,
    usageId: generatedId('The usage'),
    tokens: usedTokens('What the usage cost; the sum of "charged"'),
    occurredAt: instant('When it happened, as the service said; it counts in the windows of this instant'),
    variableCostEuros: optional(pattern(COST, '0.10', 'The cost that it was priced by, in EUR')),
    service: optional(words('The service that charged')),
    reference: optional(words('The name that the service has for it')),
    charged: usageCharges('What was taken, in the order in which it was taken'),
    freeMonth: optional(month('The month whose free tokens were drawn; only when some were')),
    considered: list(considered, 0, ORGANISATIONS_MAX, 'Organisations that the draw considered, and what it was decided under'),
    balanceAfter: userBalance,
  }),
  UsageReversed: object<UserEvents['UsageReversed']>({
    at,
    usageId: generatedId('The usage'),
    tokens: usedTokens('What the usage had cost'),
    reason: optional(words('Why')),
    returned: usageCharges('What went back, by source'),
    lapsed: freeTokens('Free tokens of a month that has passed: they lapse again at once'),
    windows: windowsGivenBack,
    balanceAfter: userBalance,
  }),
  LimitReached: object<UserEvents['LimitReached']>({
    at,
    organisationId: walletId('The organisation whose limit it is'),
    meter: constant('usage'),
    period: oneOfTexts(['daily', 'monthly']),
    window: dayOrMonth(`The day or month, ${zone}`),
    limit: whole(0, 'Tokens'),
    used: whole(0, 'Tokens used in the window'),
    resetsAt: instant('First instant of the next window'),
    by: oneOfTexts(['draw', 'refusal'], 'draw: an accepted usage took the last of it; refusal: a usage was refused by it'),
  }),
};

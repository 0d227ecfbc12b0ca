import {
  type AllocationLine,
  type DefaultLimits,
  LINES_MAX,
  type LimitOverride,
  type Meter,
  type OrganisationEvents,
  PART_LINES_MAX,
  type Period,
  type PeriodLimits,
  type WindowIds,
} from '@ledger/wallet';
import {
  at,
  batch,
  day,
  generatedId,
  limit,
  month,
  organisationBalance,
  timeZone,
  tokens,
  userIds,
  walletId,
  whole,
  words,
} from './fields';
import { as, integer, list, object, optional, type Shape, tuple } from './shape';

/** Events that only organisations have. */
type OwnTypes = Exclude<keyof OrganisationEvents, 'TokensPurchased' | 'BillCharged' | 'BillDeclined' | 'StorageAccrued'>;
type Schemas = { [Type in OwnTypes]: Shape<OrganisationEvents[Type]> };

const meterLimits = object<PeriodLimits>({ daily: limit('Tokens a day'), monthly: limit('Tokens a month') });
const defaultLimits = object<DefaultLimits>(
  {
    usage: as(meterLimits, 'On what a member draws from allocated tokens'),
    allocation: as(meterLimits, 'On what is allocated to a member'),
  },
  'The whole default of the organisation',
);
const overriddenMeter = object<Partial<PeriodLimits>>(
  { daily: optional(limit('Tokens a day')), monthly: optional(limit('Tokens a month')) },
  'A number left out inherits the default',
  { minProperties: 1 },
);
const override = object<LimitOverride>(
  { usage: optional(overriddenMeter), allocation: optional(overriddenMeter) } satisfies Record<Meter, unknown>,
  'The whole override; what is left out inherits the default',
);

const indexes = (of: string) =>
  optional(list(integer(0, PART_LINES_MAX - 1), 1, PART_LINES_MAX, `Indexes of lines, from 0, whose ${of} limit is used up`));
const line = tuple<AllocationLine>(
  [walletId('The member'), tokens('Allocated to the member'), whole(1, 'Running number of the member in this organisation: 1, 2, 3, ...')],
  '[userId, tokens, number]',
);

export const ORGANISATION_SCHEMAS: Schemas = {
  OrganisationWalletOpened: object<OrganisationEvents['OrganisationWalletOpened']>({
    at,
    organisationId: walletId('The organisation'),
    timeZone: timeZone('IANA zone of the windows of its limits'),
    balanceAfter: organisationBalance,
  }),
  TimeZoneSet: object<OrganisationEvents['TimeZoneSet']>({
    at,
    timeZone: timeZone('IANA zone of the windows of its limits from now on; windows counted before keep their ids'),
  }),
  MemberPermitted: object<OrganisationEvents['MemberPermitted']>({ at, userIds, batch }),
  MemberSuspended: object<OrganisationEvents['MemberSuspended']>({ at, userIds, batch }),
  MemberResumed: object<OrganisationEvents['MemberResumed']>({ at, userIds, batch }),
  MemberRemoved: object<OrganisationEvents['MemberRemoved']>({ at, userIds }),
  LimitSet: object<OrganisationEvents['LimitSet']>(
    {
      at,
      default: optional(defaultLimits),
      overrides: optional(
        list(
          object<{ userId: string; limits: LimitOverride }>({ userId: walletId('The member'), limits: override }),
          1,
          PART_LINES_MAX,
          'Overrides of members, each whole',
        ),
      ),
      batch,
    },
    undefined,
    { oneOf: [{ required: ['default'] }, { required: ['overrides'] }] },
  ),
  LimitCleared: object<OrganisationEvents['LimitCleared']>({ at, userIds, batch }),
  TokensAllocated: object<OrganisationEvents['TokensAllocated']>({
    at,
    allocationId: generatedId('The allocation; the same in all its parts'),
    part: integer(1, LINES_MAX / PART_LINES_MAX, 'Which part this is, from 1'),
    parts: integer(1, LINES_MAX / PART_LINES_MAX, 'How many parts there are; all of them are stored together'),
    tokens: tokens('Allocated by this part'),
    tokensTotal: tokens('Allocated by all parts'),
    lineCount: integer(1, LINES_MAX, 'Lines of all parts'),
    memo: optional(words('What the organisation wrote on it')),
    windows: object<WindowIds>(
      { daily: day('The day that it counts in'), monthly: month('The month that it counts in') },
      'In the zone of the organisation',
    ),
    lines: list(line, 1, PART_LINES_MAX, 'The lines of this part'),
    reached: optional(
      object<Partial<Record<Period, number[]>>>(
        { daily: indexes('daily'), monthly: indexes('monthly') },
        'Lines whose member has now used up an allocation limit',
        { minProperties: 1 },
      ),
    ),
    balanceAfter: organisationBalance,
  }),
};

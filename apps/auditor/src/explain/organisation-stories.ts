import {
  allocatedTo,
  type DefaultLimits,
  effectiveLimit,
  type EventOf,
  type LimitOverride,
  METERS,
  type OrganisationEvent,
  type OrganisationWallet,
  PERIODS,
  type PlatformSettings,
} from '@ledger/wallet';
import { billStory } from './bill-stories';
import type { Story } from './explanation';
import { purchaseStory } from './purchase-story';
import { counted, few, heldByOrganisation, listed, periodName, tokens } from './words';

/** What a story of an organisation's event is told from. */
export interface OrganisationScene {
  /** As it stood just before the event, and just after it. */
  wallet: OrganisationWallet;
  after: OrganisationWallet;
  settings: PlatformSettings;
}

/** Why an event of an organisation's wallet is as it is. */
export function organisationStory(event: OrganisationEvent, scene: OrganisationScene): Story {
  const { wallet, after } = scene;
  const { organisationId } = wallet;
  const told = (summary: string, ...lines: string[]): Story => ({ summary, sections: [{ heading: 'What happened', lines }] });
  const moved = (story: Story): Story => ({
    ...story,
    sections: [
      { heading: 'Before it the wallet held', lines: heldByOrganisation(wallet) },
      ...story.sections,
      { heading: 'After it the wallet held', lines: heldByOrganisation(after) },
    ],
    facts: { ...story.facts, before: { available: wallet.available }, after: { available: after.available } },
  });
  switch (event.type) {
    case 'OrganisationWalletOpened':
      return told(`The wallet of ${organisationId} was opened.`, `Its days and months are those of ${event.data.timeZone}.`);
    case 'TimeZoneSet':
      return told(
        `The time zone of ${organisationId} was set to ${event.data.timeZone}; it was ${wallet.timeZone}.`,
        'What was counted before stays in the windows it was counted in: only days and months from now on are of the new zone.',
      );
    case 'TokensPurchased':
      return moved(purchaseStory(organisationId, event, scene.settings));
    case 'MemberPermitted':
      return told(`${organisationId} permitted ${few(event.data.userIds)}.`, 'They may receive allocations and draw on them.');
    case 'MemberSuspended':
      return told(
        `${organisationId} suspended ${few(event.data.userIds)}.`,
        'From now on nothing can be allocated to them, and nothing that was allocated can be drawn, until they are resumed.',
      );
    case 'MemberResumed':
      return told(`${organisationId} resumed ${few(event.data.userIds)}.`, 'What was allocated to them can be drawn again.');
    case 'MemberRemoved':
      return told(
        `${organisationId} removed ${few(event.data.userIds)}.`,
        'Nothing more can be allocated to them. What was allocated stays as it was: usable, or suspended if the member was.',
      );
    case 'LimitSet':
      return limitsStory(event, wallet);
    case 'LimitCleared':
      return told(`${organisationId} cleared the own limits of ${few(event.data.userIds)}.`, 'The default limits bind them from now on.');
    case 'TokensAllocated':
      return moved(allocationStory(event, wallet));
    case 'BillCharged':
    case 'BillDeclined':
    case 'StorageAccrued':
      return moved(billStory(organisationId, event, wallet.billing));
    default:
      return event satisfies never;
  }
}

function limitsStory({ data }: EventOf<'LimitSet'>, { organisationId, defaults, members }: OrganisationWallet): Story {
  const always = 'A limit that is lowered below what is used blocks at once, a raised one frees at once; no counter is reset.';
  if (data.default) {
    return {
      summary: `The default limits of ${organisationId} were set.`,
      sections: [{ heading: 'What is in force now, and what was', lines: [...defaultLines(data.default, defaults), always] }],
    };
  }
  const overrides = data.overrides ?? [];
  return {
    summary: `${organisationId} set own limits for ${few(overrides.map(({ userId }) => userId))}.`,
    sections: [
      {
        heading: 'What is in force now',
        lines: [
          ...overrides.slice(0, OVERRIDES_MAX).map(({ userId, limits }) => {
            const again = members.get(userId)?.override ? ', in place of the own limits before' : '';
            return `${userId}: ${overrideText(limits)}${again}.`;
          }),
          'What an own limit does not name is inherited from the default at the moment of each decision.',
          always,
        ],
      },
    ],
  };
}

/** As many own limits of one event are told. */
const OVERRIDES_MAX = 20;
const METER_NAMES = { usage: 'to draw', allocation: 'to be given' } as const;
const limitText = (limit: number | null): string => (limit === null ? 'unlimited' : tokens(limit));

const defaultLines = (now: DefaultLimits, was: DefaultLimits): string[] =>
  METERS.flatMap((meter) =>
    PERIODS.map((period) => {
      const [limit, old] = [now[meter][period], was[meter][period]];
      const before = limit === old ? 'as before' : `before ${limitText(old)}`;
      return `${METER_NAMES[meter]} ${periodName[period]}: ${limitText(limit)} (${before})`;
    }),
  );

function overrideText(limits: LimitOverride): string {
  const parts = METERS.flatMap((meter) =>
    PERIODS.flatMap((period) => {
      const limit = limits[meter]?.[period];
      return limit === undefined ? [] : [`${limitText(limit)} ${METER_NAMES[meter]} ${periodName[period]}`];
    }),
  );
  return parts.length === 0 ? 'no own limit' : listed(parts);
}

function allocationStory({ data }: EventOf<'TokensAllocated'>, wallet: OrganisationWallet): Story {
  const { allocationId, part, parts, tokens: moved, tokensTotal, lineCount, memo, windows, lines, reached } = data;
  const ofAll =
    parts > 1 ? `This is part ${part} of ${parts}, all written at once: ${tokens(moved)} to ${counted(lines.length, 'member')}. ` : '';
  const told = lines
    .slice(0, LINES_SHOWN)
    .map(([userId, given, number]) => `${userId}: ${tokens(given)}, line number ${number} of this member${boundBy(wallet, userId, data)}`);
  if (lines.length > LINES_SHOWN) told.push(`and ${counted(lines.length - LINES_SHOWN, 'member')} more`);
  const full = PERIODS.flatMap((period) => {
    const names = (reached?.[period] ?? []).map((index) => lines[index]?.[0] ?? '');
    return names.length === 0
      ? []
      : [`Nothing more can be given ${periodName[period]} (${windows[period]}) to ${few(names)}: the limit is used up.`];
  });
  return {
    summary: `${wallet.organisationId} allocated ${tokens(tokensTotal)} to ${counted(lineCount, 'member')}${memo === undefined ? '' : `: "${memo}"`}.`,
    sections: [
      {
        heading: `The allocation ${allocationId}`,
        lines: [
          `${ofAll}It is all or nothing, and counts in the day ${windows.daily} and the month ${windows.monthly} of ${wallet.timeZone}.`,
          ...told,
          ...full,
          'The tokens are in transit until each member has received them, each line once, by its number.',
        ],
      },
    ],
    facts: { allocationId, tokens: tokensTotal, lineCount, windows, reached },
  };
}

const LINES_SHOWN = 10;

/** The limits on what the member may be given, with what had been given before. */
function boundBy(wallet: OrganisationWallet, userId: string, { windows }: EventOf<'TokensAllocated'>['data']): string {
  const { defaults, members } = wallet;
  const limits = PERIODS.flatMap((period) => {
    const { limit, source } = effectiveLimit(defaults, members.get(userId)?.override, 'allocation', period);
    const given = allocatedTo(wallet, userId, windows[period]);
    return limit === null
      ? []
      : [
          `${source === 'member' ? 'own' : 'default'} limit ${tokens(limit)} ${periodName[period]}, ${given.toLocaleString('en')} given before`,
        ];
  });
  return limits.length === 0 ? '' : ` (${limits.join('; ')})`;
}

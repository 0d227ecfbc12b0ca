import { type EventOf, type PlatformSettings, sumOf, tokensForCost, type UserEvent, type UserWallet } from '@ledger/wallet';
import type { Story } from './explanation';
import type { TermsReader } from './past';
import { billStory } from './bill-stories';
import { purchaseStory } from './purchase-story';
import { sourceLines, sourcesTried } from './sources-tried';
import { charges, factsOfUser, heldByUser, listed, tokens, tokensWere } from './words';

/** What a story of a user's event is told from. */
export interface UserScene {
  /** As it stood just before the event. */
  wallet: UserWallet;
  /** Just after it. */
  after: UserWallet;
  terms: TermsReader;
  settings: PlatformSettings;
}

/** Why an event of a user's wallet is as it is. LimitReached is told by limit-stories.ts. */
export async function userStory(event: Exclude<UserEvent, EventOf<'LimitReached'>>, scene: UserScene): Promise<Story> {
  const { wallet, after } = scene;
  const { userId } = wallet;
  const told = (summary: string, lines: string[]): Story => ({
    summary,
    sections: [before(wallet), { heading: 'What happened', lines }, held('After it the wallet held', after)],
    facts: { before: factsOfUser(wallet), after: factsOfUser(after) },
  });
  switch (event.type) {
    case 'TokensUsed':
      return usageStory(event, scene);
    case 'UserWalletOpened':
      return told(`The wallet of ${userId} was opened by its first accepted command.`, [
        `Its monthly allowance of free tokens is ${tokens(event.data.freeTokensPerMonth)}: the platform's default of that day, frozen here.`,
      ]);
    case 'FreeAllowanceGranted': {
      const { month, tokens: granted, lapsed } = event.data;
      return told(`${userId} was granted ${tokens(granted)} free for ${month}.`, [
        `It is written before the first event of a new month, whatever that is: nothing happens at midnight.`,
        lapsed > 0
          ? `${tokens(lapsed)} of the month before had not been used, and lapsed.`
          : 'Nothing was left of an earlier month, so nothing lapsed.',
      ]);
    }
    case 'FreeAllowanceSet': {
      const { tokensPerMonth, added, month } = event.data;
      const had = wallet.free?.tokensPerMonth ?? 0;
      return told(`The monthly allowance of ${userId} was set to ${tokens(tokensPerMonth)}; it was ${tokens(had)}.`, [
        added > 0
          ? `${month} had been granted ${tokens(tokensPerMonth - added)}, so the difference of ${tokens(added)} was added at once.`
          : `${month} has been granted as much already, so nothing was added; it counts from the next month.`,
      ]);
    }
    case 'AllocationReceived': {
      const { organisationId, tokens: received, number, allocationId } = event.data;
      return told(`${userId} received ${tokens(received)} from ${organisationId}.`, [
        `They are line number ${number} of ${organisationId} for this member, of the allocation ${allocationId}.`,
        `The organisation was debited when it allocated; the ledger delivered them, and an allocation is never refused by its member.`,
      ]);
    }
    case 'UsageReversed':
      return told(`${userId} got the ${tokens(event.data.tokens)} of the usage ${event.data.usageId} back.`, reversalLines(event));
    case 'TokensPurchased':
      return { ...purchaseStory(userId, event, scene.settings), facts: { before: factsOfUser(wallet), after: factsOfUser(after) } };
    case 'BillCharged':
    case 'BillDeclined':
    case 'StorageAccrued': {
      const story = billStory(userId, event, wallet.billing);
      const sections = [before(wallet), ...story.sections, held('After it the wallet held', after)];
      return { ...story, sections, facts: { ...story.facts, before: factsOfUser(wallet), after: factsOfUser(after) } };
    }
    default:
      return event satisfies never;
  }
}

const before = (wallet: UserWallet) => held('Before it the wallet held', wallet);
const held = (heading: string, wallet: UserWallet) => ({ heading, lines: heldByUser(wallet) });

async function usageStory(event: EventOf<'TokensUsed'>, { wallet, after, terms, settings }: UserScene): Promise<Story> {
  const { usageId, tokens: used, charged, occurredAt, at, service, reference, variableCostEuros } = event.data;
  const what = [
    ...(service === undefined ? [] : [`for the service "${service}"`]),
    ...(reference === undefined ? [] : [`with the reference "${reference}"`]),
  ];
  const why = [`The usage ${usageId} ${what.length > 0 ? `was ${what.join(' ')}` : 'names no service and no reference'}.`];
  const findings: string[] = [];
  if (variableCostEuros !== undefined) {
    const priced = tokensForCost(variableCostEuros, settings.priceTable);
    const { percentOfCost } = settings.priceTable.usage;
    why.push(
      `It cost ${variableCostEuros} EUR; at ${percentOfCost} % of that and one cent a token, rounded half up, that is ${tokens(priced ?? 0)}.`,
    );
    if (priced !== used) findings.push(`${tokensWere(used)} charged; was another price table in force (PRICE_TABLE_PATH)`);
  }
  if (occurredAt !== at) why.push(`It happened at ${occurredAt}, so it counts in the windows of that instant; funds are of ${at}.`);
  const tried = await sourcesTried(wallet, event, terms);
  return {
    summary: `${wallet.userId} was charged ${tokens(used)}: ${charges(charged)}.`,
    sections: [
      { heading: 'Why so many', lines: why },
      before(wallet),
      { heading: 'Sources, in the order in which they are tried', lines: tried.flatMap(sourceLines) },
      held('After it the wallet held', after),
    ],
    facts: { before: factsOfUser(wallet), sources: tried, after: factsOfUser(after) },
    findings,
  };
}

function reversalLines({ data: { returned, lapsed, windows, reason } }: EventOf<'UsageReversed'>): string[] {
  const back = sumOf(returned);
  return [
    ...(reason === undefined ? [] : [`The caller's reason: "${reason}".`]),
    back > 0 ? `Each source got back what it had given: ${charges(returned)}.` : 'No source got anything back.',
    ...(lapsed > 0 ? [`${tokens(lapsed)} had been free tokens of a month that has passed: they came back and lapsed at once.`] : []),
    windows.length > 0
      ? `Limits were given back too: ${listed(windows.map(({ organisationId, window, used }) => `${organisationId} counts ${tokens(used)} in ${window} now`))}.`
      : 'No window of a limit changed: the usage counted in none, or in none that is still kept.',
  ];
}

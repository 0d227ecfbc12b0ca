import {
  type Billing,
  type BillEvent,
  type EventOf,
  HOSTING,
  PICO_TOKENS_PER_BYTE_AND_DAY,
  PICO_TOKENS_PER_TOKEN,
  picoTokensOf,
  STORAGE,
  storageOfDay,
  tokensText,
} from '@ledger/wallet';
import type { Story } from './explanation';
import { charges, counted, tokens, tokensAre, tokensWere } from './words';

/** Why a bill is what it is. The owner is a user or an organisation; limits and allocated tokens are never touched. */
export function billStory(owner: string, event: BillEvent, billing: Billing): Story {
  switch (event.type) {
    case 'BillCharged':
      return hostingCharged(owner, event);
    case 'BillDeclined':
      return event.data.kind === 'hosting' ? hostingDeclined(owner, event) : storageDeclined(owner, event);
    case 'StorageAccrued':
      return storage(owner, event, billing);
    default:
      return event satisfies never;
  }
}

interface Breakdown {
  billableCampuses: number;
  billableCourses: number;
  billablePlaces: number;
}

function hostingLines({ billableCampuses, billableCourses, billablePlaces }: Breakdown, total: number): string[] {
  return [
    `The first campus and the first ${HOSTING.freeCourses} courses are free.`,
    `Beyond them were ${counted(billableCampuses, 'campus', 'campuses')} and ${counted(billableCourses, 'course')}, with ${counted(billablePlaces, 'member place')}.`,
    `${billablePlaces.toLocaleString('en')} x ${HOSTING.tokensPerMember} tokens = ${tokens(total)}.`,
  ];
}

function hostingCharged(owner: string, { data }: EventOf<'BillCharged'>): Story {
  const { month, tokens: total, breakdown, charged, chargedTokens, owedTokens, owed, billId } = data;
  const lines = [...hostingLines(breakdown, total), `Paid at once: ${charges(charged)}.`];
  if (owedTokens > 0)
    lines.push(
      `${tokens(owedTokens)} could not be paid and ${owedTokens === 1 ? 'is' : 'are'} owed; the wallet owes ${tokens(owed)}, taken first from its next purchase.`,
    );
  return {
    summary: `Hosting of ${month} cost ${owner} ${tokens(total)}${owedTokens > 0 ? `, of which ${tokensAre(owedTokens)} owed` : ''}.`,
    sections: [{ heading: `The hosting bill ${billId}`, lines }],
    facts: { month, tokens: total, breakdown, chargedTokens, owedTokens },
  };
}

function hostingDeclined(owner: string, { data }: EventOf<'BillDeclined'>): Story {
  const { month, tokens: total, missing, breakdown, billId } = data;
  return {
    summary: `Hosting of ${month} was declined for ${owner}: ${tokensWere(missing)} missing.`,
    sections: [
      {
        heading: `The hosting bill ${billId}`,
        lines: [
          ...(breakdown ? hostingLines(breakdown, total) : []),
          `${tokensWere(total - missing)} there, ${tokensWere(missing)} missing, and the bill said to decline: nothing was charged.`,
          'The month stays open: a bill under a new key may succeed. A decline is recorded once a month.',
        ],
      },
    ],
    facts: { month, tokens: total, missing, breakdown },
  };
}

function storageDeclined(owner: string, { data: { month, tokens: total, missing } }: EventOf<'BillDeclined'>): Story {
  return {
    summary: `Storage was declined for ${owner} for the first time in ${month}: ${tokensWere(missing)} missing.`,
    sections: [
      {
        heading: 'What happened',
        lines: [
          `${tokens(total)} of storage had gathered, ${tokensWere(missing)} missing, and the bill said to decline: nothing was charged.`,
          'The day is accrued all the same (the event before this one), and what gathered waits. This is told once a month.',
        ],
      },
    ],
    facts: { month, tokens: total, missing },
  };
}

/** The arithmetic of a day, in pico-tokens (10^-12), so that nothing is ever rounded away. */
function storage(owner: string, { data }: EventOf<'StorageAccrued'>, { carriedPico }: Billing): Story {
  const { day, bytes, accruedTokens, chargedTokens, carriedTokens, owedTokens, owed, declined, charged } = data;
  const free = STORAGE.freeGigabytes * STORAGE.bytesPerGigabyte;
  const pico = storageOfDay(bytes);
  const gathered = carriedPico + pico;
  const whole = gathered / PICO_TOKENS_PER_TOKEN;
  const lines = [
    `${bytes.toLocaleString('en')} bytes were stored, ${free.toLocaleString('en')} of them are free.`,
    bytes > free
      ? `${(bytes - free).toLocaleString('en')} bytes x ${PICO_TOKENS_PER_BYTE_AND_DAY} pico-tokens a day (3.99 tokens a GB and month, a 30th a day) = ${pico} pico-tokens = ${tokensText(pico)} tokens.`
      : 'Nothing is beyond the free part, so the day cost nothing.',
    `${tokensText(carriedPico)} tokens had gathered before; together ${tokensText(gathered)}. The whole part of that is ${whole}.`,
  ];
  if (declined) lines.push(`They were not there, and the bill said to decline: nothing was charged, and all ${carriedTokens} wait.`);
  else if (chargedTokens > 0) lines.push(`Charged: ${charges(charged)}.`);
  else if (owedTokens === 0) lines.push('There was no whole token to charge.');
  if (owedTokens > 0)
    lines.push(`${tokens(owedTokens)} could not be paid and ${owedTokens === 1 ? 'is' : 'are'} owed; the wallet owes ${tokens(owed)}.`);
  lines.push(`${carriedTokens} tokens are carried to the next day.`);
  const settled = BigInt(chargedTokens + owedTokens) * PICO_TOKENS_PER_TOKEN;
  const findings: string[] = [];
  if (picoTokensOf(accruedTokens) !== pico) findings.push(`${accruedTokens} tokens were accrued, and the bytes make ${tokensText(pico)}`);
  if (picoTokensOf(carriedTokens) !== gathered - settled)
    findings.push(`${carriedTokens} tokens are carried, and the arithmetic makes ${tokensText(gathered - settled)}`);
  return {
    summary: `Storage of ${day} cost ${owner} ${accruedTokens} tokens; ${declined ? 'it was declined' : `${tokensWere(chargedTokens)} charged`}.`,
    sections: [{ heading: 'The arithmetic of the day', lines }],
    facts: {
      day,
      bytes,
      accruedTokens,
      carriedBefore: tokensText(carriedPico),
      gathered: tokensText(gathered),
      chargedTokens,
      carriedTokens,
    },
    findings,
  };
}

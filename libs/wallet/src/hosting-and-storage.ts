/**
 * What hosting and storage cost. Source: design.md, section 2 (Bills); the platform's published rates. Tokens are integers,
 * parts of tokens are integer pico-tokens (10^-12) in BigInt: there is no floating point anywhere.
 */

export const HOSTING = { tokensPerMember: 10, freeCampuses: 1, freeCourses: 3 } as const;

export const STORAGE = { bytesPerGigabyte: 1_000_000_000, freeGigabytes: 1, centitokensPerGigabyte: 399, daysPerMonth: 30 } as const;

/** What one byte above the free gigabyte costs a day: 3.99 / 30 / 10^9 tokens, which is 133 pico-tokens exactly. */
export const PICO_TOKENS_PER_BYTE_AND_DAY = 133n;
export const PICO_TOKENS_PER_TOKEN = 1_000_000_000_000n;

export interface HostingBreakdown {
  billableCampuses: number;
  billableCourses: number;
  /** Members of the billable campuses and courses. */
  billablePlaces: number;
}

/** A month's hosting: the first campus and the first three courses (oldest first) are free, each member beyond costs 10 tokens. */
export function hostingOf(campuses: readonly number[], courses: readonly number[]): HostingBreakdown & { tokens: number } {
  const billable = [campuses.slice(HOSTING.freeCampuses), courses.slice(HOSTING.freeCourses)] as const;
  const billablePlaces = billable.flat().reduce((sum, members) => sum + members, 0);
  return {
    tokens: billablePlaces * HOSTING.tokensPerMember,
    billableCampuses: billable[0].length,
    billableCourses: billable[1].length,
    billablePlaces,
  };
}

/** What a day of storage costs, in pico-tokens. One gigabyte (10^9 bytes) is free. */
export function storageOfDay(bytes: number): bigint {
  const billable = BigInt(bytes) - BigInt(STORAGE.freeGigabytes * STORAGE.bytesPerGigabyte);
  return billable > 0n ? billable * PICO_TOKENS_PER_BYTE_AND_DAY : 0n;
}

/** Pico-tokens as an exact decimal number of tokens in its shortest form: 15_827_000_000_000n is "15.827". */
export function tokensText(pico: bigint): string {
  const fraction = String(pico % PICO_TOKENS_PER_TOKEN)
    .padStart(12, '0')
    .replace(/0+$/, '');
  return `${pico / PICO_TOKENS_PER_TOKEN}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The pico-tokens of a text that `tokensText` made. */
export function picoTokensOf(text: string): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole) * PICO_TOKENS_PER_TOKEN + BigInt(fraction.padEnd(12, '0'));
}

import { PRICE_TABLE } from '@ledger/wallet';

/** What hosting, storage and AI cost, for GET /v1/pricing. Source: design.md section 2, Bills; the platform's published pages. */
export const PRICING = {
  ...PRICE_TABLE,
  hosting: { tokensPerMemberPerMonth: 10, freeCampuses: 1, freeCourses: 3 },
  storage: { tokensPerGigabytePerMonth: '3.99', freeGigabytes: '1', bytesPerGigabyte: 1_000_000_000 },
  ai: { percentOfCost: PRICE_TABLE.usage.percentOfCost, leastTokens: 1 },
};

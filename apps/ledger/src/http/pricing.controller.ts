import { Controller, Get, HttpCode, Post, Req } from '@nestjs/common';
import {
  EUROS_PATTERN,
  HOSTING,
  PICO_TOKENS_PER_TOKEN,
  type PriceTable,
  quote,
  type Quote,
  Refusal,
  STORAGE,
  tokensForEuros,
  tokensText,
  WALLET_TOKENS_MAX,
} from '@ledger/wallet';
import { IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';
import { Settings } from '../settings';
import { Operation, type LedgerRequest } from './operation';
import { validationFailed } from './problem';

export type QuoteAnswer = Quote;
export interface PricingAnswer extends PriceTable {
  ai: { percentOfCost: number; leastTokens: number };
  hosting: { tokensPerMemberPerMonth: number; freeCampuses: number; freeCourses: number };
  /** Decimals are texts. Every month costs by days/30. */
  storage: { tokensPerGigabytePerMonth: string; freeGigabytes: string; bytesPerGigabyte: number; daysPerMonth: number };
}

/** Rates of the domain, which no price table changes. */
const BILLED: Pick<PricingAnswer, 'hosting' | 'storage'> = {
  hosting: { tokensPerMemberPerMonth: HOSTING.tokensPerMember, freeCampuses: HOSTING.freeCampuses, freeCourses: HOSTING.freeCourses },
  storage: {
    tokensPerGigabytePerMonth: tokensText((BigInt(STORAGE.centitokensPerGigabyte) * PICO_TOKENS_PER_TOKEN) / 100n),
    freeGigabytes: String(STORAGE.freeGigabytes),
    bytesPerGigabyte: STORAGE.bytesPerGigabyte,
    daysPerMonth: STORAGE.daysPerMonth,
  },
};

const EUROS_MESSAGE = 'must be a decimal in a string such as "50.00", from "0.01" on, with at most two digits after the point';

/** A package, by its tokens or by its list price. */
@JSONSchema({ oneOf: [{ required: ['tokens'] }, { required: ['euros'] }] })
export class QuotePackage {
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(WALLET_TOKENS_MAX)
  tokens?: number;

  @IsOptional()
  @Matches(EUROS_PATTERN, { message: EUROS_MESSAGE })
  @JSONSchema({ type: 'string', pattern: EUROS_PATTERN.source, description: 'List price in EUR' })
  euros?: string;
}

@Controller('v1/pricing')
export class PricingController {
  constructor(private readonly settings: Settings) {}

  @Get()
  @Operation({ summary: 'The price table and the rates', access: 'anyRole', answers: { 200: 'Pricing' } })
  read(): PricingAnswer {
    const { priceTable } = this.settings;
    return { ...priceTable, ai: { percentOfCost: priceTable.usage.percentOfCost, leastTokens: 1 }, ...BILLED };
  }

  @Post('quote')
  @HttpCode(200)
  @Operation({
    summary: 'What a package costs, and whether a larger one costs no more',
    access: 'anyRole',
    body: QuotePackage,
    keyless: true,
    answers: { 200: 'Quote' },
    refusals: ['PURCHASE_TOO_SMALL'],
  })
  quote(@Req() request: LedgerRequest): QuoteAnswer {
    const { tokens: named, euros } = request.body as QuotePackage;
    const { priceTable } = this.settings;
    const tokens = named ?? tokensForEuros(priceTable, euros!);
    if (tokens === undefined) throw validationFailed([{ in: 'body', field: '/euros', value: euros, message: EUROS_MESSAGE }]);
    const minimum = priceTable.minimumTokens;
    if (tokens < minimum)
      throw new Refusal('PURCHASE_TOO_SMALL', `A package has at least ${minimum} tokens; ${tokens} were asked for.`, { tokens, minimum });
    return quote(priceTable, tokens);
  }
}

import { Controller, Get, HttpCode, Post, Req } from '@nestjs/common';
import { EUROS_PATTERN, PRICE_TABLE, quote, type Quote, Refusal, tokensForEuros, WALLET_TOKENS_MAX } from '@ledger/wallet';
import { IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';
import { Operation, type LedgerRequest } from './operation';
import { validationFailed } from './problem';
import { PRICING } from './rates';

export type QuoteAnswer = Quote;

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
  @Get()
  @Operation({ summary: 'The price table and the rates', access: 'anyRole', answers: { 200: 'Pricing' } })
  read(): typeof PRICING {
    return PRICING;
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
    const tokens = named ?? tokensForEuros(PRICE_TABLE, euros!);
    if (tokens === undefined) throw validationFailed([{ in: 'body', field: '/euros', value: euros, message: EUROS_MESSAGE }]);
    const minimum = PRICE_TABLE.minimumTokens;
    if (tokens < minimum)
      throw new Refusal('PURCHASE_TOO_SMALL', `A package has at least ${minimum} tokens; ${tokens} were asked for.`, { tokens, minimum });
    return quote(PRICE_TABLE, tokens);
  }
}

import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { COUNT_MAX, estimate, type Estimate, EUROS_PER_MEMBER_PATTERN, GIGABYTES_PATTERN, IsMemberCounts } from '@ledger/wallet';
import { IsInt, Matches, Max, Min } from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';
import { Settings } from '../settings';
import { Operation, type LedgerRequest } from './operation';

/** What the calculator is told. */
export class EstimateInput {
  @IsMemberCounts('Members of each campus, oldest first; the first is free')
  campuses: number[];

  @IsMemberCounts('Members of each course, oldest first; the first three are free')
  courses: number[];

  @Matches(GIGABYTES_PATTERN, { message: 'must be a decimal in a string such as "120", with at most nine digits after the point' })
  @JSONSchema({ type: 'string', pattern: GIGABYTES_PATTERN.source, description: 'Of 10^9 bytes; the first is free' })
  storageGigabytes: string;

  @IsInt()
  @Min(0)
  @Max(COUNT_MAX)
  members: number;

  @Matches(EUROS_PER_MEMBER_PATTERN, {
    message: 'must be a decimal in a string such as "5.00", at most 99999.99, with at most two digits after the point',
  })
  @JSONSchema({ type: 'string', pattern: EUROS_PER_MEMBER_PATTERN.source, description: 'AI budget of each member a month' })
  eurosPerMember: string;
}

@Controller('v1/estimates')
export class EstimatesController {
  constructor(private readonly settings: Settings) {}

  @Post()
  @HttpCode(200)
  @Operation({
    summary: 'The planning calculator: what a month of hosting, storage and AI would cost; writes nothing',
    access: 'anyRole',
    body: EstimateInput,
    keyless: true,
    answers: { 200: 'Estimate' },
  })
  estimate(@Req() request: LedgerRequest): Estimate {
    return estimate(request.body as EstimateInput, this.settings.priceTable);
  }
}

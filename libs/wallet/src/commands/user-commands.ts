import { ArrayMinSize, ArrayUnique, IsArray, IsIn, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';
import type { Source } from '../events';
import { INSTANT_PATTERN } from '../calendar';
import { COST_ABOVE_ZERO_PATTERN, FREE_TOKENS_MAX } from '../pricing';
import { WalletCommand } from './command';
import { IsText, IsTokens, IsWalletId } from './fields';

/** Charges a user for what a service did. Either `tokens` or `variableCostEuros`. */
@JSONSchema({ oneOf: [{ required: ['tokens'] }, { required: ['variableCostEuros'] }] })
export class UseTokens extends WalletCommand {
  @IsOptional()
  @IsTokens()
  tokens?: number;

  @IsOptional()
  @Matches(COST_ABOVE_ZERO_PATTERN, {
    message: 'must be a decimal in a string such as "0.10", above 0, with at most 9 digits before and 12 after the point',
  })
  @JSONSchema({
    type: 'string',
    pattern: COST_ABOVE_ZERO_PATTERN.source,
    description: 'Cost in EUR as a decimal string; tokens = cost x 1.9 / 0.01',
  })
  variableCostEuros?: string;

  @IsOptional()
  @IsText()
  service?: string;

  @IsOptional()
  @IsText()
  reference?: string;

  @IsOptional()
  @IsWalletId()
  organisationId?: string;

  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(['free', 'allocated', 'purchased'], { each: true })
  sources?: Source[];

  @IsOptional()
  @Matches(INSTANT_PATTERN, { message: 'must be an ISO 8601 instant in UTC such as 2026-11-23T12:00:00.000Z' })
  @JSONSchema({
    type: 'string',
    format: 'date-time',
    pattern: INSTANT_PATTERN.source,
    description: 'When it happened, ISO 8601 UTC; at most 72 h back and 60 s ahead. Its windows are counted, funds are of today',
  })
  occurredAt?: string;
}

/** Returns a usage once, in full, to the buckets and windows it came from. */
export class ReverseUsage extends WalletCommand {
  usageId: string;

  @IsOptional()
  @IsText()
  reason?: string;
}

/** Fixes the monthly number of free tokens of one user. */
export class SetFreeAllowance extends WalletCommand {
  @IsInt()
  @Min(0)
  @Max(FREE_TOKENS_MAX)
  tokensPerMonth: number;
}

/** Settlement of one line of an allocation; sent by the ledger itself, never by a client. */
export class ReceiveAllocation extends WalletCommand {
  organisationId: string;
  allocationId: string;
  /** The member's running number in this organisation. */
  number: number;
  tokens: number;
}

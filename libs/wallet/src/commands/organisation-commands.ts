import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsOptional, IsString, ValidateNested } from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';
import { WalletCommand } from './command';
import { IsLimit, IsText, IsTokens, IsWalletId, LINES_MAX } from './fields';

/** Opens an organisation's wallet, or sets its time zone. */
export class OpenOrganisationWallet extends WalletCommand {
  @IsOptional()
  @IsString({ message: 'must be the name of an IANA time zone such as Europe/Berlin' })
  @JSONSchema({ format: 'time-zone', description: 'IANA time zone of the windows of limits, such as Europe/Berlin. A new wallet has UTC' })
  timeZone?: string;
}

/** Credits a wallet, of an organisation or a user, with a package that was paid for. */
export class PurchaseTokens extends WalletCommand {
  @IsTokens()
  tokens: number;

  @IsText()
  @JSONSchema({ description: 'Names the payment; the same reference never credits a wallet twice' })
  paymentReference: string;

  @IsOptional()
  @IsText()
  purchasedBy?: string;
}

export class PeriodLimitsBody {
  @IsOptional()
  @IsLimit()
  daily?: number | null;

  @IsOptional()
  @IsLimit()
  monthly?: number | null;
}

export class LimitsBody {
  @IsOptional()
  @ValidateNested()
  @Type(() => PeriodLimitsBody)
  usage?: PeriodLimitsBody;

  @IsOptional()
  @ValidateNested()
  @Type(() => PeriodLimitsBody)
  allocation?: PeriodLimitsBody;
}

/** Changes the organisation's default limits; a field left out keeps what it was. */
export class SetDefaultLimits extends WalletCommand {
  @IsOptional()
  @ValidateNested()
  @Type(() => PeriodLimitsBody)
  usage?: PeriodLimitsBody;

  @IsOptional()
  @ValidateNested()
  @Type(() => PeriodLimitsBody)
  allocation?: PeriodLimitsBody;
}

/** Replaces a member's override whole; a field left out inherits the default. */
export class SetMemberLimits extends WalletCommand {
  userId: string;

  @IsOptional()
  @ValidateNested()
  @Type(() => PeriodLimitsBody)
  usage?: PeriodLimitsBody;

  @IsOptional()
  @ValidateNested()
  @Type(() => PeriodLimitsBody)
  allocation?: PeriodLimitsBody;
}

export class ClearMemberLimits extends WalletCommand {
  userId: string;
}

/** Permits, suspends or resumes a member. */
export class SetMember extends WalletCommand {
  userId: string;

  @IsIn(['permitted', 'suspended'])
  status: 'permitted' | 'suspended';
}

export class RemoveMember extends WalletCommand {
  userId: string;
}

export class MemberLine {
  @IsWalletId()
  userId: string;

  @IsIn(['permitted', 'suspended'])
  status: 'permitted' | 'suspended';

  @IsOptional()
  @ValidateNested()
  @Type(() => LimitsBody)
  @JSONSchema({ nullable: true, description: 'The whole override; null clears it; left out keeps it' })
  limits?: LimitsBody | null;
}

/** Sets up to 10,000 members at once, all or nothing. */
export class SetMembers extends WalletCommand {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(LINES_MAX)
  @ValidateNested({ each: true })
  @Type(() => MemberLine)
  members: MemberLine[];
}

export class AllocationLineBody {
  @IsWalletId()
  userId: string;

  @IsTokens()
  tokens: number;
}

/** Moves tokens from the organisation's wallet to 1..10,000 members, all or nothing. */
export class AllocateTokens extends WalletCommand {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(LINES_MAX)
  @ValidateNested({ each: true })
  @Type(() => AllocationLineBody)
  lines: AllocationLineBody[];

  @IsOptional()
  @IsText()
  memo?: string;
}

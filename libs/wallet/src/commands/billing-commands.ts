import { IsIn, IsInt, Matches, Max, Min } from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';
import type { ShortfallPolicy } from '../events';
import { WalletCommand } from './command';
import { IsMemberCounts, TOKENS_MAX } from './fields';

const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;
const DAY = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;

/** Bills a month of hosting to its owner; one bill per owner and month. */
export class ChargeBill extends WalletCommand {
  @IsIn(['hosting'])
  kind: 'hosting';

  @Matches(MONTH, { message: 'must be a month such as 2026-11' })
  @JSONSchema({ type: 'string', pattern: MONTH.source, description: 'This month or a past one, in the zone of the owner' })
  month: string;

  @IsMemberCounts('Members of each campus, oldest first; the first is free')
  campuses: number[];

  @IsMemberCounts('Members of each course, oldest first; the first three are free')
  courses: number[];

  @IsIn(['decline', 'owe'])
  onShortfall: ShortfallPolicy;
}

/** Accrues a day of storage to its owner; one accrual per owner and day, in any order. */
export class AccrueStorage extends WalletCommand {
  @Matches(DAY, { message: 'must be a day such as 2026-11-23' })
  @JSONSchema({
    type: 'string',
    format: 'date',
    pattern: DAY.source,
    description: 'A day in the zone of the owner that ended at most 72 h ago',
  })
  day: string;

  @IsInt()
  @Min(0)
  @Max(TOKENS_MAX)
  @JSONSchema({ description: 'Bytes stored on that day; 10^9 of them are free' })
  bytes: number;

  @IsIn(['decline', 'owe'])
  onShortfall: ShortfallPolicy;
}

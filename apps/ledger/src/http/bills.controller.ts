import { Controller, Get, Post, Req, Res } from '@nestjs/common';
import { AccrueStorage, ChargeBill } from '@ledger/wallet';
import type { FastifyReply } from 'fastify';
import type { BillAnswer, Page, StorageAnswer } from '../views/answers';
import { Queries } from '../views/queries';
import { billMade, type BillMade, storageMade, type StorageMade } from './bills-from-events';
import { Commands } from './commands';
import { organisationNotFound } from './not-found';
import { Operation, type CommandRequest, type LedgerRequest } from './operation';
import { billKind, pageOf, paging } from './query-parameters';

/** The bills of both kinds of owner: the same commands and answers, read by other roles. */

const QUERY = { ...paging, kind: billKind };

const BILL = {
  summary: 'Bills a month of hosting, once; the first campus and the first three courses are free',
  access: 'platform',
  command: ChargeBill,
  answers: { 201: 'BillMade' },
} as const;
const STORAGE = {
  summary: 'Accrues a day of storage, once; 1 GB is free, whole tokens are charged as they gather',
  access: 'platform',
  command: AccrueStorage,
  answers: { 201: 'StorageMade' },
} as const;
const LIST = { summary: 'Hosting bills, declined ones too, and days of storage, newest first', query: QUERY } as const;
const STATE = { summary: 'Storage as it stands: accrued days, missed days, what is carried and owed' } as const;
const BILL_REFUSALS = ['BILL_EXISTS', 'INSUFFICIENT_TOKENS', 'BALANCE_TOO_LARGE'] as const;
const STORAGE_REFUSALS = ['BILL_EXISTS', 'TOO_OLD', 'BALANCE_TOO_LARGE'] as const;

@Controller('v1/organisations/:organisationId')
export class OrganisationBillsController {
  constructor(
    private readonly commands: Commands,
    private readonly queries: Queries,
  ) {}

  @Post('bills')
  @Operation({ ...BILL, refusals: ['ORGANISATION_NOT_FOUND', ...BILL_REFUSALS] })
  async bill(@Req() request: CommandRequest<ChargeBill>, @Res({ passthrough: true }) reply: FastifyReply): Promise<BillMade> {
    return billMade((await this.commands.send(request.command, reply)).events);
  }

  @Post('storage')
  @Operation({ ...STORAGE, refusals: ['ORGANISATION_NOT_FOUND', ...STORAGE_REFUSALS] })
  async accrue(@Req() request: CommandRequest<AccrueStorage>, @Res({ passthrough: true }) reply: FastifyReply): Promise<StorageMade> {
    return storageMade((await this.commands.send(request.command, reply)).events);
  }

  @Get('bills')
  @Operation({ ...LIST, access: 'organisationRead', answers: { 200: 'Bills' }, refusals: ['ORGANISATION_NOT_FOUND'] })
  list(@Req() { params, asked }: LedgerRequest<typeof QUERY>): Page<BillAnswer> {
    return this.queries.bills({ kind: 'organisation', id: this.existing(params) }, { ...pageOf(asked), ...kindOf(asked) });
  }

  @Get('storage')
  @Operation({ ...STATE, access: 'organisationRead', answers: { 200: 'Storage' }, refusals: ['ORGANISATION_NOT_FOUND'] })
  storage(@Req() { params }: LedgerRequest): StorageAnswer {
    return this.queries.storage({ kind: 'organisation', id: this.existing(params) });
  }

  private existing(params: Record<string, string>): string {
    const organisationId = params['organisationId']!;
    if (this.queries.defaultLimits(organisationId) === undefined) throw organisationNotFound(organisationId);
    return organisationId;
  }
}

@Controller('v1/users/:userId')
export class UserBillsController {
  constructor(
    private readonly commands: Commands,
    private readonly queries: Queries,
  ) {}

  @Post('bills')
  @Operation({ ...BILL, refusals: BILL_REFUSALS })
  async bill(@Req() request: CommandRequest<ChargeBill>, @Res({ passthrough: true }) reply: FastifyReply): Promise<BillMade> {
    return billMade((await this.commands.send(request.command, reply)).events);
  }

  @Post('storage')
  @Operation({ ...STORAGE, refusals: STORAGE_REFUSALS })
  async accrue(@Req() request: CommandRequest<AccrueStorage>, @Res({ passthrough: true }) reply: FastifyReply): Promise<StorageMade> {
    return storageMade((await this.commands.send(request.command, reply)).events);
  }

  @Get('bills')
  @Operation({ ...LIST, access: 'userRead', answers: { 200: 'Bills' } })
  list(@Req() { params, asked }: LedgerRequest<typeof QUERY>): Page<BillAnswer> {
    return this.queries.bills({ kind: 'user', id: params['userId']! }, { ...pageOf(asked), ...kindOf(asked) });
  }

  @Get('storage')
  @Operation({ ...STATE, access: 'userRead', answers: { 200: 'Storage' } })
  storage(@Req() { params }: LedgerRequest): StorageAnswer {
    return this.queries.storage({ kind: 'user', id: params['userId']! });
  }
}

const kindOf = ({ kind }: { kind?: 'hosting' | 'storage' }) => (kind === undefined ? {} : { kind });

import { Controller, Get, Post, Req, Res } from '@nestjs/common';
import { ReverseUsage, UseTokens } from '@ledger/wallet';
import type { FastifyReply } from 'fastify';
import type { Page, UsageAnswer } from '../views/answers';
import { Queries } from '../views/queries';
import { usageCharged, type UsageCharged, usageReturned, type UsageReturned } from './answers-from-events';
import { Commands } from './commands';
import { usageNotFound } from './not-found';
import { Operation, type CommandRequest, type LedgerRequest } from './operation';
import { pageOf, paging, reference } from './query-parameters';

const BY_REFERENCE = { ...paging, reference };

@Controller('v1/users/:userId/usages')
export class UsagesController {
  constructor(
    private readonly commands: Commands,
    private readonly queries: Queries,
  ) {}

  @Post()
  @Operation({
    summary: 'Charges a user for what a service did',
    access: 'platform',
    command: UseTokens,
    waits: true,
    answers: { 201: 'UsageCharged' },
    refusals: ['ORGANISATION_NOT_FOUND', 'TOO_OLD', 'MEMBER_NOT_PERMITTED', 'MEMBER_SUSPENDED', 'LIMIT_EXCEEDED', 'INSUFFICIENT_TOKENS'],
  })
  async use(@Req() request: CommandRequest<UseTokens>, @Res({ passthrough: true }) reply: FastifyReply): Promise<UsageCharged> {
    return usageCharged((await this.commands.send(request.command, reply)).events);
  }

  @Get()
  @Operation({
    summary: 'The usages that were charged with a reference',
    access: 'userRead',
    query: BY_REFERENCE,
    answers: { 200: 'Usages' },
  })
  byReference(@Req() { params, asked }: LedgerRequest<typeof BY_REFERENCE>): Page<UsageAnswer> {
    return this.queries.usagesByReference(params['userId']!, asked.reference!, pageOf(asked));
  }

  @Get(':usageId')
  @Operation({
    summary: 'A usage as it was charged, and whether it was reversed',
    access: 'userRead',
    answers: { 200: 'Usage' },
    refusals: ['USAGE_NOT_FOUND'],
  })
  read(@Req() { params }: LedgerRequest): UsageAnswer {
    const { userId, usageId } = params as { userId: string; usageId: string };
    const usage = this.queries.usage(userId, usageId);
    if (usage === undefined) throw usageNotFound(userId, usageId);
    return usage;
  }

  @Post(':usageId/reversal')
  @Operation({
    summary: 'Returns a usage once, in full, to where it came from',
    access: 'platform',
    command: ReverseUsage,
    bodyOptional: true,
    answers: { 201: 'UsageReturned' },
    refusals: ['USAGE_NOT_FOUND', 'USAGE_ALREADY_REVERSED'],
  })
  async reverse(@Req() request: CommandRequest<ReverseUsage>, @Res({ passthrough: true }) reply: FastifyReply): Promise<UsageReturned> {
    return usageReturned((await this.commands.send(request.command, reply)).events);
  }
}

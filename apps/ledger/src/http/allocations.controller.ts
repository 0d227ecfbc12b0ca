import { Controller, Get, Post, Req, Res } from '@nestjs/common';
import { AllocateTokens } from '@ledger/wallet';
import type { FastifyReply } from 'fastify';
import type { AllocationAnswer, AllocationDetail, Page } from '../views/answers';
import { Queries } from '../views/queries';
import { Previews } from '../wallets/commanding';
import { allocationMade, type AllocationMade, allocationPreviewed } from './answers-from-events';
import { Commands } from './commands';
import { allocationNotFound, organisationNotFound } from './not-found';
import { Operation, type CommandRequest, type LedgerRequest } from './operation';
import { dryRun, pageOf, paging } from './query-parameters';

const DRY_RUN_QUERY = { dryRun };

@Controller('v1/organisations/:organisationId/allocations')
export class AllocationsController {
  constructor(
    private readonly commands: Commands,
    private readonly previews: Previews,
    private readonly queries: Queries,
  ) {}

  @Post()
  @Operation({
    summary: 'Moves tokens to 1 to 10,000 members, all or nothing',
    access: 'organisationCommand',
    command: AllocateTokens,
    query: DRY_RUN_QUERY,
    answers: { 200: 'AllocationMade', 201: 'AllocationMade' },
    refusals: ['ORGANISATION_NOT_FOUND', 'ALLOCATION_REFUSED', 'INSUFFICIENT_TOKENS'],
  })
  async allocate(
    @Req() { command, asked }: CommandRequest<AllocateTokens, typeof DRY_RUN_QUERY>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AllocationMade> {
    if (!asked.dryRun) return allocationMade((await this.commands.send(command, reply)).events);
    reply.status(200);
    return allocationPreviewed(await this.previews.preview(command));
  }

  @Get()
  @Operation({
    summary: 'The allocations of an organisation, newest first',
    access: 'organisationRead',
    query: paging,
    answers: { 200: 'Allocations' },
    refusals: ['ORGANISATION_NOT_FOUND'],
  })
  list(@Req() { params, asked }: LedgerRequest<typeof paging>): Page<AllocationAnswer> {
    const organisationId = params['organisationId']!;
    if (this.queries.defaultLimits(organisationId) === undefined) throw organisationNotFound(organisationId);
    return this.queries.allocations(organisationId, pageOf(asked));
  }

  @Get(':allocationId')
  @Operation({
    summary: 'An allocation, how far it is settled, and its lines by pages',
    access: 'organisationRead',
    query: paging,
    answers: { 200: 'AllocationDetail' },
    refusals: ['ORGANISATION_NOT_FOUND', 'ALLOCATION_NOT_FOUND'],
  })
  read(@Req() { params, asked }: LedgerRequest<typeof paging>): AllocationDetail {
    const { organisationId, allocationId } = params as { organisationId: string; allocationId: string };
    const allocation = this.queries.allocation(organisationId, allocationId, pageOf(asked));
    if (allocation !== undefined) return allocation;
    throw this.queries.defaultLimits(organisationId) === undefined
      ? organisationNotFound(organisationId)
      : allocationNotFound(organisationId, allocationId);
  }
}

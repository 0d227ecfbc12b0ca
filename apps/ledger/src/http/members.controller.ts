import { Controller, Delete, Get, HttpCode, Post, Put, Req, Res } from '@nestjs/common';
import {
  type BatchResult,
  ClearMemberLimits,
  RemoveMember,
  SetMember,
  SetMemberLimits,
  SetMembers,
  type WalletCommand,
} from '@ledger/wallet';
import type { FastifyReply } from 'fastify';
import type { MemberAnswer, Page } from '../views/answers';
import { Queries } from '../views/queries';
import { Clock } from '../wallets/clock';
import { Previews } from '../wallets/commanding';
import { membersSet } from './answers-from-events';
import { Commands } from './commands';
import { memberNotFound, organisationNotFound } from './not-found';
import { Operation, type CommandRequest, type LedgerRequest } from './operation';
import { Positions } from './position';
import { blocked, dryRun, pageOf, paging, status } from './query-parameters';

const MEMBERS_QUERY = { ...paging, status, blocked };
const DRY_RUN_QUERY = { dryRun };
const COMMAND = {
  access: 'organisationCommand',
  answers: { 200: 'Member' },
  refusals: ['ORGANISATION_NOT_FOUND', 'MEMBER_NOT_FOUND'],
} as const;
const READ = { access: 'organisationRead', refusals: ['ORGANISATION_NOT_FOUND'] } as const;

@Controller('v1/organisations/:organisationId/members')
export class MembersController {
  constructor(
    private readonly commands: Commands,
    private readonly previews: Previews,
    private readonly queries: Queries,
    private readonly positions: Positions,
    private readonly clock: Clock,
  ) {}

  @Get()
  @Operation({
    ...READ,
    summary: 'The members of an organisation, without removed ones unless asked for',
    query: MEMBERS_QUERY,
    answers: { 200: 'Members' },
  })
  list(@Req() { params, asked }: LedgerRequest<typeof MEMBERS_QUERY>): Page<MemberAnswer> {
    const organisationId = params['organisationId']!;
    if (this.queries.defaultLimits(organisationId) === undefined) throw organisationNotFound(organisationId);
    const filter = {
      ...pageOf(asked),
      ...(asked.status && { status: asked.status }),
      ...(asked.blocked !== undefined && { blocked: asked.blocked }),
    };
    return this.queries.members(organisationId, filter, this.clock.now());
  }

  @Get(':userId')
  @Operation({
    ...READ,
    summary: 'A member with its allocated tokens and its limits',
    answers: { 200: 'Member' },
    refusals: ['ORGANISATION_NOT_FOUND', 'MEMBER_NOT_FOUND'],
  })
  read(@Req() { params }: LedgerRequest): MemberAnswer {
    return this.member(params);
  }

  @Put(':userId')
  @Operation({
    ...COMMAND,
    summary: 'Permits, suspends or resumes a member',
    command: SetMember,
    answers: { 200: 'Member', 201: 'Member' },
    refusals: ['ORGANISATION_NOT_FOUND', 'TOO_MANY_ORGANISATIONS'],
  })
  async set(@Req() request: CommandRequest<SetMember>, @Res({ passthrough: true }) reply: FastifyReply): Promise<MemberAnswer> {
    const { organisationId, userId } = request.params;
    // Events do not tell a new member from one who rejoins, so the views are asked before the command: of two at the same moment both may
    // be told 201.
    await this.positions.readAllOf(request.command.wallet);
    const known = this.queries.member(organisationId!, userId!, this.clock.now()) !== undefined;
    const { events, replayed } = await this.commands.change(request.command, reply);
    reply.status(known || replayed || events.length === 0 ? 200 : 201);
    return this.member(request.params);
  }

  @Delete(':userId')
  @Operation({ ...COMMAND, summary: 'Removes a member; what was allocated stays', command: RemoveMember })
  remove(@Req() request: CommandRequest<RemoveMember>, @Res({ passthrough: true }) reply: FastifyReply): Promise<MemberAnswer> {
    return this.changed(request, reply);
  }

  @Put(':userId/limits')
  @Operation({ ...COMMAND, summary: "Replaces a member's own limits; a field left out inherits the default", command: SetMemberLimits })
  setLimits(@Req() request: CommandRequest<SetMemberLimits>, @Res({ passthrough: true }) reply: FastifyReply): Promise<MemberAnswer> {
    return this.changed(request, reply);
  }

  @Delete(':userId/limits')
  @Operation({ ...COMMAND, summary: "Clears a member's own limits: the default counts", command: ClearMemberLimits })
  clearLimits(@Req() request: CommandRequest<ClearMemberLimits>, @Res({ passthrough: true }) reply: FastifyReply): Promise<MemberAnswer> {
    return this.changed(request, reply);
  }

  @Post('batch')
  @HttpCode(200)
  @Operation({
    summary: 'Sets up to 10,000 members with their limits, all or nothing',
    access: 'organisationCommand',
    command: SetMembers,
    query: DRY_RUN_QUERY,
    answers: { 200: 'MembersSet' },
    refusals: ['ORGANISATION_NOT_FOUND', 'DUPLICATE_MEMBER', 'TOO_MANY_ORGANISATIONS'],
  })
  async setMany(
    @Req() request: CommandRequest<SetMembers, typeof DRY_RUN_QUERY>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<BatchResult> {
    const { command, asked } = request;
    const events = asked.dryRun ? await this.previews.preview(command) : (await this.commands.send(command, reply)).events;
    return membersSet(events, command.members.length);
  }

  private async changed(request: CommandRequest<WalletCommand>, reply: FastifyReply): Promise<MemberAnswer> {
    await this.commands.change(request.command, reply);
    return this.member(request.params);
  }

  private member(params: Record<string, string>): MemberAnswer {
    const { organisationId, userId } = params as { organisationId: string; userId: string };
    const member = this.queries.member(organisationId, userId, this.clock.now());
    if (member !== undefined) return member;
    throw this.queries.defaultLimits(organisationId) === undefined
      ? organisationNotFound(organisationId)
      : memberNotFound(organisationId, userId);
  }
}

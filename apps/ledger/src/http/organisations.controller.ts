import { Controller, Get, Patch, Post, Put, Req, Res } from '@nestjs/common';
import { type DefaultLimits, OpenOrganisationWallet, PurchaseTokens, SetDefaultLimits } from '@ledger/wallet';
import type { FastifyReply } from 'fastify';
import type { OrganisationAnswer } from '../views/answers';
import { Queries } from '../views/queries';
import { purchaseMade, type PurchaseMade } from './answers-from-events';
import { Commands } from './commands';
import { organisationNotFound } from './not-found';
import { Operation, type CommandRequest, type LedgerRequest } from './operation';

@Controller('v1/organisations/:organisationId')
export class OrganisationsController {
  constructor(
    private readonly commands: Commands,
    private readonly queries: Queries,
  ) {}

  @Put()
  @Operation({
    summary: 'Opens the wallet of an organisation, or sets its time zone',
    access: 'organisationCommand',
    command: OpenOrganisationWallet,
    bodyOptional: true,
    answers: { 200: 'Organisation', 201: 'Organisation' },
  })
  async open(
    @Req() request: CommandRequest<OpenOrganisationWallet>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OrganisationAnswer> {
    const { events, replayed } = await this.commands.change(request.command, reply);
    reply.status(!replayed && events.some(({ type }) => type === 'OrganisationWalletOpened') ? 201 : 200);
    return this.organisation(request.params['organisationId']!);
  }

  @Get()
  @Operation({
    summary: 'The wallet of an organisation',
    access: 'organisationRead',
    answers: { 200: 'Organisation' },
    refusals: ['ORGANISATION_NOT_FOUND'],
  })
  read(@Req() request: LedgerRequest): OrganisationAnswer {
    return this.organisation(request.params['organisationId']!);
  }

  @Post('purchases')
  @Operation({
    summary: 'Credits a package of tokens that was paid for',
    access: 'platform',
    command: PurchaseTokens,
    answers: { 201: 'PurchaseMade' },
    refusals: ['ORGANISATION_NOT_FOUND', 'PURCHASE_TOO_SMALL', 'PAYMENT_REFERENCE_USED', 'BALANCE_TOO_LARGE'],
  })
  async purchase(@Req() request: CommandRequest<PurchaseTokens>, @Res({ passthrough: true }) reply: FastifyReply): Promise<PurchaseMade> {
    return purchaseMade((await this.commands.send(request.command, reply)).events);
  }

  @Patch('limits')
  @Operation({
    summary: 'Changes the default limits of the members; a field left out keeps what it was',
    access: 'organisationCommand',
    command: SetDefaultLimits,
    answers: { 200: 'DefaultLimits' },
    refusals: ['ORGANISATION_NOT_FOUND'],
  })
  async setLimits(
    @Req() request: CommandRequest<SetDefaultLimits>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DefaultLimits> {
    await this.commands.change(request.command, reply);
    return this.limits(request.params['organisationId']!);
  }

  @Get('limits')
  @Operation({
    summary: 'The default limits of the members',
    access: 'organisationRead',
    answers: { 200: 'DefaultLimits' },
    refusals: ['ORGANISATION_NOT_FOUND'],
  })
  readLimits(@Req() request: LedgerRequest): DefaultLimits {
    return this.limits(request.params['organisationId']!);
  }

  private organisation(organisationId: string): OrganisationAnswer {
    const organisation = this.queries.organisation(organisationId);
    if (organisation === undefined) throw organisationNotFound(organisationId);
    return organisation;
  }

  private limits(organisationId: string): DefaultLimits {
    const limits = this.queries.defaultLimits(organisationId);
    if (limits === undefined) throw organisationNotFound(organisationId);
    return limits;
  }
}

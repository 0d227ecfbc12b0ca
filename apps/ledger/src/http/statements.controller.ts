import { Controller, Get, Req, Res } from '@nestjs/common';
import type { WalletRef } from '@ledger/wallet';
import type { FastifyReply } from 'fastify';
import type { Page } from '../views/answers';
import type { OrganisationBalanceAt, UserBalanceAt } from '../views/balances-at';
import type { PurchaseAnswer } from '../views/purchases';
import { Queries } from '../views/queries';
import { organisationNotFound } from './not-found';
import { type LedgerRequest, Operation } from './operation';
import { pageOf, paging } from './query-parameters';
import { AT, ORGANISATION_STATEMENT, USER_STATEMENT } from './statement-parameters';
import { type EntryAnswer, Statements } from './statements';

const ORGANISATION = { access: 'organisationRead', refusals: ['ORGANISATION_NOT_FOUND', 'STORE_UNAVAILABLE'] } as const;
const USER = { access: 'userRead', refusals: ['STORE_UNAVAILABLE'] } as const;

/** What an organisation's wallet went through. It names members' allocated tokens in sum, and never what is their own. */
@Controller('v1/organisations/:organisationId')
export class OrganisationStatementController {
  constructor(
    private readonly statements: Statements,
    private readonly queries: Queries,
  ) {}

  @Get('entries')
  @Operation({
    ...ORGANISATION,
    summary: 'The statement of an organisation, oldest first; also as CSV',
    query: ORGANISATION_STATEMENT,
    answers: { 200: 'Entries' },
    csv: true,
  })
  entries(
    @Req() request: LedgerRequest<typeof ORGANISATION_STATEMENT>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page<EntryAnswer> | string> {
    return this.statements.read(organisation(request.params), request, reply);
  }

  @Get('balance')
  @Operation({ ...ORGANISATION, summary: 'What an organisation held at an instant', query: AT, answers: { 200: 'OrganisationBalanceAt' } })
  balance(@Req() { params, asked }: LedgerRequest<typeof AT>): Promise<OrganisationBalanceAt> {
    return this.statements.organisationBalance(organisation(params).id, asked);
  }

  @Get('purchases')
  @Operation({
    access: 'organisationRead',
    refusals: ['ORGANISATION_NOT_FOUND'],
    summary: 'The packages that an organisation bought, newest first',
    query: paging,
    answers: { 200: 'Purchases' },
  })
  purchases(@Req() { params, asked }: LedgerRequest<typeof paging>): Page<PurchaseAnswer> {
    const wallet = organisation(params);
    if (this.queries.defaultLimits(wallet.id) === undefined) throw organisationNotFound(wallet.id);
    return this.queries.purchases(wallet, pageOf(asked));
  }
}

/** What a user's wallet went through. An allocation is seen as AllocationReceived. */
@Controller('v1/users/:userId')
export class UserStatementController {
  constructor(
    private readonly statements: Statements,
    private readonly queries: Queries,
  ) {}

  @Get('entries')
  @Operation({
    ...USER,
    summary: 'The statement of a user, oldest first; also as CSV',
    query: USER_STATEMENT,
    answers: { 200: 'Entries' },
    csv: true,
  })
  entries(
    @Req() request: LedgerRequest<typeof USER_STATEMENT>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page<EntryAnswer> | string> {
    return this.statements.read(user(request.params), request, reply);
  }

  @Get('balance')
  @Operation({ ...USER, summary: 'What a user held at an instant', query: AT, answers: { 200: 'UserBalanceAt' } })
  balance(@Req() { params, asked }: LedgerRequest<typeof AT>): Promise<UserBalanceAt> {
    return this.statements.userBalance(user(params).id, asked);
  }

  @Get('purchases')
  @Operation({ access: 'userRead', summary: 'The packages that a user bought, newest first', query: paging, answers: { 200: 'Purchases' } })
  purchases(@Req() { params, asked }: LedgerRequest<typeof paging>): Page<PurchaseAnswer> {
    return this.queries.purchases(user(params), pageOf(asked));
  }
}

const organisation = ({ organisationId }: Record<string, string>): WalletRef => ({ kind: 'organisation', id: organisationId! });
const user = ({ userId }: Record<string, string>): WalletRef => ({ kind: 'user', id: userId! });

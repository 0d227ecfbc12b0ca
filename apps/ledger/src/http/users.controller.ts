import { Controller, Get, Post, Put, Req, Res } from '@nestjs/common';
import { PurchaseTokens, SetFreeAllowance } from '@ledger/wallet';
import type { FastifyReply } from 'fastify';
import type { UserAnswer } from '../views/answers';
import { Queries } from '../views/queries';
import { Clock } from '../wallets/clock';
import { purchaseMade, type PurchaseMade } from './answers-from-events';
import { Commands } from './commands';
import { Operation, type CommandRequest, type LedgerRequest } from './operation';

export type FreeAllowanceAnswer = { userId: string } & UserAnswer['free'];

@Controller('v1/users/:userId')
export class UsersController {
  constructor(
    private readonly commands: Commands,
    private readonly queries: Queries,
    private readonly clock: Clock,
  ) {}

  @Get()
  @Operation({ summary: 'The wallet of a user; one never heard of reads as empty', access: 'userRead', answers: { 200: 'User' } })
  read(@Req() { params }: LedgerRequest): UserAnswer {
    return this.queries.user(params['userId']!, this.clock.now());
  }

  @Put('free-allowance')
  @Operation({
    summary: 'Fixes the monthly number of free tokens of a user',
    access: 'platform',
    command: SetFreeAllowance,
    answers: { 200: 'FreeAllowance' },
  })
  async setFreeAllowance(
    @Req() request: CommandRequest<SetFreeAllowance>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FreeAllowanceAnswer> {
    await this.commands.change(request.command, reply);
    const { userId, free } = this.queries.user(request.params['userId']!, this.clock.now());
    return { userId, ...free };
  }

  @Post('purchases')
  @Operation({
    summary: 'Credits a package of tokens that was paid for',
    access: 'platform',
    command: PurchaseTokens,
    answers: { 201: 'PurchaseMade' },
    refusals: ['PURCHASE_TOO_SMALL', 'PAYMENT_REFERENCE_USED', 'BALANCE_TOO_LARGE'],
  })
  async purchase(@Req() request: CommandRequest<PurchaseTokens>, @Res({ passthrough: true }) reply: FastifyReply): Promise<PurchaseMade> {
    return purchaseMade((await this.commands.send(request.command, reply)).events);
  }
}

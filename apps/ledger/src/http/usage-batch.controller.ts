import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Operation, type LedgerRequest } from './operation';
import { Positions } from './position';
import { UsageBatch, UsageBatches } from './usage-batch';

@Controller('v1/usages/batch')
export class UsageBatchController {
  constructor(
    private readonly batches: UsageBatches,
    private readonly positions: Positions,
  ) {}

  @Post()
  @HttpCode(200)
  @Operation({
    summary: 'Charges many users at once: each line by itself, those of one user in the order of the list',
    access: 'platform',
    body: UsageBatch,
    keyless: true,
    waits: true,
    answers: { 200: 'UsagesCharged' },
    refusals: ['OVERLOADED'],
  })
  async charge(@Req() request: LedgerRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const { usages } = request.body as UsageBatch;
    const { text, place } = await this.batches.charge(usages, request.principal, request.headers);
    const header = await this.positions.of({ events: [], position: place.position, eventId: place.id });
    if (header !== undefined) reply.header('ledger-position', header);
    reply.type('application/json; charset=utf-8');
    return text;
  }
}

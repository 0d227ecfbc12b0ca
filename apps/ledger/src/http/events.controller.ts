import { NO_PLACE, type Place } from '@ledger/event-store';
import { EVENT_TYPES, type EventType, WALLET_ID_PATTERN, type WalletRef } from '@ledger/wallet';
import { Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { audienceOf, type FeedFilter, mayFollow } from '../feed/audience';
import { Readers } from '../feed/readers';
import { Operation, type LedgerRequest } from './operation';
import { Positions } from './position';
import { Problem } from './problem';
import type { QueryParameter } from './query-parameters';

const POSITION_LENGTH_MAX = 200;
const WALLET_MESSAGE = 'must be organisation:<id> or user:<id>';

const from: QueryParameter<string> = {
  schema: {
    type: 'string',
    minLength: 1,
    maxLength: POSITION_LENGTH_MAX,
    description: 'The id of the last event seen, or a Ledger-Position',
  },
  message: 'must be a position that this ledger gave',
  read: (text) => (text.length >= 1 && text.length <= POSITION_LENGTH_MAX ? text : undefined),
};
const wallet: QueryParameter<WalletRef> = {
  schema: { type: 'string', description: 'Only events of this wallet: organisation:<id> or user:<id>' },
  message: WALLET_MESSAGE,
  read: (text) => {
    const [, kind, id] = /^(organisation|user):(.*)$/s.exec(text) ?? [];
    return id !== undefined && WALLET_ID_PATTERN.test(id) ? { kind: kind as WalletRef['kind'], id } : undefined;
  },
};
const type: QueryParameter<EventType[]> = {
  schema: { type: 'string', description: 'Only events of these types, separated by commas' },
  message: `must be some of ${EVENT_TYPES.join(', ')}, separated by commas`,
  read: (text) => {
    const names = text.split(',');
    const types = EVENT_TYPES.filter((known) => names.includes(known));
    return types.length > 0 && types.length === names.length ? types : undefined;
  },
};
const EVENTS_QUERY = { from, wallet, type };

const HEAD = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // A proxy that gathers answers would hold events back.
  'x-accel-buffering': 'no',
  // One stream, then the end: a server that shuts down need not wait for another request.
  connection: 'close',
};
/** What clients wait before they come back. */
const OPENING = 'retry: 1000\n\n';

@Controller('v1/events')
export class EventsController {
  constructor(
    private readonly readers: Readers,
    private readonly positions: Positions,
  ) {}

  @Get()
  @Operation({
    summary: 'The events as they are written, from the beginning or from a position, as server-sent events',
    access: 'events',
    query: EVENTS_QUERY,
    answers: { 200: 'EventFeed' },
    stream: true,
    refusals: ['OVERLOADED', 'STORE_UNAVAILABLE'],
  })
  async follow(@Req() request: LedgerRequest<typeof EVENTS_QUERY>, @Res() reply: FastifyReply): Promise<void> {
    const { asked, principal, headers } = request;
    const audience = audienceOf(principal);
    if (audience === undefined || (asked.wallet !== undefined && !mayFollow(audience, asked.wallet)))
      throw new Problem('FORBIDDEN', 'Your role may not follow this wallet: leave the filter out to follow what it may.', {
        needed: ['platform', 'auditor', ...(asked.wallet ? [`whom ${asked.wallet.kind} ${asked.wallet.id} belongs to`] : [])],
      });
    const filter: FeedFilter = { ...(asked.wallet && { wallet: asked.wallet }), ...(asked.type && { types: asked.type }) };
    const place = await this.place(headers['last-event-id'], asked.from);
    if (request.method === 'HEAD') return void reply.headers({ ...HEAD, connection: 'keep-alive' }).send();
    this.readers.enter();
    reply.hijack();
    reply.raw.writeHead(200, HEAD);
    reply.raw.write(OPENING);
    await this.readers.serve(reply.raw, { audience, filter, from: place, authorization: headers.authorization });
  }

  /** A reader that comes back says in a header where it was, and beats what its address still says. */
  private async place(lastEventId: string | string[] | undefined, asked: string | undefined): Promise<Place> {
    if (lastEventId !== undefined && lastEventId !== '')
      return this.positions.known(String(lastEventId), { in: 'header', field: '/Last-Event-ID' });
    return asked === undefined ? NO_PLACE : this.positions.known(asked, { in: 'query', field: '/from' });
  }
}

import { isIP } from 'node:net';
import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../http/problem';
import { Settings } from '../settings';
import { Metrics } from './metrics';

@Controller('metrics')
export class MetricsController {
  /**
   * Metrics carry no ids and no secrets, but they are nobody's business outside: HOST names one address, and who reaches it may
   * read them; a HOST that means every address (0.0.0.0, ::) shows them to callers of this machine only.
   */
  private readonly everywhere: boolean;

  constructor(
    private readonly metrics: Metrics,
    @Inject(Settings) { host }: Settings,
  ) {
    this.everywhere = host === '0.0.0.0' || (isIP(host) === 6 && /^[0:]+$/.test(host));
  }

  @Get()
  async read(@Req() { socket }: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    if (this.everywhere && !isLoopback(socket.remoteAddress))
      throw new Problem('FORBIDDEN', 'Metrics are for callers of this machine, as HOST means every address.', {
        needed: ['a caller on this machine'],
      });
    reply.type(this.metrics.registry.contentType);
    return this.metrics.registry.metrics();
  }
}

const isLoopback = (address = ''): boolean => address === '::1' || /^(::ffff:)?127\./.test(address);

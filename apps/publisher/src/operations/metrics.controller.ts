import { isIP } from 'node:net';
import { Controller, ForbiddenException, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Settings } from '../settings';
import { PublisherMetrics } from './publisher-metrics';

@Controller('metrics')
export class MetricsController {
  /** PUBLISHER_HOST names one address, and who reaches it may read; when it means every address, callers of this machine only. */
  private readonly everywhere: boolean;

  constructor(
    private readonly metrics: PublisherMetrics,
    @Inject(Settings) { host }: Settings,
  ) {
    this.everywhere = host === '0.0.0.0' || (isIP(host) === 6 && /^[0:]+$/.test(host));
  }

  @Get()
  async read(@Req() { socket }: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    if (this.everywhere && !isLoopback(socket.remoteAddress))
      throw new ForbiddenException('Metrics are for callers of this machine, as PUBLISHER_HOST means every address.');
    reply.type(this.metrics.registry.contentType);
    return this.metrics.registry.metrics();
  }
}

const isLoopback = (address = ''): boolean => address === '::1' || /^(::ffff:)?127\./.test(address);

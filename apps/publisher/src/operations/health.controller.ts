import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Status } from '../publishing/status';
import { Lag } from './lag';

interface Readiness {
  status: 'ready' | 'standing by' | 'not ready';
  state: string;
  reason?: string;
  halt?: string;
  position?: string;
  head?: string;
  lagSeconds?: number;
}

@Controller('health')
export class HealthController {
  constructor(
    private readonly status: Status,
    private readonly lag: Lag,
  ) {}

  /** The process runs and answers. */
  @Get('live')
  live(): { status: string } {
    return { status: 'live' };
  }

  /** 200 while it publishes, or could at any moment in another one's place; else 503 with the reason. */
  @Get('ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Readiness> {
    const lag = await this.lag.now();
    const { state, halt, checkpoint } = this.status;
    const reason = this.status.reason ?? (lag ? undefined : 'The event store has not answered within 2 s.');
    const status = state === 'standing by' ? state : reason === undefined ? 'ready' : 'not ready';
    if (status === 'not ready') reply.status(503);
    return {
      status,
      state,
      ...(reason !== undefined && { reason }),
      ...(halt && { halt: halt.code }),
      ...(checkpoint && { position: String(checkpoint.position) }),
      ...(lag && { head: String(lag.head) }),
      ...(lag?.seconds !== undefined && { lagSeconds: lag.seconds }),
    };
  }
}

import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import pino from 'pino';
import { PublisherModule } from '../../../apps/publisher/src/publisher.module';
import { readSettings } from '../../../apps/publisher/src/settings';
import { type Health, Watched } from './watched';

const SAID_MAX = 100_000;

/** The whole publisher inside the test: nothing of it is replaced, but it starts in no time and cannot be killed. */
export class PublisherInProcess extends Watched {
  private app: NestFastifyApplication;

  static async start(env: Record<string, string>): Promise<PublisherInProcess> {
    const publisher = new PublisherInProcess();
    const write = (line: string): void => void (publisher.said = (publisher.said + line).slice(-SAID_MAX));
    const root = PublisherModule.with(readSettings(env), pino({ level: 'info' }, { write }));
    publisher.app = await NestFactory.create<NestFastifyApplication>(root, new FastifyAdapter(), { logger: false, abortOnError: false });
    await publisher.app.init();
    return publisher;
  }

  async health(): Promise<Health> {
    const answer = await this.app.inject('/health/ready');
    return { ...answer.json<Omit<Health, 'code'>>(), code: answer.statusCode };
  }

  /** As SIGTERM does. */
  async stop(): Promise<void> {
    await this.app.close();
  }

  protected mustRun(): void {
    // It runs as long as the test does.
  }
}

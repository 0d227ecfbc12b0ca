import { Inject, Injectable } from '@nestjs/common';
import type { Admin, Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { LOG } from '../operations/log';
import { Settings } from '../settings';
import { Halt } from '../sink/halt';
import { MessageSink, type SinkSession, SinkUnavailable } from '../sink/message-sink';
import { bounded } from './bounded';
import { readCheckpoint } from './checkpoint-reading';
import { newKafka } from './client';
import { inWordsOfThePort, isMissingTopic } from './errors';
import { KafkaSession } from './session';

/** Kafka through kafkajs, by the rules that docs/operations/kafka.md names: each answers a way of losing or doubling events. */
@Injectable()
export class KafkaSink extends MessageSink {
  private readonly kafka: Kafka;

  constructor(
    @Inject(Settings) private readonly settings: Settings,
    @Inject(LOG) log: Logger,
  ) {
    super();
    const { kafka, publisherId, requestTimeoutMs } = settings;
    this.kafka = newKafka(kafka, `ledger-publisher-${publisherId}`, requestTimeoutMs, (level, message, detail) =>
      log[level]({ kafka: detail }, message),
    );
  }

  async takeOver(): Promise<SinkSession> {
    const { kafka, settings } = this;
    const session = new KafkaSession(kafka, settings);
    try {
      await session.connect();
      // First the predecessor is fenced and a record of ours is committed; then whatever it committed stands before that record.
      const barrier = await session.raiseBarrier();
      const { checkpoint } = settings.kafka.topics;
      session.checkpoint = await readCheckpoint(kafka, { topic: checkpoint, publisherId: settings.publisherId, barrier });
      return session;
    } catch (error) {
      await session.close();
      throw this.told(error, 'taking over');
    }
  }

  async signOfLife(): Promise<string> {
    const admin: Admin = this.kafka.admin();
    try {
      await admin.connect();
      const [partition] = await admin.fetchTopicOffsets(this.settings.kafka.topics.checkpoint);
      return partition?.high ?? '';
    } catch (error) {
      throw this.told(error, 'looking for another publisher');
    } finally {
      await bounded(admin.disconnect());
    }
  }

  private told(error: unknown, doing: string): Error {
    if (error instanceof Halt || !isMissingTopic(error)) return inWordsOfThePort(error, doing);
    const { events, balances, checkpoint } = this.settings.kafka.topics;
    return new SinkUnavailable(`The topics ${events}, ${balances} and ${checkpoint} are not all there: "npm run topics" makes them.`, {
      cause: error,
    });
  }
}

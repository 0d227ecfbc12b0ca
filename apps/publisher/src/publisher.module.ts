import { EventStore, openEventStore } from '@ledger/event-store';
import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from 'pino';
import { KafkaSink } from './kafka/kafka-sink';
import { HealthController } from './operations/health.controller';
import { Lag } from './operations/lag';
import { LOG } from './operations/log';
import { MetricsController } from './operations/metrics.controller';
import { PublisherMetrics } from './operations/publisher-metrics';
import { Publisher } from './publishing/publisher';
import { StandBy } from './publishing/stand-by';
import { Status } from './publishing/status';
import { Settings } from './settings';
import { MessageSink } from './sink/message-sink';

/** The map of the publisher: facts on the left, Kafka on the right, and what says how it goes. */
@Module({})
export class PublisherModule {
  static with(settings: Settings, log: Logger): DynamicModule {
    return {
      module: PublisherModule,
      imports: [SourceModule.with(settings.eventStoreUrl, log)],
      providers: [
        { provide: Settings, useValue: settings },
        { provide: LOG, useValue: log },
        { provide: MessageSink, useClass: KafkaSink },
        Publisher,
        StandBy,
        Status,
        Lag,
        PublisherMetrics,
      ],
      controllers: [HealthController, MetricsController],
    };
  }
}

/** The event store, which is only read; it closes after everything that reads it. */
@Module({})
class SourceModule implements OnApplicationShutdown {
  constructor(@Inject(EventStore) private readonly store: EventStore) {}

  static with(url: string, log: Logger): DynamicModule {
    const tell = (level: 'info' | 'warn', sentence: string): void => log[level](sentence);
    const store = { provide: EventStore, useFactory: () => openEventStore(url, { mustExist: true, tell }) };
    return { module: SourceModule, providers: [store], exports: [EventStore] };
  }

  onApplicationShutdown(): Promise<void> {
    return this.store.close();
  }
}

import { Global, Inject, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { EventStore, openEventStore } from '@ledger/event-store';
import { Settings } from '../settings';
import { Clock, SystemClock } from './clock';

/** The event store and the clock, for everything else; the store closes last. */
@Global()
@Module({
  providers: [
    { provide: Clock, useClass: SystemClock },
    {
      provide: EventStore,
      inject: [Settings],
      useFactory: ({ eventStoreUrl, eventStoreMaxAppendBytes }: Settings) => {
        const log = new Logger('EventStore');
        return openEventStore(eventStoreUrl, {
          maxAppendBytes: eventStoreMaxAppendBytes,
          tell: (level, sentence) => (level === 'warn' ? log.warn(sentence) : log.log(sentence)),
        });
      },
    },
  ],
  exports: [Clock, EventStore],
})
export class StoreModule implements OnApplicationShutdown {
  constructor(@Inject(EventStore) private readonly store: EventStore) {}

  onApplicationShutdown(): Promise<void> {
    return this.store.close();
  }
}

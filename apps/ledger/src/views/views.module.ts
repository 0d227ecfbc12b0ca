import { EventStore } from '@ledger/event-store';
import { Injectable, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Settings } from '../settings';
import { Queries } from './queries';
import { ReadModel } from './read-model';
import { SqliteQueries } from './sqlite-queries';
import { SqliteReadModel } from './sqlite-read-model';

@Injectable()
class ReadModelLife implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(private readonly readModel: ReadModel) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.readModel.start();
  }

  /** After the last request was answered: some of them wait for a position. */
  async onApplicationShutdown(): Promise<void> {
    await this.readModel.stop();
  }
}

/** Store -> read model -> queries. */
@Module({
  providers: [
    {
      provide: SqliteReadModel,
      useFactory: (store: EventStore, settings: Settings) => new SqliteReadModel(store, settings.readModelPath),
      inject: [EventStore, Settings],
    },
    { provide: ReadModel, useExisting: SqliteReadModel },
    {
      provide: Queries,
      useFactory: (readModel: SqliteReadModel, settings: Settings) => new SqliteQueries(readModel, settings),
      inject: [SqliteReadModel, Settings],
    },
    ReadModelLife,
  ],
  exports: [ReadModel, SqliteReadModel, Queries],
})
export class ViewsModule {}

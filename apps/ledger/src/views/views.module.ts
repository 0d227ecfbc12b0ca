import { EventStore } from '@ledger/event-store';
import { Injectable, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PatientStart } from '../operations/patient-start';
import { Settings } from '../settings';
import { BalancesAt } from './balances-at';
import { Entries } from './entries';
import { PastWallets } from './past-wallets';
import { Queries } from './queries';
import { ReadModel } from './read-model';
import { SqliteQueries } from './sqlite-queries';
import { SqliteReadModel } from './sqlite-read-model';

@Injectable()
class ReadModelLife implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly starting = new PatientStart(() => this.readModel.start());

  constructor(private readonly readModel: ReadModel) {}

  /** A store that is away does not keep the service from starting: it is not ready until the store answers. */
  async onApplicationBootstrap(): Promise<void> {
    await this.starting.begin();
  }

  /** After the last request was answered: some of them wait for a position. */
  async onApplicationShutdown(): Promise<void> {
    await this.starting.end();
    await this.readModel.stop();
  }
}

/** Store -> read model -> queries; statements and balances of the past come from the store itself. */
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
    {
      provide: PastWallets,
      useFactory: (store: EventStore, readModel: SqliteReadModel) =>
        new PastWallets(store, (wallet, revision) => readModel.views.history.marks.nearest(wallet, revision)),
      inject: [EventStore, SqliteReadModel],
    },
    { provide: Entries, useFactory: (store: EventStore, past: PastWallets) => new Entries(store, past), inject: [EventStore, PastWallets] },
    {
      provide: BalancesAt,
      useFactory: (store: EventStore, past: PastWallets, readModel: SqliteReadModel, settings: Settings) =>
        new BalancesAt(store, past, readModel, settings),
      inject: [EventStore, PastWallets, SqliteReadModel, Settings],
    },
    ReadModelLife,
  ],
  exports: [ReadModel, SqliteReadModel, Queries, Entries, BalancesAt],
})
export class ViewsModule {}

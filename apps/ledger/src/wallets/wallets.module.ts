import { type BeforeApplicationShutdown, Inject, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { EventStore } from '@ledger/event-store';
import { Settings } from '../settings';
import { ReadModel } from '../views/read-model';
import { ViewsModule } from '../views/views.module';
import { billingHandlers } from './billing-handlers';
import { Clock } from './clock';
import { Previews } from './commanding';
import { organisationHandlers } from './organisation-handlers';
import { OrganisationWallets } from './organisation-wallets';
import { DecidedPreviews } from './previewing';
import { userHandlers } from './user-handlers';
import { UserWallets } from './user-wallets';
import { SnapshotFile } from './snapshot-file';
import type { WalletsContext } from './wallets';

const CONTEXT = 'WalletsContext';

/** Beside the read model, since each process has one of its own: `read-model.db` has `read-model-snapshots.db`. */
export const snapshotsPath = (readModelPath: string): string => `${readModelPath.replace(/\.db$/, '')}-snapshots.db`;

/** The write side: command bus -> handler -> wallet's mailbox -> decision -> append. */
@Module({
  imports: [CqrsModule.forRoot(), ViewsModule],
  providers: [
    {
      provide: SnapshotFile,
      inject: [Settings],
      useFactory: ({ readModelPath }: Settings) => new SnapshotFile(snapshotsPath(readModelPath)),
    },
    {
      provide: CONTEXT,
      inject: [EventStore, Clock, ReadModel, Settings, SnapshotFile],
      useFactory: (store: EventStore, clock: Clock, index: ReadModel, settings: Settings, snapshots: SnapshotFile): WalletsContext => {
        const { attemptSeconds, freeTokensPerMonth, platformTimeZone, priceTable } = settings;
        const figures = { attemptSeconds, freeTokensPerMonth, platformTimeZone, priceTable };
        return { store, clock, index, settings: figures, snapshots };
      },
    },
    { provide: OrganisationWallets, inject: [CONTEXT], useFactory: (context: WalletsContext) => new OrganisationWallets(context) },
    {
      provide: UserWallets,
      inject: [CONTEXT, OrganisationWallets],
      useFactory: (context: WalletsContext, organisations: OrganisationWallets) => new UserWallets(context, organisations),
    },
    ...organisationHandlers,
    ...userHandlers,
    ...billingHandlers,
    { provide: Previews, useClass: DecidedPreviews },
  ],
  exports: [CqrsModule, Previews],
})
export class WalletsModule implements BeforeApplicationShutdown {
  constructor(
    @Inject(OrganisationWallets) private readonly organisations: OrganisationWallets,
    @Inject(UserWallets) private readonly users: UserWallets,
    private readonly snapshots: SnapshotFile,
  ) {}

  /** What is in flight is finished: users first, for their draws ask organisations. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.users.drain();
    await this.organisations.drain();
    this.snapshots.close();
  }
}

import { type BeforeApplicationShutdown, Inject, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { EventStore } from '@ledger/event-store';
import { PRICE_TABLE } from '@ledger/wallet';
import { Settings } from '../settings';
import { ReadModel } from '../views/read-model';
import { ViewsModule } from '../views/views.module';
import { Clock } from './clock';
import { Previews } from './commanding';
import { organisationHandlers } from './organisation-handlers';
import { OrganisationWallets } from './organisation-wallets';
import { DecidedPreviews } from './previewing';
import { userHandlers } from './user-handlers';
import { UserWallets } from './user-wallets';
import type { WalletsContext } from './wallets';

const CONTEXT = 'WalletsContext';

/** The write side: command bus -> handler -> wallet's mailbox -> decision -> append. */
@Module({
  imports: [CqrsModule.forRoot(), ViewsModule],
  providers: [
    {
      provide: CONTEXT,
      inject: [EventStore, Clock, ReadModel, Settings],
      useFactory: (store: EventStore, clock: Clock, index: ReadModel, settings: Settings): WalletsContext => {
        const { attemptSeconds, freeTokensPerMonth, platformTimeZone } = settings;
        return { store, clock, index, settings: { attemptSeconds, freeTokensPerMonth, platformTimeZone, priceTable: PRICE_TABLE } };
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
    { provide: Previews, useClass: DecidedPreviews },
  ],
  exports: [CqrsModule, Previews],
})
export class WalletsModule implements BeforeApplicationShutdown {
  constructor(
    @Inject(OrganisationWallets) private readonly organisations: OrganisationWallets,
    @Inject(UserWallets) private readonly users: UserWallets,
  ) {}

  /** What is in flight is finished: users first, for their draws ask organisations. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.users.drain();
    await this.organisations.drain();
  }
}

import { type DynamicModule, Global, Module } from '@nestjs/common';
import { HttpModule } from './http/http.module';
import { Settings } from './settings';
import { SettlementModule } from './settlement/settlement.module';
import { ViewsModule } from './views/views.module';
import { StoreModule } from './wallets/store.module';
import { WalletsModule } from './wallets/wallets.module';

/** The map of the service: modules in the order in which data flows. */
@Global()
@Module({})
export class LedgerModule {
  static with(settings: Settings): DynamicModule {
    return {
      module: LedgerModule,
      providers: [{ provide: Settings, useValue: settings }],
      exports: [Settings],
      // Facts, the read model made of them, the decisions that look things up in it, what follows from them, what callers see.
      imports: [StoreModule, ViewsModule, WalletsModule, SettlementModule, HttpModule],
    };
  }
}

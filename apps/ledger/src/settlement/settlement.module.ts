import { type BeforeApplicationShutdown, Injectable, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { SqliteReadModel } from '../views/sqlite-read-model';
import { ViewsModule } from '../views/views.module';
import { WalletsModule } from '../wallets/wallets.module';
import { Settlement } from './settlement';

@Injectable()
class SettlementLife implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(private readonly settlement: Settlement) {}

  onApplicationBootstrap(): void {
    this.settlement.start();
  }

  /** Before the read model and the store, which it uses. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.settlement.stop();
  }
}

/** Read model -> settlement -> command bus. */
@Module({
  imports: [WalletsModule, ViewsModule],
  providers: [
    {
      provide: Settlement,
      useFactory: (readModel: SqliteReadModel, commands: CommandBus) => new Settlement(readModel, commands),
      inject: [SqliteReadModel, CommandBus],
    },
    SettlementLife,
  ],
  exports: [Settlement],
})
export class SettlementModule {}

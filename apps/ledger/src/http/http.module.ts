import { Module } from '@nestjs/common';
import { tokensFor, Tokens } from '../auth/tokens';
import { HealthController } from '../operations/health.controller';
import { Metrics } from '../operations/metrics';
import { MetricsController } from '../operations/metrics.controller';
import { Settings } from '../settings';
import { ViewsModule } from '../views/views.module';
import { StoreModule } from '../wallets/store.module';
import { WalletsModule } from '../wallets/wallets.module';
import { AffordabilityController } from './affordability.controller';
import { AllocationsController } from './allocations.controller';
import { Commands } from './commands';
import { MembersController } from './members.controller';
import { OrganisationsController } from './organisations.controller';
import { Positions } from './position';
import { PricingController } from './pricing.controller';
import { ProblemPagesController } from './problem-pages.controller';
import { UsagesController } from './usages.controller';
import { UsersController } from './users.controller';
import { Validators } from './validation/validator';

/** Token -> shape -> position -> command -> answer; the controllers come last. */
@Module({
  imports: [StoreModule, WalletsModule, ViewsModule],
  providers: [
    { provide: Tokens, inject: [Settings], useFactory: ({ auth, dataDir }: Settings) => tokensFor(auth, dataDir) },
    { provide: Validators, useFactory: () => new Validators() },
    Positions,
    Metrics,
    Commands,
  ],
  controllers: [
    OrganisationsController,
    MembersController,
    AllocationsController,
    UsersController,
    UsagesController,
    AffordabilityController,
    PricingController,
    ProblemPagesController,
    HealthController,
    MetricsController,
  ],
})
export class HttpModule {}

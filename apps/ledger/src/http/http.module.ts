import { Module } from '@nestjs/common';
import { tokensFor, Tokens } from '../auth/tokens';
import { HealthController } from '../operations/health.controller';
import { Metrics } from '../operations/metrics';
import { MetricsController } from '../operations/metrics.controller';
import { SettlementMetrics } from '../operations/settlement-metrics';
import { Settings } from '../settings';
import { SettlementModule } from '../settlement/settlement.module';
import { ViewsModule } from '../views/views.module';
import { StoreModule } from '../wallets/store.module';
import { WalletsModule } from '../wallets/wallets.module';
import { AffordabilityController } from './affordability.controller';
import { AllocationsController } from './allocations.controller';
import { OrganisationBillsController, UserBillsController } from './bills.controller';
import { FeedBounds } from '../feed/bounds';
import { Readers } from '../feed/readers';
import { Commands } from './commands';
import { EventsController } from './events.controller';
import { EstimatesController } from './estimates.controller';
import { MembersController } from './members.controller';
import { OrganisationsController } from './organisations.controller';
import { Positions } from './position';
import { PricingController } from './pricing.controller';
import { ProblemPagesController } from './problem-pages.controller';
import { Statements } from './statements';
import { OrganisationStatementController, UserStatementController } from './statements.controller';
import { UsageBatches } from './usage-batch';
import { UsageBatchController } from './usage-batch.controller';
import { UsagesController } from './usages.controller';
import { UsersController } from './users.controller';
import { Validators } from './validation/validator';

/** Token -> shape -> position -> command -> answer; the controllers come last. */
@Module({
  imports: [StoreModule, WalletsModule, ViewsModule, SettlementModule],
  providers: [
    { provide: Tokens, inject: [Settings], useFactory: ({ auth, dataDir }: Settings) => tokensFor(auth, dataDir) },
    { provide: Validators, useFactory: () => new Validators() },
    Positions,
    Metrics,
    SettlementMetrics,
    Commands,
    UsageBatches,
    FeedBounds,
    Readers,
    Statements,
  ],
  controllers: [
    OrganisationsController,
    MembersController,
    AllocationsController,
    OrganisationStatementController,
    UsersController,
    UserStatementController,
    UsagesController,
    UsageBatchController,
    EventsController,
    AffordabilityController,
    OrganisationBillsController,
    UserBillsController,
    PricingController,
    EstimatesController,
    ProblemPagesController,
    HealthController,
    MetricsController,
  ],
})
export class HttpModule {}

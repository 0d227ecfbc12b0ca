import { Injectable } from '@nestjs/common';
import { Settlement } from '../settlement/settlement';
import { Metrics } from './metrics';

/** Shows whether settlement goes on: a gap above 0 means that an event is missing, and that somebody must look. */
@Injectable()
export class SettlementMetrics {
  constructor(metrics: Metrics, settlement: Settlement) {
    metrics.observe('ledger_settlement_gaps', 'Members whose settlement is stopped by a missing number', () => settlement.stoppedByGap);
    metrics.observe(
      'ledger_settlement_retries',
      'Attempts to settle that failed and were tried again, since start',
      () => settlement.failures,
    );
  }
}

import { parseArgs } from 'node:util';
import { LedgerConsumer } from '@ledger/ledger-consumer';
import { Kafka, logLevel } from 'kafkajs';
import { MonthTotals } from './month-totals';

/** An example of a service that bills by the ledger's events; see README.md. */

const { values } = parseArgs({
  options: {
    database: { type: 'string', default: 'billing.db' },
    group: { type: 'string', default: 'billing' },
    'session-timeout-ms': { type: 'string', default: '30000' },
    'batch-max': { type: 'string', default: '500' },
  },
});

async function main(): Promise<void> {
  const totals = new MonthTotals(values.database);
  const brokers = (process.env['KAFKA_BROKERS'] ?? '127.0.0.1:9092').split(',');
  // What kafkajs calls an error is one attempt of many; what fails for good ends this process.
  const kafka = new Kafka({ clientId: 'billing', brokers, logLevel: logLevel.NOTHING });
  const consumer = new LedgerConsumer(kafka, {
    groupId: values.group,
    effects: totals,
    sessionTimeoutMs: Number(values['session-timeout-ms']),
    batchMax: Number(values['batch-max']),
    onApplied: (applied) => console.log(JSON.stringify(applied)),
    onFailed: (error) => console.error(error),
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void consumer.stop());
  await consumer.start();
  console.log('reading');
  await consumer.ended;
  totals.close();
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);

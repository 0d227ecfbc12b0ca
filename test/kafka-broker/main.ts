import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { KafkaBroker } from './broker';
import { missingForKafka } from './distribution';

/** `npm run kafka -- [--port 9092] [--data DIR] [--brokers 1|3]`: a real Apache Kafka for trying things out, until Ctrl-C. */

const USAGE = 'Usage: npm run kafka -- [--port 9092] [--data DIR] [--brokers 1|3]';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { port: { type: 'string', default: '9092' }, data: { type: 'string' }, brokers: { type: 'string', default: '1' } },
  });
  const port = /^\d{1,5}$/.test(values.port) ? Number(values.port) : 0;
  if (port < 1 || port > 65_530) throw new Error(`--port must be a whole number from 1 to 65530, and is "${values.port}". ${USAGE}`);
  const brokers = Number(values.brokers);
  if (brokers !== 1 && brokers !== 3) throw new Error(`--brokers must be 1 or 3, and is "${values.brokers}". ${USAGE}`);
  const missing = missingForKafka();
  if (missing) throw new Error(missing);
  const dataDir = values.data === undefined ? undefined : resolve(values.data);
  const broker = await KafkaBroker.start({ brokers, port, dataDir });
  const kept = dataDir === undefined ? 'goes with it (--data DIR keeps it)' : `is in ${dataDir}`;
  console.log(`Kafka listens on ${broker.bootstrap}; its data ${kept}. Ctrl-C ends it.`);
  const stop = (): void => void broker.stop().then(() => process.exit(0));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  // The brokers are children; this process must outlive the wait for a signal.
  setInterval(() => undefined, 60_000);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});

/** A test server that speaks the wire protocol of EventStoreDB. It must be a process of its own: see README.md. */
import { mkdirSync } from 'node:fs';
import { Appending } from './appending';
import { certificateIn } from './certificates';
import { openControl } from './control';
import { EventLog } from './event-log';
import { Faults } from './faults';
import { Listener } from './listener';
import type { Cluster, ServerParts } from './node';
import { BadOption, parseOptions, type ServerOptions } from './options';
import { cancelled } from './refusals';
import { SystemEvents } from './system-events';

async function start(options: ServerOptions): Promise<void> {
  mkdirSync(options.data, { recursive: true });
  const certificate = options.tls ? await certificateIn(options.data) : undefined;
  const log = new EventLog(options.data, options.durable);
  const appending = new Appending(log);
  const cluster: Cluster = { addresses: options.ports.map((port) => ({ host: options.host, port })), leader: 0 };
  const parts: ServerParts = {
    log,
    appending,
    faults: new Faults(),
    cluster,
    maxAppendBytes: options.maxAppendBytes,
    users: options.users,
    subscriptions: new Set(),
    calls: new Set(),
  };
  const systemEvents = new SystemEvents(log, appending, options.systemEventEvery);
  systemEvents.atStart();
  log.afterWrite = () => systemEvents.afterAppend();

  const listeners = cluster.addresses.map((_, index) => new Listener(parts, index, certificate));
  for (const [index, listener] of listeners.entries()) {
    const address = cluster.addresses[index]!;
    address.port = await listener.listen(options.host, address.port);
  }
  process.once('SIGTERM', () => void stop(parts, listeners));
  process.once('SIGINT', () => void stop(parts, listeners));
  if (options.untilStdinEnds) process.stdin.resume().once('end', () => process.exit(0));
  if (certificate) console.log(`certificate authority ${certificate.caPath}`);
  if (options.control !== undefined) {
    const { port } = await openControl(options.control, { parts, listeners, systemEvents });
    console.log(`control http://127.0.0.1:${port}`);
  }
  console.log(`listening on ${cluster.addresses.map(({ host, port }) => `${host}:${port}`).join(',')}`);
}

/** Every open call is answered CANCELLED, as by a real node that is asked to end. */
async function stop(parts: ServerParts, listeners: readonly Listener[]): Promise<void> {
  for (const cancel of [...parts.calls]) cancel(cancelled());
  await Promise.all(listeners.map((listener) => listener.close()));
  parts.log.close();
  process.exit(0);
}

async function run(): Promise<void> {
  try {
    await start(parseOptions(process.argv.slice(2)));
  } catch (error) {
    console.error(error instanceof BadOption ? error.message : error);
    process.exit(1);
  }
}

void run();

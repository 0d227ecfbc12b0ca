/** The other door, for tests only: switches faults, writes foreign events, cuts connections, and tells what happened. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { status } from '@grpc/grpc-js';
import { BadFault } from './faults';
import type { Listener } from './listener';
import type { ServerParts } from './node';
import { failure } from './refusals';
import type { SystemEvents } from './system-events';

export interface Controlled {
  parts: ServerParts;
  listeners: readonly Listener[];
  systemEvents: SystemEvents;
}

type Body = Record<string, unknown>;
type Door = (body: Body, controlled: Controlled) => unknown;

const BODY_MAX_BYTES = 64 * 1024;
const FREEZE_MAX_MS = 120_000;

const DOORS: Record<string, Door> = {
  'GET /state': (_, { parts }) => ({
    faults: parts.faults.now,
    faultsHit: parts.faults.hitCount,
    leader: parts.cluster.leader,
    addresses: parts.cluster.addresses,
    events: parts.log.events.length,
    headPosition: parts.log.events.at(-1)?.position ?? -1,
    subscriptions: parts.subscriptions.size,
    openCalls: parts.calls.size,
  }),
  'POST /faults': (body, { parts }) => {
    parts.faults.set(body);
    return parts.faults.now;
  },
  'DELETE /faults': (_, { parts }) => {
    parts.faults.clear();
    return {};
  },
  'POST /foreign-event': (body, { systemEvents }) => {
    const { stream, type = 'SomebodyElses', data = {} } = body;
    if (stream === undefined) return { position: systemEvents.statistics() };
    if (typeof stream !== 'string' || typeof type !== 'string') throw new BadFault('"stream" and "type" must be texts.');
    return { position: systemEvents.write(stream, type, JSON.stringify(data)) };
  },
  'POST /drop-subscriptions': ({ code = 'UNAVAILABLE' }, { parts }) => {
    const open = [...parts.subscriptions];
    for (const drop of open) drop(failure(status[code as keyof typeof status] ?? status.UNAVAILABLE));
    return { dropped: open.length };
  },
  'POST /drop-connections': (_, { listeners }) => ({ dropped: listeners.reduce((sum, listener) => sum + listener.dropConnections(), 0) }),
  'POST /leader': ({ index }, { parts }) => {
    if (typeof index !== 'number' || !parts.cluster.addresses[index]) throw new BadFault('"index" must be that of a port of --port.');
    parts.cluster.leader = index;
    return { leader: index };
  },
  'POST /freeze': ({ ms }) => {
    if (typeof ms !== 'number' || ms < 1 || ms > FREEZE_MAX_MS) throw new BadFault(`"ms" must be from 1 to ${FREEZE_MAX_MS}.`);
    // After the answer: nothing of this process moves then, not even its keep-alive, while the kernel still accepts.
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms));
    return { frozenMs: ms };
  },
};

/** @returns the port it listens on, on this machine only */
export async function openControl(port: number, controlled: Controlled): Promise<{ port: number; server: Server }> {
  const server = createServer((request, response) => void serve(request, response, controlled));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return { port: (server.address() as AddressInfo).port, server };
}

async function serve(request: IncomingMessage, response: ServerResponse, controlled: Controlled): Promise<void> {
  const say = (code: number, body: unknown) => {
    response.writeHead(code, { 'content-type': 'application/json', connection: 'close' });
    response.end(JSON.stringify(body));
  };
  const door = DOORS[`${request.method} ${request.url}`];
  if (!door) return say(404, { error: `There is only ${Object.keys(DOORS).join(', ')}.` });
  try {
    say(200, door(await bodyOf(request), controlled));
  } catch (error) {
    const known = error instanceof BadFault || error instanceof SyntaxError;
    say(known ? 400 : 500, { error: (error as Error).message });
  }
}

async function bodyOf(request: IncomingMessage): Promise<Body> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > BODY_MAX_BYTES) throw new BadFault(`A body has at most ${BODY_MAX_BYTES} bytes.`);
  }
  return text === '' ? {} : (JSON.parse(text) as Body);
}

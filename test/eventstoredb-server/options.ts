import { parseArgs } from 'node:util';

export interface ServerOptions {
  /** One port per node of the cluster that the server plays; the first is the leader. 0 is any free one. */
  ports: number[];
  host: string;
  data: string;
  tls: boolean;
  users: Map<string, string>;
  maxAppendBytes: number;
  /** Port of the fault control; without it no fault can be switched on. */
  control?: number;
  /** A system event of the server's own after every so many appends; 0 is never. */
  systemEventEvery: number;
  /** Wait for the disk at every append: then a loss of power loses nothing either. */
  durable: boolean;
  /** Ends with whoever started it, also when that one is killed: its end of the pipe closes then. */
  untilStdinEnds: boolean;
}

export class BadOption extends Error {}

export const USAGE = `npm run eventstoredb-server -- --data FOLDER [--port 2113[,2114...]] [--host 127.0.0.1] [--tls]
  [--user NAME:PASSWORD ...] [--max-append-bytes N] [--control PORT] [--system-event-every N] [--fsync]
  [--until-stdin-ends]`;

const PORT_MAX = 65_535;
const NODES_MAX = 7;
const MAX_APPEND_BYTES_DEFAULT = 1024 * 1024;
/** A record may not be larger in a real server. */
const APPEND_BYTES_MAX = 16 * 1024 * 1024;
const SYSTEM_EVENT_EVERY_DEFAULT = 20;

/** @throws BadOption says which option is wrong and what it takes */
export function parseOptions(args: readonly string[]): ServerOptions {
  const values = parsed(args);
  if (values.data === undefined) throw new BadOption(`--data must name the folder of the log. Usage: ${USAGE}`);
  const ports = (values.port ?? '2113').split(',').map((text) => whole('--port', text, 0, PORT_MAX));
  if (ports.length > NODES_MAX) throw new BadOption(`--port takes at most ${NODES_MAX} ports.`);
  return {
    ports,
    host: values.host ?? '127.0.0.1',
    data: values.data,
    tls: values.tls ?? false,
    users: new Map((values.user ?? []).map(userOf)),
    maxAppendBytes: whole('--max-append-bytes', values['max-append-bytes'] ?? String(MAX_APPEND_BYTES_DEFAULT), 1, APPEND_BYTES_MAX),
    ...(values.control !== undefined && { control: whole('--control', values.control, 0, PORT_MAX) }),
    systemEventEvery: whole('--system-event-every', values['system-event-every'] ?? String(SYSTEM_EVENT_EVERY_DEFAULT), 0, 1_000_000),
    durable: values.fsync ?? false,
    untilStdinEnds: values['until-stdin-ends'] ?? false,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: 'string' },
        host: { type: 'string' },
        data: { type: 'string' },
        tls: { type: 'boolean' },
        user: { type: 'string', multiple: true },
        'max-append-bytes': { type: 'string' },
        control: { type: 'string' },
        'system-event-every': { type: 'string' },
        fsync: { type: 'boolean' },
        'until-stdin-ends': { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new BadOption(`${(error as Error).message}. Usage: ${USAGE}`);
  }
}

function whole(name: string, text: string, min: number, max: number): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) < min || Number(text) > max)
    throw new BadOption(`${name} must be a whole number from ${min} to ${max}, not ${text}.`);
  return Number(text);
}

function userOf(text: string): [string, string] {
  const colon = text.indexOf(':');
  if (colon < 1) throw new BadOption('--user must be written NAME:PASSWORD.');
  return [text.slice(0, colon), text.slice(colon + 1)];
}

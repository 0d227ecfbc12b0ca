import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { BadEventStoreUrl } from '../bad-event-store-url';

/** A node of the server, or a seed that knows the nodes. */
export interface Endpoint {
  host: string;
  port: number;
}

/** What a connection string comes to. */
export interface Address {
  hosts: readonly Endpoint[];
  /** True when the hosts are asked which node leads, instead of being used as they are. */
  gossip: boolean;
  tls: { rootCertificate?: Buffer; privateKey?: Buffer; certificate?: Buffer } | undefined;
  /** The value of the `authorization` header. */
  authorization: string | undefined;
  connectionName: string;
  keepAliveIntervalMs: number;
  keepAliveTimeoutMs: number;
  gossipTimeoutMs: number;
}

const PORT_DEFAULT = 2113;
const HOSTS_MAX = 20;
const KEEP_ALIVE_MS_MIN = 1_000;
const KEEP_ALIVE_MS_MAX = 3_600_000;
const GOSSIP_SECONDS_MAX = 60;

/** Keys that have no place here, with the reason: one that is silently ignored would be believed to work. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  tlsverifycert: 'certificates are always checked: name the file of their CA with tlsCAFile instead.',
  defaultdeadline: 'every call has a time limit of its own, and ATTEMPT_SECONDS bounds a command.',
  discoveryinterval: 'the store is tried again with a back-off of its own.',
  maxdiscoverattempts: 'the store is tried again until it answers.',
  throwonappendfailure: 'a refused append is always an error.',
};

const KEYS =
  'tls, tlsCAFile, userCertFile, userKeyFile, connectionName, keepAliveInterval, keepAliveTimeout, gossipTimeout, nodePreference';

/**
 * Reads `esdb://[user:password@]host[:port][,host2...][?key=value&...]` and `esdb+discover://...`. It is stricter than the client
 * library, which prints what it does not understand, the password with it, and drops credentials when there is no TLS.
 * @throws BadEventStoreUrl
 */
export function readAddress(url: string): Address {
  const parts = /^esdb(\+discover)?:\/\/([^?]*)(?:\?(.*))?$/s.exec(url.trim());
  if (!parts) throw new BadEventStoreUrl('must begin with esdb:// or esdb+discover://, and name a host.');
  const [, discover, place = '', query = ''] = parts;
  const at = place.lastIndexOf('@');
  const hosts = hostsOf(place.slice(at + 1).replace(/\/+$/, ''));
  const options = optionsOf(query);
  const tls = flag(options, 'tls', true) ? certificates(options) : undefined;
  const authorization = at < 0 ? undefined : credentials(place.slice(0, at));
  if (authorization !== undefined && tls === undefined)
    throw new BadEventStoreUrl('has a user and tls=false: a password is never sent without TLS, so leave out one of the two.');
  if ((options.get('nodepreference') ?? 'leader').toLowerCase() !== 'leader')
    throw new BadEventStoreUrl(
      'asks for another node than the leader: nodePreference must be leader, as decisions need what the leader has.',
    );
  return {
    hosts,
    gossip: discover !== undefined || hosts.length > 1,
    tls,
    authorization,
    connectionName: options.get('connectionname') ?? 'token-ledger',
    keepAliveIntervalMs: whole(options, 'keepAliveInterval', 10_000, KEEP_ALIVE_MS_MIN, KEEP_ALIVE_MS_MAX),
    keepAliveTimeoutMs: whole(options, 'keepAliveTimeout', 10_000, KEEP_ALIVE_MS_MIN, KEEP_ALIVE_MS_MAX),
    gossipTimeoutMs: 1_000 * whole(options, 'gossipTimeout', 5, 1, GOSSIP_SECONDS_MAX),
  };
}

export const shown = ({ host, port }: Endpoint): string => `${host}:${port}`;

function hostsOf(text: string): Endpoint[] {
  const hosts = text.split(',');
  if (hosts.length > HOSTS_MAX) throw new BadEventStoreUrl(`names more than ${HOSTS_MAX} hosts.`);
  return hosts.map((each) => {
    const [, host, port] = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/.exec(each) ?? [];
    if (host === undefined)
      throw new BadEventStoreUrl(
        'must name its hosts as host or host:port, with commas between; in a password, write @ : / ? # % as %40 %3A %2F %3F %23 %25.',
      );
    const number = port === undefined ? PORT_DEFAULT : Number(port);
    if (number < 1 || number > 65_535) throw new BadEventStoreUrl('names a port that is not between 1 and 65535.');
    return { host, port: number };
  });
}

function credentials(text: string): string {
  const parts = text.split(':');
  const [user = '', password = ''] = parts;
  if (parts.length !== 2 || user === '' || password === '' || /[@/?#]/.test(text))
    throw new BadEventStoreUrl('must name its user as user:password@ with @ : / ? # % in them written as %40 %3A %2F %3F %23 %25.');
  try {
    const plain = `${decodeURIComponent(user)}:${decodeURIComponent(password)}`;
    return `Basic ${Buffer.from(plain).toString('base64')}`;
  } catch {
    throw new BadEventStoreUrl('has a % in its user or password that is no encoding: write it as %25.');
  }
}

/** By flat name: the client library takes `tls_ca_file` and `TlsCaFile` alike, and so does this. */
function optionsOf(query: string): ReadonlyMap<string, string> {
  const known = new Set(KEYS.toLowerCase().split(', '));
  const options = new Map<string, string>();
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const [name = '', value = '', ...more] = pair.split('=');
    const flat = name.replace(/[_-]/g, '').toLowerCase();
    const reason = WITHOUT_EFFECT[flat];
    if (reason !== undefined) throw new BadEventStoreUrl(`sets ${name}, which has no effect: ${reason}`);
    if (!known.has(flat) || value === '' || more.length > 0)
      throw new BadEventStoreUrl(
        `has an option that is not key=value with one of the keys ${KEYS}; in a password, write ? as %3F and & as %26.`,
      );
    try {
      options.set(flat, decodeURIComponent(value));
    } catch {
      throw new BadEventStoreUrl(`has a % in the value of ${name} that is no encoding: write it as %25.`);
    }
  }
  return options;
}

function certificates(options: ReadonlyMap<string, string>): NonNullable<Address['tls']> {
  const [rootCertificate, certificate, privateKey] = ['tlsCAFile', 'userCertFile', 'userKeyFile'].map((name) => file(options, name));
  if ((certificate === undefined) !== (privateKey === undefined))
    throw new BadEventStoreUrl('must have both of userCertFile and userKeyFile, or neither.');
  return { ...(rootCertificate && { rootCertificate }), ...(certificate && { certificate }), ...(privateKey && { privateKey }) };
}

function file(options: ReadonlyMap<string, string>, name: string): Buffer | undefined {
  const path = options.get(name.toLowerCase());
  if (path === undefined) return undefined;
  if (!existsSync(resolve(path))) throw new BadEventStoreUrl(`names a ${name} that does not exist: ${resolve(path)}.`);
  return readFileSync(resolve(path));
}

function flag(options: ReadonlyMap<string, string>, name: string, fallback: boolean): boolean {
  const value = options.get(name) ?? String(fallback);
  if (value !== 'true' && value !== 'false') throw new BadEventStoreUrl(`must set ${name} to true or false.`);
  return value === 'true';
}

function whole(options: ReadonlyMap<string, string>, name: string, fallback: number, min: number, max: number): number {
  const value = options.get(name.toLowerCase());
  if (value === undefined) return fallback;
  const number = /^\d{1,9}$/.test(value) ? Number(value) : NaN;
  if (!(number >= min && number <= max)) throw new BadEventStoreUrl(`must set ${name} to a whole number from ${min} to ${max}.`);
  return number;
}

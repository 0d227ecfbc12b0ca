import { join, resolve } from 'node:path';
import { BadEventStoreUrl, checkedEventStoreUrl } from '@ledger/event-store';
import { PRICE_TABLE, type PriceTable } from '@ledger/wallet';
import { BadPriceTable, readPriceTable } from './price-table';

/** How bearer tokens are checked: by this service's own key, or by an issuer that publishes its keys. */
export type AuthSettings =
  { readonly kind: 'local' } | { readonly kind: 'oidc'; readonly issuer: string; readonly audience: string; readonly jwksUrl: string };

/** Everything that the environment decides, read, checked and typed once at start. The class is its own Nest token. */
export abstract class Settings {
  /** 0 takes any free port; the real one is printed. */
  abstract readonly port: number;
  abstract readonly host: string;
  /** Absolute folder of the embedded store, the read model and the local key. */
  abstract readonly dataDir: string;
  /** `sqlite:` and the absolute path of the file, or the connection string of an EventStoreDB, which may hold a password. */
  abstract readonly eventStoreUrl: string;
  /** What an EventStoreDB takes for a whole append; the embedded store has a limit of its own. */
  abstract readonly eventStoreMaxAppendBytes: number;
  /** Absolute path of the read model's file, which is disposable. */
  abstract readonly readModelPath: string;
  /** How long a command may be tried against the store before its outcome is called unknown. */
  abstract readonly attemptSeconds: number;
  abstract readonly bodyLimitBytes: number;
  abstract readonly auth: AuthSettings;
  /** Default monthly allowance of a user wallet, in tokens. */
  abstract readonly freeTokensPerMonth: number;
  /** IANA zone of the months of free allowances and personal bills. */
  abstract readonly platformTimeZone: string;
  /** What packages and usages cost from now on; stored events keep the version that they were priced with. */
  abstract readonly priceTable: PriceTable;
}

/** A setting that cannot be served. The message is one sentence that names it. */
export class BadSetting extends Error {
  constructor(name: string, reason: string) {
    super(`${name} ${reason}`);
    this.name = 'BadSetting';
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** @throws BadSetting naming the first value that cannot be served */
export function readSettings(env: Environment): Settings {
  const dataDir = resolve(text(env, 'DATA_DIR') ?? './data');
  return {
    port: wholeNumber(env, 'PORT', 3000, 0, 65_535),
    host: text(env, 'HOST') ?? '127.0.0.1',
    dataDir,
    eventStoreUrl: eventStoreUrl(env, dataDir),
    eventStoreMaxAppendBytes: wholeNumber(env, 'EVENT_STORE_MAX_APPEND_BYTES', 1024 * 1024, 256 * 1024, 256 * 1024 * 1024),
    readModelPath: resolve(text(env, 'READ_MODEL_PATH') ?? join(dataDir, 'read-model.db')),
    attemptSeconds: wholeNumber(env, 'ATTEMPT_SECONDS', 10, 1, 600),
    bodyLimitBytes: wholeNumber(env, 'BODY_LIMIT_BYTES', 10 * 1024 * 1024, 1024, 1024 * 1024 * 1024),
    auth: auth(env),
    freeTokensPerMonth: wholeNumber(env, 'FREE_TOKENS_PER_MONTH', 0, 0, 1_000_000_000),
    platformTimeZone: timeZone(env, 'PLATFORM_TIME_ZONE'),
    priceTable: priceTable(env),
  };
}

/** The table of PRICE_TABLE_PATH, or the built-in one. @throws BadSetting naming the entry of the file that is wrong */
export function priceTable(env: Environment): PriceTable {
  const path = text(env, 'PRICE_TABLE_PATH');
  if (path === undefined) return PRICE_TABLE;
  try {
    return readPriceTable(resolve(path));
  } catch (error) {
    if (error instanceof BadPriceTable) throw new BadSetting('PRICE_TABLE_PATH', `names ${error.message}`);
    throw error;
  }
}

/** An empty variable counts as unset: that is how shells and compose files clear one. */
function text(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}

function wholeNumber(env: Environment, name: string, fallback: number, min: number, max: number): number {
  const value = text(env, name);
  if (value === undefined) return fallback;
  const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
  if (!(number >= min && number <= max)) throw new BadSetting(name, `must be a whole number from ${min} to ${max}, and is "${value}".`);
  return number;
}

function eventStoreUrl(env: Environment, dataDir: string): string {
  const value = text(env, 'EVENT_STORE_URL');
  if (value === undefined) return `sqlite:${join(dataDir, 'events.db')}`;
  try {
    return checkedEventStoreUrl(value);
  } catch (error) {
    if (error instanceof BadEventStoreUrl) throw new BadSetting('EVENT_STORE_URL', error.message);
    throw error;
  }
}

function auth(env: Environment): AuthSettings {
  const kind = text(env, 'AUTH') ?? 'local';
  if (kind === 'local') {
    if (env['NODE_ENV'] === 'production')
      throw new BadSetting(
        'AUTH',
        'is local, which is refused when NODE_ENV is production: set AUTH=oidc with AUTH_ISSUER, AUTH_AUDIENCE and AUTH_JWKS_URL.',
      );
    return { kind };
  }
  if (kind !== 'oidc') throw new BadSetting('AUTH', `must be local or oidc, and is "${kind}".`);
  return {
    kind,
    issuer: required(env, 'AUTH_ISSUER'),
    audience: required(env, 'AUTH_AUDIENCE'),
    jwksUrl: webAddress(env, 'AUTH_JWKS_URL'),
  };
}

function required(env: Environment, name: string): string {
  const value = text(env, name);
  if (value === undefined) throw new BadSetting(name, 'must be set when AUTH is oidc.');
  return value;
}

function webAddress(env: Environment, name: string): string {
  const value = required(env, name);
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') throw new BadSetting(name, 'must be an http or https address.');
  return value;
}

function timeZone(env: Environment, name: string): string {
  const value = text(env, name) ?? 'UTC';
  try {
    // Offsets such as +02:00 are zones to Intl, but they have no rules for summer time: only names are taken.
    if (/^[A-Za-z]/.test(value)) return new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone && value;
  } catch {
    // Said below.
  }
  throw new BadSetting(name, `must be an IANA time zone such as Europe/Berlin, and is "${value}".`);
}

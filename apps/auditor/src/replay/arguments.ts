import { instantOf, isoInstant, isTimeZone, WALLET_ID_PATTERN, type WalletRef } from '@ledger/wallet';
import { BadArguments, CouldNotRun, type Surroundings } from '../cli/command';
import { THREADS_MAX } from '../reading/threads';

/** What several commands are told by flags and settings. */

/** `user:u1` or `organisation:acme`. @throws BadArguments */
export function walletArgument(text: string): WalletRef {
  const [kind = '', id = '', ...more] = text.split(':');
  if ((kind !== 'user' && kind !== 'organisation') || more.length > 0 || !WALLET_ID_PATTERN.test(id))
    throw new BadArguments(`--wallet must be user:<id> or organisation:<id>, and is "${text}".`);
  return { kind, id };
}

export const walletName = ({ kind, id }: WalletRef): string => `${kind}:${id}`;

/** Epoch ms of an instant such as 2026-11-23T12:00:00.000Z. @throws BadArguments */
export function instantArgument(name: string, text: string): number {
  const at = instantOf(text);
  if (at === undefined) throw new BadArguments(`${name} must be an instant in UTC such as ${isoInstant(0)}, and is "${text}".`);
  return at;
}

/** A number of threads; undefined lets the machine decide. @throws BadArguments */
export function workersArgument(text: string | undefined): number | undefined {
  if (text !== undefined && !/^([1-9]|[1-5]\d|6[0-4])$/.test(text))
    throw new BadArguments(`--workers takes a number from 1 to ${THREADS_MAX}; "${text}" is none.`);
  return text === undefined ? undefined : Number(text);
}

/** The figures of the platform that no event records. They must be those of the service: a free month is named by its zone. */
export interface Platform {
  platformTimeZone: string;
  freeTokensPerMonth: number;
}

const FREE_MAX = 1_000_000_000;

/** PLATFORM_TIME_ZONE and FREE_TOKENS_PER_MONTH, as the service reads them. @throws CouldNotRun */
export function platformOf(env: Surroundings['env']): Platform {
  const zone = env.PLATFORM_TIME_ZONE?.trim() || 'UTC';
  if (!isTimeZone(zone)) throw new CouldNotRun(`PLATFORM_TIME_ZONE must be an IANA time zone such as Europe/Berlin, and is "${zone}".`);
  const free = env.FREE_TOKENS_PER_MONTH?.trim() || '0';
  if (!/^\d{1,10}$/.test(free) || Number(free) > FREE_MAX)
    throw new CouldNotRun(`FREE_TOKENS_PER_MONTH must be a whole number from 0 to ${FREE_MAX}, and is "${free}".`);
  return { platformTimeZone: zone, freeTokensPerMonth: Number(free) };
}

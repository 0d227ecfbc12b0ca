import { readFileSync } from 'node:fs';
import { isTimeZone, PRICE_TABLE, type PriceTable } from '@ledger/wallet';
import { type Certificate, certificateFault, readCertificate } from '../certificates/certificate';
import { compareWith } from '../certificates/comparison';
import { readHeads } from '../certificates/heads-file';
import { publicKeyBytes, rawOf, reason, signingKey } from '../certificates/keys';
import { statePath } from '../certificates/state-file';
import { readState, StateFile } from '../certificates/state-reading';
import type { AuditOptions } from '../verify/audited';
import { newSeed } from '../verify/fingerprint';
import { auditStore, type RunOptions } from '../verify/run';
import { type Certifying, certify } from './certify';
import { BadArguments, CLEAN, type Command, CouldNotRun, FINDINGS, flags, openStore, storeUrl, type Surroundings } from './command';
import { workersArgument } from '../replay/arguments';
import { progressOf } from './progress';
import { machineReport, peopleReport } from './report';

const text = { type: 'string' } as const;
const OPTIONS = {
  'event-store': text,
  json: { type: 'boolean' },
  against: text,
  since: text,
  'public-key': text,
  certificate: text,
  'signing-key': text,
  'without-heads': { type: 'boolean' },
  'without-state': { type: 'boolean' },
  'price-table': { type: 'string', multiple: true },
  'platform-time-zone': text,
  workers: text,
} as const;
type Values = ReturnType<typeof flags<typeof OPTIONS>>;

/** The whole audit of a store. */
export const verify: Command = {
  summary: 'check every event of the store: chains, schemas, balances, limits, allocations',
  usage:
    'verify [--event-store URL] [--json] [--against CERTIFICATE | --since CERTIFICATE] [--public-key FILE] [--certificate FILE --signing-key FILE [--without-heads] [--without-state]] [--price-table FILE]... [--platform-time-zone ZONE] [--workers N]',
  async run(args, surroundings) {
    const values = flags(args, OPTIONS);
    if ((values.certificate === undefined) !== (values['signing-key'] === undefined))
      throw new BadArguments('--certificate names the file to write and --signing-key the key that signs it: give both or neither.');
    const key = values['signing-key'] === undefined ? undefined : signingKey(values['signing-key']);
    const pinned = values['public-key'] === undefined ? key && rawOf(key) : publicKeyBytes(values['public-key']);
    const earlier = earlierOf(values, pinned);
    if (earlier?.fault !== undefined)
      return untrusted('certificateFault', `The certificate ${earlier.path} is not to be trusted: ${earlier.fault}.`, values, surroundings);
    const path = values.certificate;
    const certifying = key && path !== undefined ? { path, key, withHeads: values['without-heads'] !== true } : undefined;
    const state = values.since === undefined ? undefined : readState(values.since, earlier!.certificate);
    try {
      if (state && 'fault' in state)
        return untrusted(
          'stateFault',
          `The state file ${statePath(values.since!)} is not to be trusted: ${state.fault}.`,
          values,
          surroundings,
        );
      return await audited(values, certifying, earlier, state, pinned !== undefined, surroundings);
    } finally {
      if (state instanceof StateFile) state.close();
    }
  },
};

async function audited(
  values: Values,
  certifying: Certifying | undefined,
  earlier: Earlier | undefined,
  state: StateFile | { unusable: string } | undefined,
  pinned: boolean,
  { env, out, err }: Surroundings,
): Promise<number> {
  const url = storeUrl(values['event-store'], env);
  const options: RunOptions = {
    ...optionsOf(values, env, earlier?.certificate),
    stateWanted: certifying !== undefined && values['without-state'] !== true,
  };
  if (state instanceof StateFile) options.goOn = { earlier: state, tell: err };
  else if (state) err(`Everything is read: ${state.unusable}.`);
  const store = await openStore(url);
  const quiet = values.json === true;
  const progress = progressOf(Number(await store.headPosition()), quiet ? 'none' : process.stderr.isTTY ? 'terminal' : 'lines', err);
  const began = performance.now();
  let certificate: Certificate | undefined;
  try {
    const result = await auditStore(
      store,
      url,
      options,
      (events) => progress.at(events),
      (all, kept) => {
        if (earlier) compareWith(earlier.certificate.statement, readHeads(earlier.path), all, all.findings);
        if (certifying && all.findings.count === 0) certificate = certify(certifying, all, kept);
      },
    );
    progress.stop();
    const report = { result, ms: performance.now() - began, certificate, earlier: earlier?.certificate, pinned };
    if (quiet) out(machineReport(report));
    else peopleReport(report, out);
    return result.findings.count === 0 ? CLEAN : FINDINGS;
  } finally {
    progress.stop();
    await store.close();
  }
}

interface Earlier {
  certificate: Certificate;
  path: string;
  /** Why it cannot be trusted. */
  fault: string | undefined;
}

/** The certificate to compare with. */
function earlierOf({ against, since }: Values, pinned: Buffer | undefined): Earlier | undefined {
  if (against !== undefined && since !== undefined)
    throw new BadArguments('--since compares with its certificate already: leave --against out.');
  const path = against ?? since;
  if (path === undefined) return undefined;
  if (since !== undefined && !pinned)
    throw new BadArguments('--since trusts its certificate, so --public-key must say who may have signed it.');
  const certificate = readCertificate(path);
  return { certificate, path, fault: certificateFault(certificate, pinned) };
}

/** What is forged proves nothing, so the store is not read; but that somebody forged it is a finding. */
function untrusted(member: string, sentence: string, { json }: Values, { out }: Surroundings): number {
  out(json ? JSON.stringify({ clean: false, [member]: sentence }) : sentence);
  return FINDINGS;
}

function optionsOf(
  values: Values,
  env: Surroundings['env'],
  earlier: Certificate | undefined,
): AuditOptions & { workers: number | undefined } {
  const zone = values['platform-time-zone'] ?? env.PLATFORM_TIME_ZONE;
  if (zone !== undefined && !isTimeZone(zone))
    throw new CouldNotRun(`The platform's time zone must be the name of an IANA zone such as Europe/Berlin; "${zone}" is none.`);
  const workers = workersArgument(values.workers);
  const position = earlier && Number(earlier.statement.position);
  return {
    seed: newSeed(),
    priceTables: [PRICE_TABLE, ...(values['price-table'] ?? []).map(priceTableOf)],
    ...(zone === undefined ? {} : { platformTimeZone: zone }),
    ...(position === undefined ? {} : { headsAt: position }),
    ...(position !== undefined && values.since !== undefined ? { trustedUntil: position } : {}),
    workers,
  };
}

function priceTableOf(path: string): PriceTable {
  let table: Partial<PriceTable> | undefined;
  try {
    table = JSON.parse(readFileSync(path, 'utf8')) as Partial<PriceTable>;
  } catch (error) {
    throw new CouldNotRun(`The price table ${path} cannot be read: ${reason(error)}.`);
  }
  if (typeof table?.version !== 'string' || !Array.isArray(table.tiers) || typeof table.usage?.percentOfCost !== 'number')
    throw new CouldNotRun(`The price table ${path} must hold "version", "tiers" and "usage", as the service's own does.`);
  return { ...PRICE_TABLE, ...table };
}

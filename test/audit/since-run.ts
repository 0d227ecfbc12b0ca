import { generateKeyPairSync } from 'node:crypto';
import { openEventStore } from '@ledger/event-store';
import { PRICE_TABLE } from '@ledger/wallet';
import { readCertificate } from '../../apps/auditor/src/certificates/certificate';
import { compareWith } from '../../apps/auditor/src/certificates/comparison';
import { readHeads } from '../../apps/auditor/src/certificates/heads-file';
import { readState, StateFile } from '../../apps/auditor/src/certificates/state-reading';
import { certify } from '../../apps/auditor/src/cli/certify';
import { BUCKETS } from '../../apps/auditor/src/verify/entries';
import { newSeed, type Seed } from '../../apps/auditor/src/verify/fingerprint';
import { sentenceOf } from '../../apps/auditor/src/verify/finding';
import type { AuditResult } from '../../apps/auditor/src/verify/result';
import { auditStore, type RunOptions } from '../../apps/auditor/src/verify/run';
import { metaOf } from './tamper-forging';
import type { Row } from './tamper-store';

/** Audits that certify, and those that go on from there. */

const { privateKey: key } = generateKeyPairSync('ed25519');

interface Wanted {
  /** The certificate to go on from. */
  since?: string;
  /** The certificate to write. */
  certificate?: string;
  seed?: Seed;
  /** Through the port, as a store on a server is read. */
  port?: boolean;
}

export interface Ran {
  result: AuditResult;
  /** Why everything was read. */
  told: string[];
}

/** `verify` as the command runs it, in the process of the test. */
export async function verified(path: string, { since, certificate, seed = newSeed(), port }: Wanted = {}): Promise<Ran> {
  const told: string[] = [];
  const earlier = since === undefined ? undefined : readCertificate(since);
  const state = earlier && readState(since!, earlier);
  if (state && !(state instanceof StateFile)) throw new Error(JSON.stringify(state));
  const position = earlier && Number(earlier.statement.position);
  const options: RunOptions = { seed, priceTables: [PRICE_TABLE], workers: 1, stateWanted: certificate !== undefined };
  if (position !== undefined) Object.assign(options, { headsAt: position, trustedUntil: position });
  if (state) options.goOn = { earlier: state, tell: (sentence) => told.push(sentence) };
  const store = await openEventStore(`sqlite:${path}`, { readOnly: true });
  try {
    const conclude: Parameters<typeof auditStore>[4] = (all, kept) => {
      if (earlier) compareWith(earlier.statement, readHeads(since!), all, all.findings);
      if (certificate !== undefined && all.findings.count === 0) certify({ path: certificate, key, withHeads: true }, all, kept);
    };
    const result = await auditStore(store, port ? 'esdb://server' : `sqlite:${path}`, options, () => undefined, conclude);
    return { result, told };
  } finally {
    await store.close();
    if (state) state.close();
  }
}

/** All that two audits of one store must agree in. */
export const outcomeOf = ({ findings, headsThen: _, wentOnFrom: __, inTransit, ...rest }: AuditResult) => ({
  ...rest,
  inTransit: [...inTransit].sort(),
  findings: findings.kept.map(sentenceOf).sort(),
  byRule: [...findings.byRule].sort(),
});

/** What a state file holds, in an order of its own: streams and entries may come in any. */
export function contentOf(certificate: string) {
  const state = readState(certificate, readCertificate(certificate));
  if (!(state instanceof StateFile)) throw new Error(JSON.stringify(state));
  try {
    const streams = [...state.states()].sort();
    const entries: string[] = [];
    for (let bucket = 0; bucket < BUCKETS; bucket += 1)
      for (const words of state.entries.wordsIn(bucket))
        for (let at = 0; at < words.length; at += 6) entries.push(words.slice(at, at + 6).join());
    const { inTransit, unknownPriceTables, ...summary } = state.summary;
    return { ...summary, inTransit: inTransit.sort(), unknownPriceTables: unknownPriceTables.sort(), streams, entries: entries.sort() };
  } finally {
    state.close();
  }
}

/** How many rows there were after each command: a store can be certified there, as nothing is half written. */
export const endsOf = (rows: readonly Row[]): number[] => [
  ...rows.flatMap((row, index) => (index > 0 && metaOf(row).requestId !== metaOf(rows[index - 1]!).requestId ? [index] : [])),
  rows.length,
];

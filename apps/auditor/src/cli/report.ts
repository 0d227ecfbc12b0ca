import type { Certificate } from '../certificates/certificate';
import { type Rule, RULES, sentenceOf } from '../verify/finding';
import type { AuditResult } from '../verify/result';
import { TOTALS } from '../verify/totals';
import { oneLine } from './shown';

export interface Report {
  result: AuditResult;
  ms: number;
  /** Written by this run. */
  certificate: Certificate | undefined;
  /** Compared with. */
  earlier: Certificate | undefined;
  /** The key of the earlier certificate was given from outside. */
  pinned: boolean;
}

/** Findings that people are shown; `--json` has those that were kept. */
const SHOWN_MAX = 100;

const whole = (value: number | bigint): string => value.toLocaleString('en');

export function peopleReport({ result, ms, certificate, earlier, pinned }: Report, out: (line: string) => void): void {
  const { events, heads, position, findings, totals, unknownPriceTables, wentOnFrom } = result;
  out(`${whole(events)} events of ${whole(heads.length)} streams, up to position ${position}, in ${(ms / 1_000).toFixed(1)} s.`);
  const width = Math.max(...TOTALS.map((name) => whole(totals[name]).length));
  for (const name of TOTALS) out(`  ${name.padEnd(14)}${whole(totals[name]).padStart(width)}`);
  if (wentOnFrom) out(`Read: ${whole(events - wentOnFrom.events)} events behind position ${wentOnFrom.position}; those before it were audited when they were certified.`); // prettier-ignore
  if (unknownPriceTables.length > 0)
    out(`Not checked: prices of the tables ${oneLine(unknownPriceTables.join(', '))}, which --price-table did not name.`);
  if (earlier) out(`Compared with the certificate of ${earlier.statement.issuedAt} up to position ${earlier.statement.position}, signed by ${earlier.signature.keyId}${pinned ? '' : ' (whose key nobody has named: give --public-key)'}.`); // prettier-ignore
  for (const finding of findings.kept.slice(0, SHOWN_MAX)) out(oneLine(sentenceOf(finding)));
  if (findings.count > SHOWN_MAX) out(`... and ${whole(findings.count - SHOWN_MAX)} more: ${countsOf(findings.byRule).join(', ')}.`);
  if (certificate) out(`Certified by ${certificate.signature.keyId}: Merkle root ${certificate.statement.merkleRoot}.`);
  out(
    findings.count === 0
      ? 'Clean: every rule holds.'
      : `Not clean: ${whole(findings.count)} ${findings.count === 1 ? 'finding' : 'findings'}.`,
  );
}

const countsOf = (byRule: ReadonlyMap<Rule, number>): string[] => [...byRule].map(([rule, count]) => `${rule} ${whole(count)}`);

/** One JSON object. Tokens and positions are texts of decimal digits. */
export function machineReport({ result, ms, certificate, earlier, pinned }: Report): string {
  const { mark, events, heads, position, findings, totals, unknownPriceTables, wentOnFrom } = result;
  return JSON.stringify({
    clean: findings.count === 0,
    mark: mark ?? null,
    position: String(position),
    events,
    streams: heads.length,
    wentOnFrom: wentOnFrom ? { position: String(wentOnFrom.position), events: wentOnFrom.events } : null,
    ms: Math.round(ms),
    totals: Object.fromEntries(TOTALS.map((name) => [name, String(totals[name])])),
    unknownPriceTables,
    findings: findings.kept.map((finding) => ({ ...finding, meaning: RULES[finding.rule], sentence: sentenceOf(finding) })),
    findingsCount: findings.count,
    findingsByRule: Object.fromEntries(findings.byRule),
    certificate: certificate ?? null,
    comparedWith: earlier ? { statement: earlier.statement, keyId: earlier.signature.keyId, pinned } : null,
  });
}

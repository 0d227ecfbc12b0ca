import { openEventStore } from '@ledger/event-store';
import { PRICE_TABLE } from '@ledger/wallet';
import { statementOf } from '../../apps/auditor/src/certificates/certificate';
import { compareWith } from '../../apps/auditor/src/certificates/comparison';
import type { AuditOptions } from '../../apps/auditor/src/verify/audited';
import { newSeed } from '../../apps/auditor/src/verify/fingerprint';
import { type Finding, sentenceOf } from '../../apps/auditor/src/verify/finding';
import type { AuditResult } from '../../apps/auditor/src/verify/result';
import { auditStore } from '../../apps/auditor/src/verify/run';
import { Dice, type Kind } from './tamper-forging';
import { randomRows, type Row, type Stores } from './tamper-store';

/** `asUrl` of a server makes it read through the port, as from any store but a file. */
export async function audited(
  path: string,
  upTo: Pick<AuditOptions, 'headsAt' | 'trustedUntil'> = {},
  asUrl?: string,
): Promise<AuditResult> {
  const url = asUrl ?? `sqlite:${path}`;
  const store = await openEventStore(`sqlite:${path}`, { readOnly: true });
  try {
    const options = { seed: newSeed(), priceTables: [PRICE_TABLE], workers: 1, ...upTo };
    return await auditStore(store, url, options, () => undefined);
  } finally {
    await store.close();
  }
}

/** Clean stores of random worlds, with what their certificates say. */
export class CleanStores {
  readonly all: { rows: Row[]; result: AuditResult }[] = [];

  async make(stores: Stores, seed: number, count: number): Promise<void> {
    for (let number = 0; number < count; number += 1) {
      const rows = randomRows(seed + number);
      const result = await audited(await stores.holding(rows));
      // A false alarm on a clean store fails here, with what was said.
      expect(result.findings.kept.map(sentenceOf)).toEqual([]);
      this.all.push({ rows, result });
    }
  }
}

export interface Outcome {
  found: number;
  /** Forgeries of which nothing, or something else, was said. */
  missed: string[];
}

/** Tries that may find no place for a kind, for each one that does. */
const TRIES_EACH = 200;

/** Forges one kind so many times at random places of random stores, and asks whether the audit finds and names each. */
export async function hunted(kind: Kind, times: number, clean: CleanStores, stores: Stores, seed: number): Promise<Outcome> {
  const dice = new Dice(seed);
  const outcome: Outcome = { found: 0, missed: [] };
  for (let tries = 0; outcome.found + outcome.missed.length < times && tries < times * TRIES_EACH; tries += 1) {
    const { rows, result } = clean.all[dice.below(clean.all.length)]!;
    const forged = rows.map((row, index) => ({ ...row, position: index + 1 }));
    const expected = kind.forge(forged, dice);
    if (!expected) continue;
    // Positions grow in the order of the rows, whatever was put where.
    forged.forEach((row, index) => (row.position = Math.max(row.position ?? 0, index === 0 ? 1 : forged[index - 1]!.position + 1)));
    const statement = statementOf(result, '2026-11-23T10:00:00.000Z');
    const found = await audited(await stores.holding(forged), kind.by === 'certificate' ? { headsAt: Number(statement.position) } : {});
    if (kind.by === 'certificate') compareWith(statement, result.heads, found, found.findings);
    const named = found.findings.kept.some((finding) => isNamed(finding, expected));
    if (named) outcome.found += 1;
    else
      outcome.missed.push(
        `${kind.name} in ${JSON.stringify(expected)}: ${found.findings.kept.slice(0, 5).map(sentenceOf).join(' | ') || 'nothing was found'}`,
      );
  }
  return outcome;
}

export const isNamed = (
  { rule, stream, revision }: Finding,
  expected: { stream: string; rules: string[]; revisions?: number[] },
): boolean =>
  expected.rules.includes(rule) &&
  stream === expected.stream &&
  (expected.revisions === undefined || expected.revisions.includes(revision));

import { SqliteScan } from '@ledger/event-store';
import { Audit } from './audit';
import type { AuditOptions } from './audited';
import { checkHeads, checkTables, firstMet, type Read } from './index-rules';
import { PageRow, ROOM } from './page-row';

/** The audit of a part of a SQLite store's streams. */

export interface PartitionOptions extends AuditOptions {
  path: string;
  part: number;
  parts: number;
  /** The last position that is audited. */
  until: number;
  /** The last one that the audit has heard of already. */
  after?: number;
}

/** Positions that are read in one stretch: of longer ones more is still held when the memory is cleaned. */
const STRETCH = 100;
/** Positions between two words about the progress. */
const HEARD_EVERY = 20_000;
const ORGANISATIONS = 'organisationWallet-';
/** What changes who may what; draws of users in every part are judged by it. */
const POLICY_TYPES = [
  'OrganisationWalletOpened',
  'TimeZoneSet',
  'MemberPermitted',
  'MemberResumed',
  'MemberSuspended',
  'MemberRemoved',
  'LimitSet',
  'LimitCleared',
];

/** Audits one part. `progress` hears of the positions that were read. An `audit` that goes on from an earlier one has all streams. */
export function auditPart(
  { path, part, parts, until, after: first = 0, ...options }: PartitionOptions,
  progress: (positions: number) => void,
  audit = new Audit(options),
): Audit {
  const goesOn = first > 0;
  const scan = new SqliteScan(path);
  try {
    const read = scan.pages({ part, parts, prefix: ORGANISATIONS, types: POLICY_TYPES }, ROOM);
    const streams = new Map<number, Read>();
    // The same: a list is quicker than a map, and it is asked for every event.
    const known: (Read | undefined)[] = [];
    const row = new PageRow();
    let heard = first;
    for (let after = first; after < until;) {
      const readTo = Math.min(until, after + STRETCH);
      const page = read(after, readTo);
      after = page.isEmpty ? scan.emptyUntil(readTo, until) : readTo;
      row.open(page);
      while (page.next()) {
        const { position, stream: number, revision, previous } = page;
        let stream = known[number];
        if (!stream) streams.set(number, (stream = known[number] = firstMet(scan.nameOf(number), audit, goesOn)));
        if (number % parts !== part) {
          audit.learn(stream.name.slice(ORGANISATIONS.length), revision, page.type, page.data);
          continue;
        }
        row.stream = stream.name;
        if (previous !== stream.position) audit.findings.of(row)('index', 'the link to the event before it', stream.position, previous);
        stream.revision = revision;
        stream.position = position;
        audit.addRow(row, stream.state);
        stream.state ??= audit.stateNamed(stream.name);
      }
      if (after - heard < HEARD_EVERY) continue;
      heard = after;
      progress(after);
    }
    progress(until);
    if (part === 0) checkTables(scan, audit);
    checkHeads(scan, { part, parts, until }, streams, audit, goesOn);
    audit.finish();
    return audit;
  } catch (error) {
    audit.entries.close();
    throw error;
  } finally {
    scan.close();
  }
}

import { auditRows } from './support/audit';
import { settleAll } from './support/clients';
import { settled } from './support/adds-up';
import { type Json, LedgerUnderTest, seedOf } from './support/ledger-under-test';
import { MixedLoad } from './support/mixed-load';
import { type StoredRow, storedRows } from './support/stored-rows';
import { Witness } from './support/witness';

const COMMANDS = 400;

/** An audit that cannot fail proves nothing: here it is given a good log that was tampered with. */
describe('the audit', () => {
  let ledger: LedgerUnderTest;
  let witness: Witness;
  let rows: StoredRow[];
  beforeAll(async () => {
    ledger = new LedgerUnderTest({ FREE_TOKENS_PER_MONTH: '25' });
    const door = await ledger.start('a');
    witness = new Witness(ledger.store);
    const load = new MixedLoad(seedOf('AUDIT_SEED'), 'audit');
    await settleAll(witness, load.opening(), () => Promise.resolve(door), 1);
    await settled(door, witness);
    await settleAll(
      witness,
      Array.from({ length: COMMANDS }, () => load.next()),
      () => Promise.resolve(door),
    );
    await settled(door, witness);
    rows = storedRows(ledger.store);
  }, 60_000);
  afterAll(async () => {
    witness.close();
    await ledger.end();
  });

  /** A copy of the log in which one event was changed by whoever can also make hashes: only the sense of it gives it away. */
  const changed = (type: string, change: (data: Json) => void): StoredRow[] => {
    const copy = structuredClone(rows);
    const row = copy.findLast((each) => each.type === type)!;
    change(row.event.data);
    return copy;
  };
  const without = (type: string, which: 'first' | 'last'): StoredRow[] => {
    const gone = which === 'first' ? rows.findIndex((row) => row.type === type) : rows.findLastIndex((row) => row.type === type);
    return rows.filter((_, index) => index !== gone);
  };
  const faultsOf = (log: StoredRow[]): string => auditRows(log).faults.join('\n');

  it('finds nothing wrong with a good log, and the answers agree with it', () => {
    expect(faultsOf(rows)).toBe('');
    expect(witness.faults(rows)).toEqual([]);
  });

  it.each([
    ['a usage charged twice', 'charged', () => changed('TokensUsed', (data) => data.charged.push(data.charged[0]))],
    ['a balance that is off by one', 'balance', () => changed('TokensUsed', (data) => (data.balanceAfter.balance += 1))],
    ['a purchase of more tokens', 'available|balance', () => changed('TokensPurchased', (data) => (data.tokens += 1))],
    ['an allocation received twice as large', 'says', () => changed('AllocationReceived', (data) => (data.tokens *= 2))],
    ['a number left out', 'number of', () => changed('AllocationReceived', (data) => (data.number += 1))],
    ['a limit that was never set', 'limit', () => changed('TokensUsed', (data) => (data.considered = [strangeDraw(data)]))],
    ['a missing event', 'follows revision', () => without('MemberPermitted', 'first')],
    ['a line never received', 'credited up to', () => without('AllocationReceived', 'last')],
  ])('notices %s', (_, sentence, log) => expect(faultsOf(log())).toMatch(new RegExp(sentence)));

  it('notices a changed letter, a wrong id, a key used twice, a payment counted twice', () => {
    const tampered = (change: (row: StoredRow, log: StoredRow[]) => void, type: string): string => {
      const copy = structuredClone(rows);
      // One with another of its type before it in its stream, which it can be made to repeat.
      const row = copy.findLast((each) => each.type === type && copy.some((other) => isBefore(other, each)))!;
      change(row, copy);
      return faultsOf(copy);
    };
    expect(tampered((row) => (row.data = row.data.replace('"service":"load"', '"service":"lord"')), 'TokensUsed')).toMatch(
      /hash of its content/,
    );
    expect(tampered((row) => (row.id = row.id.replace(/^./, (c) => (c === 'a' ? 'b' : 'a'))), 'TokensUsed')).toMatch(/id of its hash/);
    expect(tampered((row, log) => (row.metadata.key = keyBefore(row, log)), 'TokensUsed')).toMatch(/second result of the key/);
    expect(tampered((row, log) => samePayment(row, log), 'TokensPurchased')).toMatch(/repeats payment/);
  });

  it('notices answers that the store does not bear out', () => {
    const key = witness.accepted().find(({ command }) => command.path.endsWith('/usages'))!.command.key;
    expect(witness.faults(rows.filter(({ metadata }) => metadata.key !== key)).join()).toMatch(/is not stored/);
    const other = rows.map((row) => (row.metadata.key === key ? changedCopy(row) : row));
    expect(witness.faults(other).join()).toMatch(/answers tokens/);
  });
});

const changedCopy = (row: StoredRow): StoredRow => {
  const copy = structuredClone(row);
  if (copy.event.type === 'TokensUsed') copy.event.data.tokens += 1;
  return copy;
};

const strangeDraw = ({ occurredAt }: Json) => ({
  organisationId: 'school-0',
  revision: 3,
  status: 'permitted',
  usable: true,
  tokens: 0,
  windows: {
    daily: { window: String(occurredAt).slice(0, 10), used: 0, limit: 123_456 },
    monthly: { window: String(occurredAt).slice(0, 7), used: 0, limit: null },
  },
});

const isBefore = (other: StoredRow, row: StoredRow): boolean =>
  other.stream === row.stream && other.type === row.type && other.revision < row.revision;

const keyBefore = (row: StoredRow, log: StoredRow[]): string => log.find((each) => isBefore(each, row))!.metadata.key!;

function samePayment(row: StoredRow, log: StoredRow[]): void {
  const before = log.find((each) => isBefore(each, row));
  if (row.event.type === 'TokensPurchased' && before?.event.type === 'TokensPurchased')
    row.event.data.paymentReference = before.event.data.paymentReference;
}

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { audit } from './support/audit';
import type { Json } from './support/ledger-under-test';

const DEMO = resolve(__dirname, '../dist/apps/demo/src/main.js');
const TRACE = resolve(__dirname, '../../shared/data/llm-conversations-2023.csv');
const TRACE_ROWS = 19_366;
const SEED = '7';

interface Ended {
  status: number | null;
  out: string;
  err: string;
}

describe('the demo', () => {
  let folder: string;
  let data: string;
  const running = new Set<() => void>();
  beforeAll(() => {
    if (!existsSync(DEMO)) throw new Error('dist lacks the demo, and these tests run the built one: "npm run build" makes it.');
    folder = mkdtempSync(join(tmpdir(), 'ledger-demo-'));
    data = join(folder, 'data');
  });
  afterAll(() => {
    for (const kill of running) kill();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A group of its own, so that a demo that must be killed takes its service along. */
  function demo(...options: string[]): Promise<Ended> {
    const child = spawn(process.execPath, ['--enable-source-maps', DEMO, '--data', data, '--json', '--seed', SEED, ...options], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const kill = () => process.kill(-child.pid!, 'SIGKILL');
    running.add(kill);
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    return new Promise((done, failed) => {
      child.once('error', failed);
      child.once('close', (status) => {
        running.delete(kill);
        done({ status, out, err });
      });
    });
  }

  /** The report against the file that it was made from, by the audit, which shares nothing with the service. */
  function checked({ status, out, err }: Ended) {
    expect([status, err]).toEqual([0, '']);
    const report = JSON.parse(out) as Json;
    expect([report.addsUp, report.faults]).toEqual([true, []]);
    const { faults, books, rows } = audit(join(data, 'events.db'));
    expect(faults).toEqual([]);
    expect(report.events).toBe(rows.length);
    const usages = rows.filter(({ type }) => type === 'TokensUsed');
    expect(usages.length).toBeGreaterThanOrEqual(report.usages.accepted);
    const total = (name: string) => report.totals.find((row: { name: string }) => row.name === name).events as number;
    expect([total('purchased'), total('granted free'), total('spent'), total('lapsed')]).toEqual([
      books.purchased,
      books.granted,
      books.spent,
      books.lapsed,
    ]);
    for (const { organisationId, available } of report.organisations as { organisationId: string; available: number }[])
      expect(available).toBe(books.organisations.get(organisationId)?.available);
    const refused = Object.values(report.usages.refused as Record<string, number>).reduce((sum, count) => sum + count, 0);
    expect(report.usages.accepted + refused).toBe(report.usages.sent);
    expect(report.blocked.length).toBeGreaterThan(0);
    for (const limit of report.blocked as Json[])
      expect(limit).toMatchObject({
        limit: expect.any(Number),
        used: expect.any(Number),
        remaining: expect.any(Number),
        resetsAt: expect.stringMatching(/Z$/),
      });
    const reached = rows.filter(({ type }) => type === 'LimitReached');
    expect(reached.length).toBeGreaterThan(0);
    return report;
  }

  it('lives a generated day that adds up', async () => {
    const report = checked(await demo());
    expect(report.usages.sent).toBeGreaterThan(1_000);
  }, 120_000);

  const traced = existsSync(TRACE);
  if (!traced) process.stdout.write(`The demo is not run with a trace, for there is no ${TRACE}.\n`);

  (traced ? it : it.skip)(
    `charges all ${TRACE_ROWS} conversations of the trace, in place of the data of the demo before`,
    async () => {
      const first = firstEvent();
      const report = checked(await demo('--trace', TRACE));
      expect(report.usages.sent).toBe(TRACE_ROWS);
      expect(firstEvent()).not.toBe(first);
    },
    180_000,
  );

  (traced ? it.skip : it)(
    'replaces the data of the demo before',
    async () => {
      const first = firstEvent();
      checked(await demo());
      expect(firstEvent()).not.toBe(first);
    },
    120_000,
  );

  it('refuses a folder with other data in it, and touches nothing', async () => {
    const kept = data;
    try {
      data = mkdtempSync(join(folder, 'other-'));
      writeFileSync(join(data, 'events.db'), 'somebody else wrote this');
      const { status, out, err } = await demo();
      expect([status, out]).toEqual([1, '']);
      expect(err).toMatch(/nothing was touched/);
      expect(readdirSync(data)).toEqual(['events.db']);
      expect(readFileSync(join(data, 'events.db'), 'utf8')).toBe('somebody else wrote this');
    } finally {
      data = kept;
    }
  }, 60_000);

  const firstEvent = (): string => audit(join(data, 'events.db')).rows[0]!.id;
});

/**
 * The main job on a store that dies again and again: the whole demo, while the server is killed and started again in the middle
 * of its appends and loses replies at random. Nothing may be lost or doubled, by the demo's own books and by the server's file.
 * `TRACE=file` charges a trace of real conversations instead of the generated ones; `FIRE_SEED=n` picks other moments.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { WalletEvent } from '@ledger/wallet';
import { GENERATED_CONVERSATIONS } from '../../apps/demo/src/conversations';
import { choose } from '../../apps/demo/src/random';
import { readLog } from '../eventstoredb-server/log-file';
import type { FaultSettings } from '../eventstoredb-server/faults';
import { auditRows } from '../support/audit';
import type { Json } from '../support/ledger-under-test';
import type { StoredRow } from '../support/stored-rows';
import { describeOnTestServer } from './real-server';
import { ServerUnderTest } from './server-under-test';

const DEMO = resolve(__dirname, '../../dist/apps/demo/src/main.js');
const KILLS = 25;
/** The kills come while this part of the conversations is charged, so that the demo sees the end of the fire. */
const UNDER_FIRE = 0.6;
const LOOK_MS = 5;
/** Far more than it takes, which is one to seven minutes by trace and machine. */
jest.setTimeout(15 * 60_000);

interface Ended {
  status: number | null;
  out: string;
  err: string;
}

describeOnTestServer('the demo on a store under fire', () => {
  const trace = process.env.TRACE;
  const seed = Number(process.env.FIRE_SEED ?? 1);
  let server: ServerUnderTest;
  let folder: string;
  let killDemo: () => void = () => undefined;

  beforeAll(async () => {
    if (!existsSync(DEMO)) throw new Error('dist lacks the demo, and this test runs the built one: "npm run build" makes it.');
    server = await ServerUnderTest.start();
    folder = mkdtempSync(join(tmpdir(), 'ledger-fire-'));
  });
  afterAll(async () => {
    killDemo();
    await server?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  /** A group of its own, so that a demo that must be killed takes its service along. */
  function demo(): { ended: Promise<Ended>; running: () => boolean } {
    const options = ['--data', join(folder, 'data'), '--json', '--seed', '7', '--event-store', server.url()];
    if (trace !== undefined) options.push('--trace', resolve(trace));
    const child = spawn(process.execPath, ['--enable-source-maps', DEMO, ...options], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let running = true;
    killDemo = () => running && process.kill(-child.pid!, 'SIGKILL');
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const ended = new Promise<Ended>((done, failed) => {
      child.once('error', failed);
      child.once('close', (status) => {
        running = false;
        done({ status, out, err });
      });
    });
    return { ended, running: () => running };
  }

  /** Kills and starts the server after so many more events each time, and loses replies in between. */
  async function fire(running: () => boolean, conversations: number): Promise<{ kills: number; faults: number }> {
    const step = (conversations * UNDER_FIRE) / KILLS;
    let [kills, faults] = [0, 0];
    for (let next = step; kills < KILLS; next += step * (0.5 + random(seed, 2 * kills))) {
      while (running() && (await server.state()).events < next) await pause(LOOK_MS);
      if (!running()) break;
      faults += (await server.state()).faultsHit;
      await server.restart();
      kills += 1;
      await server.faults({ ...faultAfter(seed, kills), seed: seed + kills });
    }
    return { kills, faults };
  }

  it(`ends with status 0 and adds up to the token after ${KILLS} kills of the server`, async () => {
    const conversations = trace === undefined ? GENERATED_CONVERSATIONS : rowsOf(trace);
    const { ended, running } = demo();
    const { kills, faults: lost } = await fire(running, conversations);
    const { status, out, err } = await ended;
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(kills).toBe(KILLS);
    expect(lost).toBeGreaterThan(0);

    const report = JSON.parse(out) as Json;
    expect([report.addsUp, report.faults, report.usages.sent]).toEqual([true, [], conversations]);
    const { faults, books, rows } = auditRows(storedRowsOf(server.data));
    expect(faults).toEqual([]);
    expect(report.events).toBe(rows.length);
    const total = (name: string) => report.totals.find((row: { name: string }) => row.name === name).events as number;
    expect([total('purchased'), total('granted free'), total('spent'), total('lapsed')]).toEqual([
      books.purchased,
      books.granted,
      books.spent,
      books.lapsed,
    ]);
    for (const { organisationId, available } of report.organisations as { organisationId: string; available: number }[])
      expect(available).toBe(books.organisations.get(organisationId)?.available);
    // Every accepted conversation is charged once: the keys name their rows.
    const keys = rows.filter(({ type }) => type === 'TokensUsed').map(({ metadata }) => metadata.key);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.filter((key) => key?.startsWith('conversation-'))).toHaveLength(report.usages.accepted);
    process.stdout.write(
      `${rows.length} events, ${report.usages.accepted} of ${conversations} conversations accepted, ${kills} kills, ${lost} replies lost or late, ` +
        `${report.rates.retries} requests repeated, ${report.rates.seconds} s.\n`,
    );
  });
});

/** The ledger's events in the server's own file: neither the adapter nor the server is asked. */
function storedRowsOf(data: string): StoredRow[] {
  return readLog(data)
    .filter(({ stream }) => /^(organisation|user)Wallet-/.test(stream))
    .map(({ position, stream, revision, id, type, ...stored }) => {
      const [text, metadata] = [stored.data, stored.metadata].map((bytes) => Buffer.from(bytes).toString('utf8')) as [string, string];
      return {
        position,
        stream,
        revision,
        id,
        type,
        data: text,
        metadata: JSON.parse(metadata) as Record<string, string>,
        event: { type, data: JSON.parse(text) as unknown } as WalletEvent,
      };
    });
}

/**
 * Silence costs seconds each time and comes rarely. A cut connection takes every append under way with it, and the adapter waits
 * before it tries again: the more often, the more seconds are spent waiting.
 */
function faultAfter(seed: number, kill: number): FaultSettings {
  const pick = random(seed, 2 * kill + 1);
  if (pick < 0.3) return { loseReplies: { how: 'drop', probability: 0.01 } };
  if (pick < 0.6) return { loseReplies: { how: 'timeout', probability: 0.05 } };
  if (pick < 0.9) return { lateAppends: { how: 'timeout', probability: 0.05, ms: 200 } };
  return { loseReplies: { how: 'silence', probability: 0.003 } };
}

/** From 0 to 1, the same for the same moment of a seed. */
const random = (seed: number, n: number): number => choose(seed, n, 1_000) / 1_000;

const rowsOf = (file: string): number => readFileSync(file, 'utf8').trimEnd().split('\n').length - 1;

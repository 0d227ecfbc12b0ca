import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LOG_NAME, LogFile, readLog, type Draft, type LoggedEvent } from './log-file';

const draft = (n: number): Draft => ({
  stream: 'userWallet-a',
  revision: n,
  id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
  type: 'TokensUsed',
  json: true,
  data: Buffer.from(`{"n":${n},"text":"é 🪙"}`),
  metadata: Buffer.from('{}'),
  created: 1_700_000_000_000,
});

describe('the log on disk', () => {
  let folder: string;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'log-'));
    path = join(folder, LOG_NAME);
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const open = (): { file: LogFile; seen: LoggedEvent[] } => {
    const seen: LoggedEvent[] = [];
    return { file: LogFile.open(folder, false, (event) => seen.push(event)), seen };
  };

  const written = (...batches: number[][]): LoggedEvent[] => {
    const { file } = open();
    const events = batches.flatMap((batch) => file.append(batch.map(draft)));
    file.close();
    return events;
  };

  it('gives back what was written, with the same positions, which grow and are not consecutive', () => {
    const events = written([0], [1, 2], [3]);
    const { file, seen } = open();
    expect(seen.map((event) => ({ ...event, data: String(event.data), metadata: String(event.metadata) }))).toEqual(
      events.map((event) => ({ ...event, data: String(event.data), metadata: String(event.metadata) })),
    );
    const positions = seen.map(({ position }) => position);
    expect(positions.every((position, index) => index === 0 || position > positions[index - 1]! + 1)).toBe(true);
    expect(file.append([draft(4)])[0]!.position).toBeGreaterThan(positions.at(-1)!);
    file.close();
  });

  it('cuts off what a kill has torn at any byte of the last append, and goes on behind the one before', () => {
    written([0], [1]);
    const before = readFileSync(path).length;
    written([2, 3]);
    const whole = readFileSync(path);
    for (let length = before; length < whole.length; length += 1) {
      writeFileSync(path, whole.subarray(0, length));
      const { file, seen } = open();
      expect(seen.map(({ revision }) => revision)).toEqual([0, 1]);
      file.append([draft(9)]);
      file.close();
      expect(readLog(folder).map(({ revision }) => revision)).toEqual([0, 1, 9]);
    }
  });

  it.each([
    ['zeros, as a disk leaves them', Buffer.alloc(500)],
    ['noise', Buffer.from('noise'.repeat(100))],
  ])('cuts off a tail of %s', (_, tail) => {
    written([0]);
    appendFileSync(path, tail);
    expect(open().seen).toHaveLength(1);
    expect(written([1])).toHaveLength(1);
    expect(readLog(folder)).toHaveLength(2);
  });

  it('says in order what is on the disk: at once when that is not asked for, else after a flush', async () => {
    const { file } = open();
    const said: string[] = [];
    file.whenDurable(() => said.push('at once'));
    expect(said).toEqual(['at once']);
    file.close();

    const durable = LogFile.open(folder, true, () => undefined);
    durable.append([draft(0)]);
    durable.whenDurable(() => said.push('the first'));
    durable.append([draft(1)]);
    // This one comes while the disk is busy.
    const both = new Promise<void>((done) => durable.whenDurable(() => (said.push('the second'), done())));
    expect(said).toEqual(['at once']);
    await both;
    expect(said).toEqual(['at once', 'the first', 'the second']);
    durable.close();
  });

  it('notices one changed byte', () => {
    written([0], [1]);
    const bytes = readFileSync(path);
    bytes[bytes.length - 3]! ^= 1;
    writeFileSync(path, bytes);
    expect(readLog(folder)).toHaveLength(1);
    truncateSync(path, 0);
    expect(readLog(folder)).toHaveLength(0);
  });
});

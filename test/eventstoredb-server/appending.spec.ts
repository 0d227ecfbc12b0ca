import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Appending, type AppendOutcome, type ExpectedRevision, type ProposedEvent } from './appending';
import { EventLog } from './event-log';

const STREAM = 'userWallet-a';

const event = (): ProposedEvent => ({
  id: randomUUID(),
  type: 'TokensUsed',
  json: true,
  data: Buffer.from('{}'),
  metadata: Buffer.from('{}'),
});

describe('an append', () => {
  let folder: string;
  let log: EventLog;
  let appending: Appending;

  const open = () => {
    log = new EventLog(folder, false);
    appending = new Appending(log);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'appending-'));
    open();
  });

  afterEach(() => {
    log.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const append = (expected: ExpectedRevision, events: ProposedEvent[], stream = STREAM): AppendOutcome =>
    appending.append(stream, expected, events);
  const restart = () => {
    log.close();
    open();
  };
  const stored = (stream = STREAM) => log.streamEvents(stream).map(({ id }) => id);

  it.each<[ExpectedRevision, number]>([
    ['no_stream', 2],
    [0, 2],
    [1, 2],
    [3, 2],
    [100, 2],
  ])('that expects %s of a stream at %i is refused, and says where the stream is', (expected, current) => {
    append('no_stream', [event(), event(), event()]);
    expect(append(expected, [event()])).toEqual({ result: 'wrong', current });
  });

  it('that expects an event or any revision of a stream that is not there', () => {
    expect(append(0, [event()])).toEqual({ result: 'wrong', current: -1 });
    expect(append('stream_exists', [event()])).toEqual({ result: 'wrong', current: -1 });
    expect(append('any', [event()])).toMatchObject({ result: 'written', revision: 0 });
  });

  describe('repeated with an exact revision', () => {
    it('answers the first result for ever: the stored ids are compared', () => {
      const [first, second] = [event(), event()];
      append('no_stream', [event()]);
      const original = append(0, [first, second]);
      for (let n = 0; n < 50; n += 1) append('any', [event()]);
      restart();
      expect(append(0, [first, second])).toEqual({ ...original, repeat: true });
      expect(append(0, [first])).toMatchObject({ result: 'written', revision: 1, repeat: true });
      expect(stored()).toHaveLength(53);
    });

    it('is refused when the first id differs, and when a later one does', () => {
      const [a, b] = [event(), event()];
      append('no_stream', [a, b]);
      for (const events of [[event()], [event(), b], [a, event()], [b, a], [a, b, event()]])
        expect(append('no_stream', events)).toEqual({ result: 'wrong', current: 1 });
    });

    it('at the head is stored a second time: nothing is compared there', () => {
      const a = event();
      append('no_stream', [a]);
      expect(append(0, [a])).toMatchObject({ result: 'written', revision: 1, repeat: false });
      expect(stored()).toEqual([a.id, a.id]);
    });

    it('is another append in another stream', () => {
      const a = event();
      append('no_stream', [a]);
      expect(append('no_stream', [a], 'userWallet-b')).toMatchObject({ repeat: false });
    });
  });

  describe('repeated with any revision', () => {
    it.each<ExpectedRevision>(['any', 'stream_exists'])('%s is known while the server runs, and not after a restart', (expected) => {
      const a = event();
      append('no_stream', [event()]);
      const original = append(expected, [a]);
      append('any', [event()]);
      expect(append(expected, [a])).toEqual({ ...original, repeat: true });
      expect(append(expected, [a], 'userWallet-b')).not.toMatchObject({ repeat: true });
      restart();
      expect(append(expected, [a])).toMatchObject({ result: 'written', revision: 3, repeat: false });
    });

    it('is refused when only a part is known', () => {
      const a = event();
      append('any', [a]);
      expect(append('any', [a, event()])).toEqual({ result: 'wrong', current: 0 });
    });

    it('is remembered while one id is stored again and again: that is one entry', () => {
      const stream = `userWallet-${'x'.repeat(100_000)}`;
      const [a, b] = [event(), event()];
      append('any', [a], stream);
      for (let revision = 0; revision < 90; revision += 1) append(revision, [b], stream);
      expect(append('any', [a], stream)).toMatchObject({ result: 'written', revision: 0, repeat: true });
    });

    it('is forgotten when more ids came than the cache of 8 MiB holds', () => {
      const stream = `userWallet-${'x'.repeat(100_000)}`;
      const a = event();
      append('any', [a], stream);
      for (let n = 0; n < 90; n += 1) append('any', [event()], stream);
      expect(append('any', [a], stream)).toMatchObject({ result: 'written', repeat: false });
    });
  });

  it('to a deleted stream goes on counting, and hides what was before', () => {
    append('no_stream', [event(), event()]);
    expect(appending.delete(STREAM, 1)).toMatchObject({ result: 'written' });
    expect(log.visibility(STREAM).deleted).toBe(true);
    expect(append('no_stream', [event()])).toMatchObject({ result: 'written', revision: 2 });
    expect(log.visibility(STREAM)).toEqual({ from: 2, deleted: false });
  });

  it('to a tombstoned stream is refused for ever', () => {
    append('no_stream', [event()]);
    appending.tombstone(STREAM, 'any');
    restart();
    expect(append('any', [event()])).toEqual({ result: 'deleted' });
    expect(appending.delete(STREAM, 'any')).toEqual({ result: 'deleted' });
  });

  it('of a delete needs a stream at the revision', () => {
    expect(appending.delete('userWallet-none', 'any')).toEqual({ result: 'wrong', current: -1 });
    append('no_stream', [event()]);
    expect(appending.delete(STREAM, 5)).toEqual({ result: 'wrong', current: 0 });
    expect(appending.tombstone(STREAM, 'no_stream')).toEqual({ result: 'wrong', current: 0 });
  });

  it('finds a position only at a boundary', () => {
    append('no_stream', [event(), event()]);
    const [first, second] = log.events.map(({ position }) => position) as [number, number];
    expect([0, first, first + 1, second, second + 1, second + 10_000].map((position) => log.isBoundary(position))).toEqual([
      true,
      true,
      false,
      true,
      false,
      true,
    ]);
  });
});

import { BadFault, Faults } from './faults';
import { BadOption, parseOptions } from './options';

describe('faults', () => {
  it('are all off at the start, and after clear', () => {
    const faults = new Faults();
    const off = () => [faults.failing('append'), faults.silent('read'), faults.delayMs('read'), faults.late(), faults.lost()];
    expect(off()).toEqual([undefined, false, 0, undefined, undefined]);
    faults.set({ fail: { code: 'UNAVAILABLE' }, silent: {}, slow: { ms: 5 }, loseReplies: { how: 'drop' } });
    expect(faults.failing('gossip')).toBe('UNAVAILABLE');
    faults.clear();
    expect(off()).toEqual([undefined, false, 0, undefined, undefined]);
  });

  it('come as often as they are asked for, on the calls they are asked for, and end by null', () => {
    const faults = new Faults();
    faults.set({ fail: { code: 'NOT_READY', on: ['append'], next: 2 } });
    expect([faults.failing('read'), faults.failing('append'), faults.failing('append'), faults.failing('append')]).toEqual([
      undefined,
      'NOT_READY',
      'NOT_READY',
      undefined,
    ]);
    expect(faults.hitCount).toBe(2);
    faults.set({ silent: { on: ['read'] }, slow: { ms: 7 } });
    expect([faults.silent('read'), faults.silent('append'), faults.delayMs('append')]).toEqual([true, false, 7]);
    faults.set({ silent: null });
    expect([faults.silent('read'), faults.delayMs('append')]).toEqual([false, 7]);
  });

  it('by probability are the same for the same seed, and about as many as it says', () => {
    const pattern = (seed: number) => {
      const faults = new Faults();
      faults.set({ loseReplies: { how: 'drop', probability: 0.2 }, seed });
      return Array.from({ length: 1_000 }, () => faults.lost() === 'drop');
    };
    expect(pattern(7)).toEqual(pattern(7));
    expect(pattern(7)).not.toEqual(pattern(8));
    const hits = pattern(7).filter(Boolean).length;
    expect(hits).toBeGreaterThan(150);
    expect(hits).toBeLessThan(250);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ explode: true }, 'There is no fault explode'],
    [{ loseReplies: { how: 'loudly' } }, '"how" must be one of silence, drop, timeout'],
    [{ fail: { code: 'SAD' } }, 'SAD is no status of gRPC'],
  ])('%j are refused and change nothing', (changes, sentence) => {
    const faults = new Faults();
    faults.set({ slow: { ms: 5 } });
    expect(() => faults.set(changes)).toThrow(BadFault);
    expect(() => faults.set(changes)).toThrow(sentence);
    expect(faults.now).toEqual({ slow: { ms: 5 } });
  });
});

describe('options of the test server', () => {
  it('have defaults, and are read', () => {
    expect(parseOptions(['--data', 'd'])).toEqual({
      ports: [2113],
      host: '127.0.0.1',
      data: 'd',
      tls: false,
      users: new Map(),
      maxAppendBytes: 1_048_576,
      systemEventEvery: 20,
      durable: false,
      untilStdinEnds: false,
    });
    const read = parseOptions([
      '--data',
      'd',
      '--port',
      '0,0',
      '--user',
      'admin:a:b',
      '--control',
      '0',
      '--tls',
      '--system-event-every',
      '0',
    ]);
    expect(read).toMatchObject({ ports: [0, 0], users: new Map([['admin', 'a:b']]), control: 0, tls: true, systemEventEvery: 0 });
  });

  it.each([
    [[], /--data must name/],
    [['--data', 'd', '--port', '65536'], /--port must be a whole number from 0 to 65535, not 65536/],
    [['--data', 'd', '--port', '1,2,3,4,5,6,7,8'], /at most 7 ports/],
    [['--data', 'd', '--user', 'admin'], /--user must be written NAME:PASSWORD/],
    [['--data', 'd', '--max-append-bytes', '0'], /from 1 to 16777216, not 0/],
    [['--data', 'd', '--prot', '1'], /Usage/],
  ])('%j are refused: %s', (args, sentence) => {
    expect(() => parseOptions(args)).toThrow(BadOption);
    expect(() => parseOptions(args)).toThrow(sentence);
  });
});

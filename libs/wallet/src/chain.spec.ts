import { createHash } from 'node:crypto';
import { v5 } from 'uuid';
import { canonical } from './canonical';
import { chainStart, hashedText, type Metadata, seal, type SealedEvent } from './chain';
import { type WalletEvent } from './events';
import { streamOf, walletOf } from './wallet-ref';
import { hashing, NAMESPACE } from './testing/hashing';

const at = '2026-11-23T12:00:00.000Z';
const stream = 'organisationWallet-acme';
const envelope = {
  actor: 'admin',
  role: 'admin',
  requestId: 'q1',
  correlationId: 'c1',
  client: 'demo',
  traceparent: '00-1',
  key: 'k1',
  contentHash: 'h1',
};
const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');

/** Canonical JSON of what events hold (no floats), written independently: sorted keys, no spaces, JSON's own texts and integers. */
const sorted = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(sorted).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${sorted(field)}`).join(',')}}`;
};

/** Index of the first stored event that does not follow from those before it; -1 when all do. Written from design section 3 alone. */
const brokenAt = (stored: readonly SealedEvent[], name = stream): number => {
  let previous = sha256(name);
  return stored.findIndex(({ id, type, data, metadata }, revision) => {
    const { hash, ...others } = JSON.parse(metadata) as Metadata;
    const expected = sha256(previous + sorted({ revision, type, data: JSON.parse(data) as unknown, metadata: others }));
    const follows = others.previousHash === previous && hash === expected && id === v5(expected, NAMESPACE);
    previous = expected;
    return !follows;
  });
};

const events: WalletEvent[] = [
  { type: 'OrganisationWalletOpened', data: { at, organisationId: 'acme', timeZone: 'UTC', balanceAfter: { available: 0, balance: 0 } } },
  { type: 'MemberPermitted', data: { at, userIds: ['é', '\u{1f600}', 'a"b\\c\n'] } },
  { type: 'LimitSet', data: { at, default: { usage: { daily: 5, monthly: null }, allocation: { daily: null, monthly: 0 } } } },
  { type: 'TimeZoneSet', data: { at, timeZone: 'Asia/Tokyo' } },
];
const sealed = (): SealedEvent[] => {
  const head = chainStart(stream, hashing);
  return events.map((event) => seal(event, envelope, head, hashing));
};
type Fields = Record<string, unknown>;
const changed = (stored: SealedEvent[], index: number, change: (event: { type: string; data: Fields; metadata: Metadata }) => void) => {
  const event = stored[index];
  if (!event) throw new Error('no such event');
  const open = { type: event.type as string, data: JSON.parse(event.data) as Fields, metadata: JSON.parse(event.metadata) as Metadata };
  change(open);
  stored[index] = {
    id: event.id,
    type: open.type as SealedEvent['type'],
    data: JSON.stringify(open.data),
    metadata: JSON.stringify(open.metadata),
  };
  return stored;
};

describe('the hash chain of a stream', () => {
  it('begins at the hash of its name, follows event by event, and gives ids made of the hash', () => {
    const stored = sealed();
    expect(brokenAt(stored)).toBe(-1);
    expect((JSON.parse(stored[0]?.metadata ?? '') as Metadata).previousHash).toBe(sha256(stream));
    expect(new Set(stored.map(({ id }) => id)).size).toBe(events.length);
    expect(stored[0]?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('moves the head on, so that the next append goes on where the last ended', () => {
    const head = chainStart(stream, hashing);
    expect(head).toEqual({ revision: -1, hash: sha256(stream) });
    const all = sealed();
    const first = events.slice(0, 2).map((event) => seal(event, envelope, head, hashing));
    expect(head).toEqual({ revision: 1, hash: (JSON.parse(first[1]?.metadata ?? '') as Metadata).hash });
    const then = events.slice(2).map((event) => seal(event, envelope, { ...head, ...head }, hashing));
    expect([...first, then[0]]).toEqual(all.slice(0, 3));
  });

  it('shows a changed field, of data, metadata and type, in each event', () => {
    events.forEach((event, index) => {
      for (const field of Object.keys(event.data)) {
        expect(brokenAt(changed(sealed(), index, ({ data }) => void (data[field] = 'forged')))).toBe(index);
        expect(brokenAt(changed(sealed(), index, ({ data }) => void delete data[field]))).toBe(index);
      }
      for (const field of Object.keys(JSON.parse(sealed()[index]?.metadata ?? '{}') as Metadata)) {
        expect(brokenAt(changed(sealed(), index, ({ metadata }) => void (metadata[field] = 'forged')))).toBe(index);
      }
      expect(brokenAt(changed(sealed(), index, (stored) => void (stored.type = 'MemberRemoved')))).toBe(index);
      expect(brokenAt(changed(sealed(), index, ({ data }) => void (data.more = 1)))).toBe(index);
      expect(brokenAt(changed(sealed(), index, ({ metadata }) => void (metadata.more = '1')))).toBe(index);
    });
  });

  it('shows an event that was removed, doubled or moved, and a stream under another name', () => {
    events.forEach((_, index) => {
      if (index < events.length - 1) expect(brokenAt(sealed().toSpliced(index, 1))).toBe(index);
      expect(brokenAt(sealed().toSpliced(index, 0, ...sealed().slice(index, index + 1)))).toBe(index + 1);
      if (index > 0)
        expect(
          brokenAt(
            sealed().toSpliced(
              index - 1,
              2,
              ...sealed()
                .slice(index - 1, index + 1)
                .reverse(),
            ),
          ),
        ).toBe(index - 1);
    });
    expect(brokenAt(sealed(), 'organisationWallet-other')).toBe(0);
  });

  it('does not shift a text from one field to another', () => {
    const parts = { data: '{"a":1}', metadata: { b: '2' }, revision: 3, type: 'T' };
    expect(hashedText('ff', parts)).toBe('ff{"data":{"a":1},"metadata":{"b":"2"},"revision":3,"type":"T"}');
  });
});

describe('metadata', () => {
  const metadataOf = (event: WalletEvent, of: Partial<typeof envelope> = envelope) =>
    JSON.parse(seal(event, { ...of } as typeof envelope, chainStart(stream, hashing), hashing).metadata) as Metadata;

  it('are strings only, and name who, why and under which key', () => {
    const [event] = events;
    if (!event) throw new Error('no event');
    const { previousHash, hash, ...rest } = metadataOf(event);
    expect([previousHash, hash].every((text) => /^[0-9a-f]{64}$/.test(text ?? ''))).toBe(true);
    expect(rest).toEqual({
      $correlationId: 'c1',
      $causationId: 'q1',
      actor: 'admin',
      role: 'admin',
      client: 'demo',
      requestId: 'q1',
      traceparent: '00-1',
      key: 'k1',
      contentHash: 'h1',
      schema: '1',
    });
    const few = { actor: 'admin', role: 'admin', requestId: 'q1', correlationId: 'c1' };
    expect(Object.keys(metadataOf(event, few)).sort()).toEqual(
      ['$causationId', '$correlationId', 'actor', 'hash', 'previousHash', 'requestId', 'role', 'schema'].sort(),
    );
  });

  it('of what is written beside a result carry no key', () => {
    const balanceAfter = { balance: 0 };
    const beside: WalletEvent[] = [
      { type: 'UserWalletOpened', data: { at, userId: 'u1', freeTokensPerMonth: 0, balanceAfter } },
      { type: 'FreeAllowanceGranted', data: { at, month: '2026-11', tokens: 0, lapsed: 0, balanceAfter } },
      { type: 'AllocationReceived', data: { at, organisationId: 'acme', allocationId: 'a', number: 1, tokens: 1, balanceAfter } },
      {
        type: 'LimitReached',
        data: { at, organisationId: 'a', meter: 'usage', period: 'daily', window: '', limit: 0, used: 0, resetsAt: at, by: 'draw' },
      },
    ];
    for (const event of beside) {
      expect(metadataOf(event)).toMatchObject({ $causationId: 'q1' });
      expect(metadataOf(event)).not.toHaveProperty('key');
      expect(metadataOf(event)).not.toHaveProperty('contentHash');
    }
  });
});

describe('canonical JSON', () => {
  it('is that of RFC 8785, section 3.2.2 and 3.2.3', () => {
    const value = {
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\u0022\u002f",
      literals: [null, true, false],
    };
    expect(canonical(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
    const keys = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 };
    expect(canonical(keys)).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"\u{1f600}":5,"\ufb33":3}');
  });

  it.each<[unknown, string]>([
    [-0, '0'],
    [1e21, '1e+21'],
    [1e20, '100000000000000000000'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    [5e-324, '5e-324'],
    [1e-7, '1e-7'],
    ['\u0000\u001f\u007f\u2028</script>', '"\\u0000\\u001f\u007f\u2028</script>"'],
    ['\b\t\n\f\r', '"\\b\\t\\n\\f\\r"'],
    ['e\u0301', '"e\u0301"'],
    [{ b: 1, a: undefined, A: [] }, '{"A":[],"b":1}'],
    [{ aa: 1, a: 2, '': 3, 10: 4, 9: 5 }, '{"":3,"10":4,"9":5,"a":2,"aa":1}'],
  ])('writes %j as %s', (value, text) => expect(canonical(value)).toBe(text));

  it.each([[undefined], [Number.NaN], [Infinity], ['\ud800'], [{ a: ['\udc00x'] }]])('refuses %j, which no JSON can say', (value) => {
    expect(() => canonical(value)).toThrow();
  });

  it('reads __proto__ as the name of a field', () => {
    expect(canonical(JSON.parse('{"__proto__":1,"a":2}'))).toBe('{"__proto__":1,"a":2}');
  });
});

describe('the name of a stream', () => {
  it('says whose it is, for any id', () => {
    for (const id of ['acme', 'a-b', 'userWallet-x', '~.', 'organisationWallet-']) {
      for (const kind of ['organisation', 'user'] as const) expect(walletOf(streamOf({ kind, id }))).toEqual({ kind, id });
    }
    expect(walletOf('$all')).toBeUndefined();
    expect(walletOf('userwallet-x')).toBeUndefined();
  });
});

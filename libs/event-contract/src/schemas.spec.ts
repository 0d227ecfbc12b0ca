import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EVENT_TYPES, type EventType, SCHEMA } from '@ledger/wallet';
import { balanceMessage, eventMessage, readEvent, skippedMessage } from './message';
import { EXAMPLES } from './schemas/examples';
import { BALANCE_SCHEMA, EVENT_SCHEMAS, HEADERS_SCHEMA, SCHEMAS, SKIPPED_SCHEMA } from './schemas/schemas';
import { randomEvents } from './testing/random-events';
import { faultOf, validatorById, validatorOf } from './validators';

const seed = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const faultIn = (type: string, data: unknown): string | undefined => faultOf(type, SCHEMA, data);
const check = ({ schema }: { schema: { readonly [keyword: string]: unknown } }, value: unknown): unknown => {
  const validate = validatorById(schema['$id'] as string);
  return validate?.(value) === true ? undefined : (validate?.errors ?? 'there is no such schema');
};

describe('the schemas of events', () => {
  it('are one for every type, and no more', () => {
    expect(EVENT_SCHEMAS.map(({ name }) => name)).toEqual([...EVENT_TYPES].sort().map((type) => `${type}.v1`));
    for (const type of EVENT_TYPES) expect(validatorOf(type, SCHEMA)).toBeDefined();
    expect(validatorOf('TokensBurnt', SCHEMA)).toBeUndefined();
    expect(validatorOf('TokensUsed', '99')).toBeUndefined();
  });

  it('stand in docs/events/schemas as they are in the code (`npm run contract` writes them)', () => {
    const folder = join(__dirname, '../../../docs/events/schemas');
    expect(readdirSync(folder).sort()).toEqual(SCHEMAS.map(({ name }) => `${name}.json`).sort());
    for (const { name, schema } of SCHEMAS) expect(JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'))).toEqual(schema);
  });

  it('say of every field what it means', () => {
    const silent = SCHEMAS.flatMap(({ name, schema }) => fieldsWithoutWords(schema).map((field) => `${name}${field}`));
    expect(silent).toEqual([]);
  });

  it('accept their own examples', () => {
    for (const type of EVENT_TYPES) for (const example of EXAMPLES[type]) expect(faultIn(type, example)).toBeUndefined();
  });

  it('accept everything that wallets write under random commands, and so do those of headers and balances', () => {
    const seen = new Map<string, number>();
    for (const stored of randomEvents(20, seed)) {
      const event = readEvent(stored);
      const { value, headers } = eventMessage(event);
      const faults = {
        seed,
        type: stored.type,
        value,
        fault: faultOf(stored.type, SCHEMA, event.data, event.wallet.kind),
        headers: check(HEADERS_SCHEMA, headers),
      };
      expect(faults).toMatchObject({ fault: undefined, headers: undefined });
      const balance = balanceMessage(event);
      if (balance) expect(check(BALANCE_SCHEMA, JSON.parse(balance.value))).toBeUndefined();
      seen.set(stored.type, (seen.get(stored.type) ?? 0) + 1);
    }
    // A type that never came would have proved nothing.
    expect(EVENT_TYPES.filter((type) => !seen.has(type))).toEqual([]);
  });

  it('accept the message of a skipped event', () => {
    const [stored] = randomEvents(1, seed);
    const { value, headers } = skippedMessage(stored!, 'the operator said so');
    expect(check(SKIPPED_SCHEMA, JSON.parse(value))).toBeUndefined();
    expect(check(HEADERS_SCHEMA, headers)).toBeUndefined();
  });

  describe.each([...EVENT_TYPES])('of %s', (type: EventType) => {
    const broken = EXAMPLES[type].flatMap((example) => {
      const ofOrganisation = 'balanceAfter' in example ? 'available' in example.balanceAfter : !('resetsAt' in example);
      return breakages(example as Json).map((each) => ({ ...each, kind: ofOrganisation ? ('organisation' as const) : ('user' as const) }));
    });

    it('refuse a field that is missing, unknown, of another kind or out of bounds', () => {
      expect(broken.length).toBeGreaterThan(3);
      const accepted = broken.filter(({ value, kind }) => faultOf(type, SCHEMA, value, kind) === undefined).map(({ what }) => what);
      // Of the fields that may be left out, leaving out is no fault: every other breakage is.
      expect(accepted.filter((what) => !MAY_BE_LEFT_OUT.test(what))).toEqual([]);
    });
  });

  it('say where the fault is, and not what stands there', () => {
    const [usage] = structuredClone(EXAMPLES.TokensUsed);
    usage!.charged[1]!.tokens = -77_123;
    expect(faultIn('TokensUsed', usage)).toMatch(
      /^the data of TokensUsed \(version 1\) does not keep to its schema: \/charged\/1\/tokens must be >= 1$/,
    );
    const [bill] = structuredClone(EXAMPLES.BillDeclined);
    Object.assign(bill!, { secret: 'hunter2' });
    expect(faultIn('BillDeclined', bill)).toMatch(/it has the unknown field "secret"$/);
  });

  it('know what belongs to which kind of wallet, when it is named', () => {
    const [opened] = EXAMPLES.UserWalletOpened;
    expect(faultOf('UserWalletOpened', SCHEMA, opened, 'user')).toBeUndefined();
    expect(faultOf('UserWalletOpened', SCHEMA, opened, 'organisation')).toBe('UserWalletOpened is no event of an organisation');
    const [ofOrganisation, ofUser] = EXAMPLES.TokensPurchased;
    expect(faultOf('TokensPurchased', SCHEMA, ofUser, 'user')).toBeUndefined();
    expect(faultOf('TokensPurchased', SCHEMA, ofOrganisation, 'user')).toBe(
      'the field "balanceAfter" of TokensPurchased is not the balance of a user',
    );
  });

  it.each<[string, EventType, (data: Record<string, unknown>) => void]>([
    ['a day that no month has', 'StorageAccrued', (data) => (data.day = '2026-11-32')],
    ['a month that no year has', 'BillCharged', (data) => (data.month = '2026-13')],
    ['an instant without milliseconds', 'LimitCleared', (data) => (data.at = '2026-11-23T09:05:00Z')],
    ['an instant with an offset', 'LimitCleared', (data) => (data.at = '2026-11-23T09:05:00.000+01:00')],
    ['a decimal with a zero too many', 'StorageAccrued', (data) => (data.accruedTokens = '15.8270')],
    ['a decimal with thirteen digits', 'StorageAccrued', (data) => (data.carriedTokens = '0.1234567890123')],
    ['a decimal that is a number', 'StorageAccrued', (data) => (data.carriedTokens = 0.5)],
    ['an id with a space', 'UserWalletOpened', (data) => (data.userId = 'u 1')],
    ['the id ..', 'UserWalletOpened', (data) => (data.userId = '..')],
    ['an id of 65 characters', 'UserWalletOpened', (data) => (data.userId = 'u'.repeat(65))],
    ['an upper-case UUID', 'UsageReversed', (data) => (data.usageId = '019AAFCA-07E8-7000-8000-5D5C2B1F0A11')],
    ['a UUID of version 4', 'UsageReversed', (data) => (data.usageId = '019aafca-07e8-4000-8000-5d5c2b1f0a11')],
    ['a line of two places', 'TokensAllocated', (data) => (data.lines = [['u1', 40]])],
    ['a line of four places', 'TokensAllocated', (data) => (data.lines = [['u1', 40, 1, 1]])],
    ['no line', 'TokensAllocated', (data) => (data.lines = [])],
    ['1,001 lines', 'TokensAllocated', (data) => (data.lines = Array.from({ length: 1_001 }, (_, n) => [`u${n}`, 1, 1]))],
    ['an allocated charge without its organisation', 'TokensUsed', (data) => (data.charged = [{ source: 'allocated', tokens: 1 }])],
    ['a free charge of an organisation', 'TokensUsed', (data) => (data.charged = [{ source: 'free', organisationId: 'acme', tokens: 1 }])],
    [
      'a bill paid with allocated tokens',
      'BillCharged',
      (data) => (data.charged = [{ source: 'allocated', organisationId: 'acme', tokens: 1 }]),
    ],
    ['a hosting bill without its breakdown', 'BillDeclined', (data) => delete data.breakdown],
    ['a storage bill with a breakdown of hosting', 'BillDeclined', (data) => (data.kind = 'storage')],
    ['default and overrides at once', 'LimitSet', (data) => (data.overrides = [{ userId: 'u1', limits: {} }])],
    ['neither default nor overrides', 'LimitSet', (data) => delete data.default],
    [
      'a default that leaves a period out',
      'LimitSet',
      (data) => (data.default = { usage: { daily: 1 }, allocation: { daily: 1, monthly: 1 } }),
    ],
    [
      'an organisation that holds free tokens',
      'TokensPurchased',
      (data) => (data.balanceAfter = { available: 1, balance: 1, free: { tokens: 1, month: '2026-11' } }),
    ],
  ])('refuse %s', (_, type, change) => {
    const data = structuredClone(EXAMPLES[type][0]) as unknown as Record<string, unknown>;
    expect(faultIn(type, data)).toBeUndefined();
    change(data);
    expect(faultIn(type, data)).toBeDefined();
  });
});

type Json = { [field: string]: unknown } | unknown[];
interface Breakage {
  what: string;
  value: unknown;
}

const MAY_BE_LEFT_OUT =
  /^no \/(purchasedBy|batch|memo|reached|variableCostEuros|service|reference|reason|freeMonth|balanceAfter\/(free|purchased|allocated)|overrides\/0\/limits\/usage)$/;

/** The example with one thing wrong, for everything that can be. */
function breakages(example: Json): Breakage[] {
  const broken: Breakage[] = [];
  const change = (path: string[], what: string, edit: (holder: Record<string, unknown>, field: string) => void) => {
    const value = structuredClone(example) as Record<string, unknown>;
    const holder = path.slice(0, -1).reduce((inner, field) => inner[field] as Record<string, unknown>, value);
    edit(holder, path.at(-1)!);
    broken.push({ what: `${what} /${path.join('/')}`, value });
  };
  const walk = (value: unknown, path: string[]): void => {
    if (path.length > 0 && !/^\d+$/.test(path.at(-1)!)) change(path, 'no', (holder, field) => delete holder[field]);
    if (path.length > 0) change(path, 'null for', (holder, field) => (holder[field] = value === null ? 'null' : { null: null }));
    if (typeof value === 'number') {
      change(path, 'half of', (holder, field) => (holder[field] = value + 0.5));
      change(path, 'below zero', (holder, field) => (holder[field] = -1));
      change(path, 'text of', (holder, field) => (holder[field] = String(value)));
      change(path, 'more than whole numbers hold', (holder, field) => (holder[field] = 2 ** 53));
    }
    if (typeof value === 'string') change(path, 'empty', (holder, field) => (holder[field] = ''));
    if (typeof value !== 'object' || value === null) return;
    if (!Array.isArray(value)) change([...path, 'unheardOf'], 'unknown', (holder, field) => (holder[field] = 1));
    for (const [field, inner] of Object.entries(value)) walk(inner, [...path, field]);
  };
  walk(example, []);
  return broken;
}

/** Fields of the schema, at any depth, that nothing is said of. What holds a choice or a list says it there. */
function fieldsWithoutWords(schema: unknown, path = ''): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties = {}, items, prefixItems = [], description } = schema as Record<string, never>;
  const own = Object.entries<{ description?: string; const?: string; enum?: string[] }>(properties).flatMap(([name, field]) => [
    ...((field.description ?? field.const ?? field.enum) ? [] : [`${path}/${name}`]),
    ...fieldsWithoutWords(field, `${path}/${name}`),
  ]);
  return [
    ...own,
    ...fieldsWithoutWords(items, `${path}/items`),
    ...(prefixItems as unknown[]).flatMap((place) => fieldsWithoutWords(place, path)),
    ...(description === '' ? [path] : []),
  ];
}

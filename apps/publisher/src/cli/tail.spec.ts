import { EVENT_SCHEMAS, eventMessage, readEvent, skippedMessage } from '@ledger/event-contract';
import type { StoredEvent } from '@ledger/event-store';
import { EVENT_TYPES } from '@ledger/wallet';
import { lineOf } from './tail-lines';
import { BadTailOption, readTailOptions } from './tail-options';

const asPerson = { json: false, wallet: undefined };

/** The examples of the published schemas, as they are stored. */
const examples = EVENT_SCHEMAS.flatMap(({ schema }) => {
  const type = String(schema['title']).replace(/,.*/, '');
  return (schema['examples'] as { balanceAfter?: object }[]).map((data): StoredEvent => {
    const organisations = data.balanceAfter
      ? 'available' in data.balanceAfter
      : 'userIds' in data || 'timeZone' in data || 'default' in data || 'overrides' in data;
    const stream = organisations ? 'organisationWallet-acme' : 'userWallet-u1';
    const metadata = JSON.stringify({ schema: '1', actor: 'tutor', role: 'platform' });
    return { id: 'b5a6', type, data: JSON.stringify(data), metadata, stream, revision: 4, position: 77n };
  });
});
const messageOf = (stored: StoredEvent) => eventMessage(readEvent(stored));
const lines = examples.map((stored) => lineOf(messageOf(stored), asPerson));

describe('a line of the tail', () => {
  it('says of every type what happened, with time, wallet and balance', () => {
    expect(new Set(examples.map(({ type }) => type)).size).toBe(EVENT_TYPES.length);
    expect(lines.map((line) => line?.replace(/ +/g, ' '))).toMatchInlineSnapshot(`
      [
        "2026-11-23T09:05:00.000Z user:u1 received 40 tokens from acme; 60 left",
        "2026-11-23T09:05:00.000Z organisation:acme paid 940 tokens for hosting in 2026-10, owes 110; 0 left",
        "2026-11-23T09:05:00.000Z organisation:acme cannot pay hosting of 2026-10: 110 of 1,050 tokens missing; 940 left",
        "2026-11-23T09:05:00.000Z user:u1 cannot pay storage of 2026-11: 12 of 16 tokens missing; 4 left",
        "2026-11-23T09:05:00.000Z user:u1 was granted 20 free tokens for 2026-11, 7 lapsed; 20 left",
        "2026-11-23T09:05:00.000Z user:u1 30 free tokens a month from now on, 10 of them at once; 30 left",
        "2026-11-23T09:05:00.000Z organisation:acme default limits again for u1",
        "2026-11-23T09:05:00.000Z user:u1 daily limit of acme used up: 50 of 50, until 2026-11-23T23:00:00.000Z",
        "2026-11-23T09:05:00.000Z organisation:acme default limits: usage daily 50, usage monthly 1,000, allocation daily unlimited, allocation monthly unlimited",
        "2026-11-23T09:05:00.000Z organisation:acme limits of their own for 2 members",
        "2026-11-23T09:05:00.000Z organisation:acme permitted 2 members",
        "2026-11-23T09:05:00.000Z organisation:acme removed u2",
        "2026-11-23T09:05:00.000Z organisation:acme resumed u1",
        "2026-11-23T09:05:00.000Z organisation:acme suspended u1",
        "2026-11-23T09:05:00.000Z organisation:acme wallet opened, in Europe/Berlin; 0 left",
        "2026-11-23T09:05:00.000Z user:u1 storage of 2026-11-22 comes to 15.827 tokens, 16 charged; 4 left",
        "2026-11-23T09:05:00.000Z organisation:acme follows America/Sao_Paulo now",
        "2026-11-23T09:05:00.000Z organisation:acme allocated 60 tokens to 2 members; 940 left",
        "2026-11-23T09:05:00.000Z organisation:acme bought 1,000 tokens for 9.50 EUR (-5 %); 1,000 left",
        "2026-11-23T09:05:00.000Z user:u1 bought 1,000 tokens for 9.50 EUR (-5 %), 50 of them for a debt; 990 left",
        "2026-11-23T09:05:00.000Z user:u1 used 19 tokens for tutor [conversation 17] (5 free, 14 of acme); 26 left",
        "2026-11-23T09:05:00.000Z user:u1 19 tokens returned, the answer never came (14 of acme, 5 lapsed); 40 left",
        "2026-11-23T09:05:00.000Z user:u1 wallet opened, with 20 free tokens a month; 0 left",
      ]
    `);
  });

  it('is one line, and says nothing undefined', () => {
    expect(lines.filter((line) => line === undefined || /\n|undefined|NaN|\[object/.test(line))).toEqual([]);
  });

  it('stays one line, and harmless to a terminal, whatever a reference holds', () => {
    const usage = examples.find(({ type }) => type === 'TokensUsed')!;
    const data = JSON.stringify({ ...(JSON.parse(usage.data) as object), reference: 'a\nb\u001b[2Jc\u2028d' });
    expect(lineOf(messageOf({ ...usage, data }), asPerson)).toContain('[a b [2Jc d]');
  });

  it('is one JSON object with --json, the data as they were published', () => {
    for (const stored of examples) {
      const { type, data } = stored;
      const line = lineOf(messageOf(stored), { json: true, wallet: undefined });
      expect(JSON.parse(line ?? '')).toMatchObject({
        at: '2026-11-23T09:05:00.000Z',
        type,
        revision: 4,
        position: '77',
        id: 'b5a6',
        actor: 'tutor',
        data: JSON.parse(data) as unknown,
      });
    }
  });

  it('is there for the wallet that was asked for, and for no other', () => {
    const shown = (wallet: string) => examples.filter((stored) => lineOf(messageOf(stored), { json: false, wallet }) !== undefined).length;
    expect(shown('user:u1')).toBeGreaterThan(5);
    expect(shown('user:u1') + shown('organisation:acme')).toBe(examples.length);
    expect(shown('user:acme')).toBe(0);
  });

  it('names what was skipped, what is unknown and what cannot be read', () => {
    const [stored] = examples;
    expect(lineOf(skippedMessage(stored!, 'too large'), asPerson)).toMatch(/user:u1 +skipped: AllocationReceived \(too large\)$/);
    const { key, value, headers } = messageOf(stored!);
    const unknown = { key, value, headers: { ...headers, ce_type: 'ledger.TokensBurnt.v1' } };
    expect(lineOf(unknown, asPerson)).toMatch(/does not know: ledger\.TokensBurnt\.v1$/);
    expect(lineOf(unknown, { json: true, wallet: undefined })).toContain('"type":"ledger.TokensBurnt.v1"');
    const foreign = { key: 'cart-1', value: '{}', headers: {} };
    expect(lineOf(foreign, asPerson)).toMatch(/not one of the ledger/);
    expect(JSON.parse(lineOf(foreign, { json: true, wallet: undefined }) ?? '')).toHaveProperty('unreadable');
    expect(lineOf(foreign, { json: false, wallet: 'user:u1' })).toBeUndefined();
  });
});

describe('the options of the tail', () => {
  it('are these', () => {
    expect(readTailOptions(['--from-beginning', '--json', '--max', '3', '--wallet', 'organisation:acme'])).toEqual({
      fromBeginning: true,
      json: true,
      max: 3,
      wallet: 'organisation:acme',
      help: false,
    });
    expect(readTailOptions([])).toMatchObject({ fromBeginning: false, json: false, wallet: undefined });
  });

  it.each([
    [['--max', '0'], /--max must be a whole number from 1 on, and is "0"/],
    [['--max', 'ten'], /--max/],
    [['--wallet', 'u1'], /--wallet must be a wallet such as user:u1/],
    [['--form-beginning'], /--form-beginning/],
    [['stray'], /stray/],
  ])('refuse %p in one sentence', (args, sentence) => {
    expect(() => readTailOptions(args)).toThrow(BadTailOption);
    expect(() => readTailOptions(args)).toThrow(sentence);
  });
});

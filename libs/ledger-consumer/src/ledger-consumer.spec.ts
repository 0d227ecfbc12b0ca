import { balanceMessage, type BalanceRecord, type ContractMessage, eventMessage, readEvent, skippedMessage } from '@ledger/event-contract';
import type { StoredEvent } from '@ledger/event-store';
import { streamOf, type WalletEvent, type WalletRef } from '@ledger/wallet';
import { applyMessages, type Applied } from './applying';
import { balanceIn } from './balances';
import { Effects } from './effects';
import { type LedgerEvent, readMessage, type ReceivedMessage, type SkippedEvent, UnknownVersion, UnreadableMessage } from './received';
import { isNext, RevisionGap } from './revision-rule';

const AT = '2026-11-23T09:05:00.000Z';
const USER: WalletRef = { kind: 'user', id: 'u1' };

function stored(
  revision: number,
  event: WalletEvent = { type: 'TimeZoneSet', data: { at: AT, timeZone: 'UTC' } },
  wallet = USER,
): StoredEvent {
  const metadata = { schema: '1', actor: 'tutor', role: 'platform', $correlationId: 'c1', requestId: 'r1', hash: 'h', previousHash: 'p' };
  const { type, data } = event;
  const texts = { data: JSON.stringify(data), metadata: JSON.stringify(metadata) };
  return { id: `id-${wallet.id}-${revision}`, type, ...texts, stream: streamOf(wallet), revision, position: BigInt(1_000 + revision) };
}

/** As kafkajs gives it. */
const received = ({ key, value, headers }: ContractMessage): ReceivedMessage => ({
  key: Buffer.from(key),
  value: Buffer.from(value),
  headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
});
const message = (revision: number, event?: WalletEvent, wallet?: WalletRef): ReceivedMessage =>
  received(eventMessage(readEvent(stored(revision, event, wallet))));
const withHeader = (of: ReceivedMessage, name: string, value: string | undefined): ReceivedMessage => ({
  ...of,
  headers: { ...of.headers, [name]: value },
});

interface Held {
  revisions: Map<string, number>;
  events: LedgerEvent[];
  skips: SkippedEvent[];
}

/** A database of two tables in memory, with transactions: what fails leaves no trace. */
class Notebook extends Effects<Held> {
  held: Held = { revisions: new Map(), events: [], skips: [] };
  transactions = 0;
  failAt: string | undefined;

  async inTransaction(work: (transaction: Held) => Promise<void>): Promise<void> {
    this.transactions += 1;
    const { revisions, events, skips } = this.held;
    const draft = { revisions: new Map(revisions), events: [...events], skips: [...skips] };
    await work(draft);
    this.held = draft;
  }
  lastRevision({ revisions }: Held, wallet: string): number | undefined {
    return revisions.get(wallet);
  }
  keepRevision({ revisions }: Held, wallet: string, revision: number): void {
    revisions.set(wallet, revision);
  }
  async apply({ events }: Held, event: LedgerEvent): Promise<void> {
    if (event.id === this.failAt) throw new Error('the disk is full');
    events.push(event);
  }
  skipped({ skips }: Held, event: SkippedEvent): void {
    skips.push(event);
  }
  get applied(): number[] {
    return this.held.events.map(({ revision }) => revision);
  }
}

const count = (some: Partial<Applied>): Applied => ({ applied: 0, seen: 0, skipped: 0, unknown: 0, ...some });

describe('the revision rule', () => {
  it.each([
    [undefined, 0, true],
    [0, 0, false],
    [0, 1, true],
    [7, 3, false],
    [7, 7, false],
    [7, 8, true],
  ])('after %p, %p is next: %p', (last, found, next) => {
    expect(isNext('user:u1', last, found)).toBe(next);
  });

  it.each([
    [undefined, 1, 0],
    [0, 2, 1],
    [7, 9, 8],
    [7, 1_000, 8],
  ])('after %p, %p is a gap: %p was expected', (last, found, expected) => {
    expect(() => isNext('user:u1', last, found)).toThrow(
      expect.objectContaining({
        wallet: 'user:u1',
        expected,
        found,
        message: expect.stringContaining(`revision ${expected} was expected, and ${found} came`) as unknown,
      }) as Error,
    );
  });
});

describe('applying messages', () => {
  let notebook: Notebook;
  beforeEach(() => (notebook = new Notebook()));
  const take = (...messages: ReceivedMessage[]): Promise<Applied> => applyMessages(messages, notebook);

  it('applies each once, whatever is repeated, in any split', async () => {
    expect(await take(message(0), message(1))).toEqual(count({ applied: 2 }));
    expect(await take(message(0), message(1), message(2))).toEqual(count({ applied: 1, seen: 2 }));
    expect(await take(message(1), message(2), message(2), message(3), message(3))).toEqual(count({ applied: 1, seen: 4 }));
    expect(notebook.applied).toEqual([0, 1, 2, 3]);
    expect(notebook.transactions).toBe(3);
  });

  it('keeps wallets apart, an organisation and a user of one name too', async () => {
    const namesake: WalletRef = { kind: 'organisation', id: 'u1' };
    await take(
      message(0),
      message(0, undefined, namesake),
      message(1, undefined, namesake),
      message(0, undefined, { kind: 'user', id: 'u2' }),
    );
    expect([...notebook.held.revisions]).toEqual([
      ['user:u1', 0],
      ['organisation:u1', 1],
      ['user:u2', 0],
    ]);
  });

  it('stops at a gap, and then nothing of the batch was applied', async () => {
    await take(message(0));
    await expect(take(message(1), message(3))).rejects.toThrow(RevisionGap);
    await expect(take(message(1, undefined, { kind: 'user', id: 'u2' }))).rejects.toThrow(/user:u2: revision 0 was expected, and 1 came/);
    expect(notebook.applied).toEqual([0]);
    expect(await take(message(1), message(2), message(3))).toEqual(count({ applied: 3 }));
  });

  it('keeps neither effect nor revision when an effect fails, and applies it all when it is tried again', async () => {
    notebook.failAt = 'id-u1-1';
    await expect(take(message(0), message(1), message(2))).rejects.toThrow('the disk is full');
    expect(notebook.held).toEqual({ revisions: new Map(), events: [], skips: [] });
    notebook.failAt = undefined;
    expect(await take(message(0), message(1), message(2))).toEqual(count({ applied: 3 }));
  });

  it('lets the revision of a skipped event pass, once, and hands it over', async () => {
    const skip = received(skippedMessage(stored(1), 'too large'));
    expect(await take(message(0), skip, skip, message(2))).toEqual(count({ applied: 2, skipped: 1, seen: 1 }));
    expect(notebook.held.skips).toMatchObject([
      { wallet: USER, revision: 1, id: 'id-u1-1', skipped: { type: 'TimeZoneSet', reason: 'too large' } },
    ]);
    expect(notebook.applied).toEqual([0, 2]);
  });

  it('lets the revision of an unknown type pass without a word to anybody', async () => {
    expect(await take(message(0), withHeader(message(1), 'ce_type', 'ledger.TokensBurnt.v1'), message(2))).toEqual(
      count({ applied: 2, unknown: 1 }),
    );
    expect(notebook.applied).toEqual([0, 2]);
  });

  it('stops at a newer version of a type that it knows', async () => {
    const newer = withHeader(message(1), 'ce_type', 'ledger.TimeZoneSet.v2');
    await expect(take(message(0), newer)).rejects.toThrow(UnknownVersion);
    await expect(take(message(0), newer)).rejects.toThrow(/^ledger\.TimeZoneSet\.v2 is newer than this release/);
    expect(notebook.applied).toEqual([]);
  });
});

describe('a message', () => {
  it('is read as the fact it tells, with its heading', () => {
    const purchase: WalletEvent = {
      type: 'UserWalletOpened',
      data: { at: AT, userId: 'u1', freeTokensPerMonth: 20, balanceAfter: { balance: 0 } },
    };
    expect(readMessage(message(4, purchase))).toEqual({
      ...purchase,
      wallet: USER,
      revision: 4,
      position: 1_004n,
      id: 'id-u1-4',
      actor: 'tutor',
      role: 'platform',
      correlationId: 'c1',
      requestId: 'r1',
      traceparent: undefined,
    });
  });

  it('may come with texts in place of buffers, with lists, and with headers that nobody knows', () => {
    const { key, value, headers } = eventMessage(readEvent(stored(0)));
    const lists = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, ['older', text]]));
    expect(readMessage({ key, value, headers: { ...lists, ce_fresh: 'x' } })).toMatchObject({ type: 'TimeZoneSet', revision: 0 });
  });

  it.each<[string, (of: ReceivedMessage) => ReceivedMessage]>([
    ['no key', (of) => ({ ...of, key: null })],
    ['the key of something else', (of) => ({ ...of, key: 'cart-1' })],
    ['no headers', ({ key, value }) => ({ key, value })],
    ['no id', (of) => withHeader(of, 'ce_id', undefined)],
    ['no revision', (of) => withHeader(of, 'ce_streamrevision', undefined)],
    ['a revision that is no number', (of) => withHeader(of, 'ce_streamrevision', '1.5')],
    ['a revision below zero', (of) => withHeader(of, 'ce_streamrevision', '-1')],
    ['no position', (of) => withHeader(of, 'ce_globalposition', '')],
    ['no type', (of) => withHeader(of, 'ce_type', undefined)],
    ['a type of somebody else', (of) => withHeader(of, 'ce_type', 'shop.CartFilled.v1')],
    ['a type without version', (of) => withHeader(of, 'ce_type', 'ledger.TimeZoneSet')],
    ['no value', (of) => ({ ...of, value: null })],
    ['a value that is not JSON', (of) => ({ ...of, value: '{' })],
  ])('with %s is refused', (_, change) => {
    expect(() => readMessage(change(message(0)))).toThrow(UnreadableMessage);
  });
});

describe('a balance', () => {
  const of = (event: WalletEvent): BalanceRecord => JSON.parse(balanceMessage(readEvent(stored(0, event)))!.value) as BalanceRecord;

  it('loses its free tokens when their month ends, and nothing else', () => {
    const record = of({
      type: 'FreeAllowanceGranted',
      data: { at: AT, month: '2026-11', tokens: 20, lapsed: 0, balanceAfter: { free: { tokens: 20, month: '2026-11' }, balance: 50 } },
    });
    expect(record.free).toEqual({ tokens: 20, month: '2026-11' });
    expect(['2026-10', '2026-11', '2026-12', '2027-01'].map((month) => balanceIn(month, record))).toEqual([50, 50, 30, 30]);
  });

  it('has no free tokens in it when it names none', () => {
    const record = of({ type: 'UserWalletOpened', data: { at: AT, userId: 'u1', freeTokensPerMonth: 0, balanceAfter: { balance: 7 } } });
    expect(record).not.toHaveProperty('free');
    expect(balanceIn('2030-01', record)).toBe(7);
  });
});

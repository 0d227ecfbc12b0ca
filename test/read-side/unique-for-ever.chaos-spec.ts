import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SqliteEventStore } from '@ledger/event-store';
import { StoreReader } from '../support/stored-rows';
import type { Reply } from '../../apps/demo/src/http-client';
import { userCommand } from '../support/commands';
import { bodyOf, calmZone, type Door, isReplay, LedgerUnderTest } from '../support/ledger-under-test';
import type { Command } from '../support/witness';
import { goOn } from './long-wallet';

/**
 * What is unique for ever, with entries from 1,000,000 events ago and through the service itself: while its index is that far
 * behind, after a restart, and after the read model was deleted and the service killed while it is built anew. An answer is the
 * right one or CATCHING_UP, and never another.
 */

const EVENTS = Number(process.env['UNIQUE_EVENTS'] ?? 1_000_000);
/** A first command may fold the whole wallet. */
const ANSWER_MS = 240_000;
/** Each is answered after 5 s when the index is behind. */
const ASKED_MAX = 120;
const MINUTES_MAX = 12;
const USER = 'long';
/** A usage can be reversed once, so each phase reverses another. */
const PHASES = ['behind', 'restarted', 'deleted'] as const;
type Phase = (typeof PHASES)[number];

const command = (path: string, body: unknown, key: string): Command => userCommand(USER, 'POST', path, body, key);
const dayBefore = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
const lastMonth = (): string => {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1)).toISOString().slice(0, 7);
};

describe(`what is unique for ever, ${EVENTS} events later`, () => {
  const ledger = new LedgerUnderTest();
  const first: Record<string, { command: Command; reply: Reply }> = {};
  let door: Door;
  let head: number;
  afterAll(() => ledger.end());

  async function make(name: string, path: string, body: unknown): Promise<Reply> {
    const made = command(path, body, name);
    const reply = await door.ask(made);
    expect([name, reply.status]).toEqual([name, 201]);
    first[name] = { command: made, reply };
    return reply;
  }

  /** Every question about the entries of long ago, with what must be answered. */
  function questions(phase: Phase): { name: string; asked: Command; right: (reply: Reply) => void }[] {
    const replayed = (name: string) => ({
      name: `${name}, again`,
      asked: first[name]!.command,
      right: (reply: Reply) => {
        expect([reply.status, isReplay(reply), reply.text]).toEqual([201, true, first[name]!.reply.text]);
      },
    });
    const refused = (name: string, status: number, code: string, asked: Command) => ({
      name: `${name}, ${code}`,
      asked,
      right: (reply: Reply) => {
        expect([reply.status, bodyOf(reply).code]).toEqual([status, code]);
      },
    });
    const otherwise = (name: string) => ({ ...first[name]!.command, key: `${name}-under-a-new-key-${phase}` });
    const reversal = first[`to-reverse-${phase}`]!;
    return [
      ...['payment', 'usage', 'reversal', 'hosting', 'storage'].map(replayed),
      refused('usage', 422, 'KEY_REUSED', { ...first['usage']!.command, body: { tokens: 8 } }),
      refused('payment', 409, 'PAYMENT_REFERENCE_USED', otherwise('payment')),
      refused('reversal', 409, 'USAGE_ALREADY_REVERSED', otherwise('reversal')),
      refused('hosting', 409, 'BILL_EXISTS', otherwise('hosting')),
      refused('storage', 409, 'BILL_EXISTS', otherwise('storage')),
      {
        name: 'a usage of then, reversed now',
        asked: command(`/usages/${bodyOf(reversal.reply).usageId}/reversal`, undefined, `back-${phase}`),
        right: (reply) => {
          expect(reply.status).toBe(201);
          expect(bodyOf(reply)).toMatchObject({ tokens: 5, returned: [{ source: 'purchased', tokens: 5 }] });
        },
      },
    ];
  }

  /** Asks all at once, each until it is answered; gives how often each was told to wait. */
  async function answeredRight(phase: Phase, until: (all: { name: string; later: number }[]) => boolean = () => false): Promise<number[]> {
    const all = questions(phase).map((question) => ({ ...question, later: 0 }));
    await Promise.all(
      all.map(async (question) => {
        while (question.later < ASKED_MAX && !until(all)) {
          const reply = await door.once(question.asked, ANSWER_MS);
          if (reply.status !== 503) return question.right(reply);
          expect(bodyOf(reply)).toMatchObject({ code: 'CATCHING_UP', neededRevision: expect.any(Number) });
          expect(bodyOf(reply).neededRevision).toBeGreaterThan(EVENTS / 2);
          question.later += 1;
          await pause(50);
        }
        if (!until(all)) throw new Error(`"${question.name}" had no answer when it was asked ${ASKED_MAX} times`);
      }),
    );
    return all.map(({ later }) => later);
  }

  const nothingLost = (phases: number): void => {
    const reader = new StoreReader(ledger.store);
    // The first position is 1, and the store has this wallet alone.
    const written = [...reader.rows(head + 1)];
    reader.close();
    expect(written.map(({ type, metadata }) => [type, metadata.key])).toEqual(
      PHASES.slice(0, phases).map((phase) => ['UsageReversed', `back-${phase}`]),
    );
  };

  beforeAll(async () => {
    door = await ledger.start('a');
    await make('payment', '/purchases', { tokens: 10_000, paymentReference: 'the payment' });
    await make('usage', '/usages', { tokens: 7, reference: 'the usage' });
    for (const phase of PHASES) await make(`to-reverse-${phase}`, '/usages', { tokens: 5 });
    const reversed = bodyOf(await make('to-reverse', '/usages', { tokens: 6 }));
    await make('reversal', `/usages/${reversed.usageId}/reversal`, { reason: 'a mistake' });
    await make('hosting', '/bills', { kind: 'hosting', month: lastMonth(), campuses: [], courses: [1, 1, 1, 3], onShortfall: 'owe' });
    await make('storage', '/storage', { day: dayBefore(2), bytes: 5_000_000_000, onShortfall: 'owe' });
    await ledger.stop();
    const store = await SqliteEventStore.open(ledger.store);
    head = await goOn(store, USER, EVENTS, calmZone());
    await store.close();
  }, MINUTES_MAX * 60_000);

  it(
    'is waited for while the index is as far behind, and then answered right',
    async () => {
      door = await ledger.start('a');
      // There is no snapshot yet: all are folded first, and meanwhile the index may have come as far.
      const later = await answeredRight('behind');
      process.stdout.write(`told to wait, by question: ${later.join(' ')}\n`);
      nothingLost(1);
    },
    MINUTES_MAX * 60_000,
  );

  it(
    'is answered right after a restart, and nobody waits',
    async () => {
      await ledger.stop();
      door = await ledger.start('a');
      expect(new Set(await answeredRight('restarted'))).toEqual(new Set([0]));
      nothingLost(2);
    },
    MINUTES_MAX * 60_000,
  );

  it(
    'is waited for after the read model was deleted, also when the service is killed meanwhile, and then answered right',
    async () => {
      await ledger.stop();
      // The snapshots stay: so the wallet is there at once, and knows that it has dropped what the index does not have.
      for (const suffix of ['', '-wal', '-shm']) rmSync(join(ledger.folder, `read-model-a.db${suffix}`), { force: true });
      door = await ledger.start('a');
      const once = await answeredRight('deleted', (all) => all.some(({ later }) => later > 0));
      await ledger.kill(door);
      door = await ledger.start('a');
      const later = await answeredRight('deleted');
      process.stdout.write(`told to wait, by question: ${once.join(' ')}, and after a kill: ${later.join(' ')}\n`);
      // A short history is read before anybody has waited.
      if (EVENTS >= 1_000_000) expect(Math.max(...once)).toBeGreaterThan(0);
      nothingLost(3);
    },
    MINUTES_MAX * 60_000,
  );
});

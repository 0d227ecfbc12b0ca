import { isDeepStrictEqual } from 'node:util';
import type { Reply } from '../../apps/demo/src/http-client';
import { type Asked, bodyOf, type Door, isLater, isReplay, positionOf } from './ledger-under-test';
import { StoreReader, type StoredRow } from './stored-rows';

/** A command with a key; `stream` is that of the wallet whose key it is. */
export interface Command extends Asked {
  stream: string;
  key: string;
}

/** Says how far a store has come, by asking it now. */
export interface HeadReader {
  head(): number | Promise<number>;
  close(): void;
}

interface Heard {
  reply: Reply;
  through: string;
  /** Head of the store just before the command was sent and just after its answer came. */
  before: number;
  after: number;
}

interface Told {
  command: Command;
  heard: Heard[];
  unanswered: number;
}

const FAULTS_MAX = 30;

/** Writes down every command with all that was answered to it, and holds the answers against what the store has in the end. */
export class Witness {
  private readonly told = new Map<string, Told>();
  private readonly reader: HeadReader;
  private readonly waiting: { count: number; resolve: () => void }[] = [];
  /** Answers of every kind so far. */
  answers = 0;
  unanswered = 0;

  constructor(store: string | HeadReader) {
    this.reader = typeof store === 'string' ? new StoreReader(store) : store;
  }

  /** Sends once; undefined when nothing came back. */
  async send(door: Door, command: Command, waitMs?: number): Promise<Reply | undefined> {
    const told = this.entry(command);
    const before = await this.reader.head();
    try {
      const { method, path, body, key } = command;
      const reply = await door.once({ method, path, body, key }, waitMs);
      told.heard.push({ reply, through: door.name, before, after: await this.reader.head() });
      this.answers += 1;
      this.wake();
      return reply;
    } catch {
      told.unanswered += 1;
      this.unanswered += 1;
      return undefined;
    }
  }

  /** Resolves once so many answers have come since the beginning. */
  answered(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push({ count, resolve });
      this.wake();
    });
  }

  commands(): Command[] {
    return [...this.told.values()].map(({ command }) => command);
  }

  /** Commands that were accepted, with the first answer that said so. */
  accepted(): { command: Command; reply: Reply }[] {
    return [...this.told.values()].flatMap(({ command, heard }) => {
      const first = heard.find(({ reply }) => reply.status < 300);
      return first ? [{ command, reply: first.reply }] : [];
    });
  }

  close(): void {
    this.reader.close();
  }

  /** What the answers say that the stored events do not, and the other way round. */
  faults(rows: readonly StoredRow[]): string[] {
    const results = new Map<string, StoredRow[]>();
    for (const row of rows) {
      if (row.metadata.key === undefined) continue;
      const name = `${row.stream} ${row.metadata.key}`;
      results.set(name, [...(results.get(name) ?? []), row]);
    }
    const faults: string[] = [];
    for (const [name, told] of this.told) {
      for (const sentence of judge(told, results.get(name) ?? [])) {
        const { method, path, key } = told.command;
        if (faults.length < FAULTS_MAX) faults.push(`${method} ${path} with ${key} ${sentence}`);
      }
      results.delete(name);
    }
    for (const name of results.keys()) if (faults.length < FAULTS_MAX) faults.push(`${name} is stored, and nobody sent it`);
    return faults;
  }

  private entry(command: Command): Told {
    const name = `${command.stream} ${command.key}`;
    let told = this.told.get(name);
    if (!told) this.told.set(name, (told = { command, heard: [], unanswered: 0 }));
    return told;
  }

  private wake(): void {
    for (let index = this.waiting.length - 1; index >= 0; index--) {
      if (this.waiting[index]!.count > this.answers) continue;
      this.waiting.splice(index, 1)[0]!.resolve();
    }
  }
}

function* judge({ command, heard }: Told, stored: StoredRow[]): Generator<string> {
  const first = stored[0]?.position ?? Infinity;
  const last = stored.at(-1)?.position ?? Infinity;
  const accepted = heard.filter(({ reply }) => reply.status < 300);
  if (accepted.length > 0 && stored.length === 0) yield `was answered ${accepted[0]!.reply.status}, and is not stored`;
  for (const { reply, through, before, after } of heard) {
    if (reply.status >= 500 && !isLater(reply)) yield `was answered ${reply.status} by ${through}: ${reply.text}`;
    else if (reply.status < 300) {
      if (after < last) yield `was answered ${reply.status} by ${through} (replayed: ${isReplay(reply)}) before it was stored`;
      if (before >= first && !isReplay(reply)) yield `was stored, and ${through} answered as if it were new`;
      if (positionOf(reply) === undefined) yield `was answered by ${through} without a Ledger-Position`;
    } else if (!isLater(reply) && before >= first) yield `was stored, and refused by ${through}: ${reply.text}`;
  }
  if (accepted.filter(({ reply }) => !isReplay(reply)).length > 1) yield 'was answered as new more than once';
  if (command.method !== 'POST') return;
  const texts = new Set(accepted.map(({ reply }) => `${reply.status} ${reply.text}`));
  if (texts.size > 1) yield `was answered differently: ${[...texts].join(' and ')}`;
  if (accepted[0] && stored[0]) yield* differences(bodyOf(accepted[0].reply), stored);
}

/** Fields of an answer that stand in its event under the same name must be the same. */
function* differences(answer: Record<string, unknown>, stored: readonly StoredRow[]): Generator<string> {
  const data = stored.at(-1)!.event.data as unknown as Record<string, unknown>;
  const facts: Record<string, unknown> = { ...data, ...(data.balanceAfter as object), ...(data.batch as object) };
  if ('tokensTotal' in data) facts.tokens = data.tokensTotal;
  if ('paymentReference' in data) facts.available = facts.balance;
  for (const [name, value] of Object.entries(answer)) {
    if (!(name in facts)) yield `answers ${name}, which its event does not have`;
    else if (!isDeepStrictEqual(facts[name], value))
      yield `answers ${name} ${JSON.stringify(value)}, and its event has ${JSON.stringify(facts[name])}`;
  }
}

import { SqliteEventStore, type StoredEvent } from '@ledger/event-store';
import { join } from 'node:path';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { FilledStore } from './kafka-under-test';

const PAGE = 10_000;
/** Appends that wait at once; a store takes 100,000. */
const AT_ONCE_MAX = 20_000;

/** A store that takes over the events of another one, slice by slice: a ledger that is written while a test goes on. */
export class GrowingStore {
  private readonly events: StoredEvent[] = [];
  private taken = 0;

  private constructor(
    readonly store: SqliteEventStore,
    readonly folder: string,
  ) {}

  /** So many events of a platform are to come. */
  static async of(events: number): Promise<GrowingStore> {
    const { filled, store } = await FilledStore.of(events);
    try {
      return await GrowingStore.from(store);
    } finally {
      await store.close();
      filled.remove();
    }
  }

  private static async from(source: SqliteEventStore): Promise<GrowingStore> {
    const folder = mkdtempSync(join(tmpdir(), 'ledger-growing-'));
    const growing = new GrowingStore(await SqliteEventStore.open(join(folder, 'events.db')), folder);
    for (let after = -1n; ; after = growing.events.at(-1)!.position) {
      const page = await source.readAll(after, PAGE);
      if (page.length === 0) return growing;
      growing.events.push(...page);
    }
  }

  get url(): string {
    return `sqlite:${join(this.folder, 'events.db')}`;
  }

  get left(): number {
    return this.events.length - this.taken;
  }

  /** The next events that `grow` would write. */
  coming(count: number): readonly StoredEvent[] {
    return this.events.slice(this.taken, this.taken + count);
  }

  /** Writes the next events; resolves when they are durable. */
  async grow(count: number): Promise<void> {
    for (let rest = count; rest > 0 && this.left > 0;) {
      const slice = this.coming(Math.min(rest, AT_ONCE_MAX));
      this.taken += slice.length;
      rest -= slice.length;
      await Promise.all(slice.map((event) => this.store.append(event.stream, event.revision - 1, [event])));
    }
  }

  async remove(): Promise<void> {
    await this.store.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteEventStore } from '@ledger/event-store';
import { type ChainHead, chainStart, type Envelope, metadataOf, seal, streamOf, type WalletEvent, type WalletRef } from '@ledger/wallet';
import { Sqlite } from '@ledger/sqlite';
import fc from 'fast-check';
import { hashing } from '../../apps/ledger/src/wallets/hashing';
import { beginning, histories } from '../../libs/wallet/src/testing/histories';
import { World } from '../../libs/wallet/src/testing/world';

/** Random ledgers for the audit: what the property test's worlds do, sealed as the service seals and stored in SQLite. */

export interface Row {
  stream: string;
  revision: number;
  id: string;
  type: string;
  data: string;
  metadata: string;
}

/** The events of one random world in the order in which they were written. The same seed gives the same rows. */
export function randomRows(seed: number): Row[] {
  const [run] = fc.sample(histories, { numRuns: 1, seed });
  const { start, platformTimeZone, freeTokensPerMonth, moves } = run!;
  const world = new World(Date.parse(start), platformTimeZone, freeTokensPerMonth);
  const written: { ref: WalletRef; event: WalletEvent }[] = [];
  const enter = world.books.enter.bind(world.books);
  world.books.enter = (ref, event) => {
    written.push({ ref, event });
    enter(ref, event);
  };
  for (const one of [...beginning, ...moves]) world.perform(one);
  const envelopes = new Map<WalletEvent, Envelope>();
  for (const log of [...world.organisations.values(), ...world.users.values()])
    for (const { event, sealed } of log.events) envelopes.set(event, envelopeOf(metadataOf(sealed)));
  const heads = new Map<string, ChainHead>();
  return written.map(({ ref, event }) => {
    const stream = streamOf(ref);
    let head = heads.get(stream);
    if (!head) heads.set(stream, (head = chainStart(stream, hashing)));
    const sealed = seal(withUuids(event), envelopes.get(event)!, head, hashing);
    return { stream, revision: head.revision, ...sealed };
  });
}

function envelopeOf({ actor = '', role = '', requestId = '', key, contentHash }: Record<string, string>): Envelope {
  const keyed = key === undefined ? {} : { key, contentHash: hashing.sha256(contentHash ?? '') };
  return { actor, role, requestId, correlationId: requestId, ...keyed };
}

/** A world's ids are short; the service's are UUIDs of version 7. */
const withUuids = (event: WalletEvent): WalletEvent =>
  JSON.parse(JSON.stringify(event).replace(/"id-(\d+)"/g, (_, number: string) => `"${uuid(Number(number))}"`)) as WalletEvent;

export const uuid = (number: number): string => `019aafca-07e8-7000-8000-${number.toString(16).padStart(12, '0')}`;

/** A folder of stores, gone with `close`. */
export class Stores {
  private readonly folder = mkdtempSync(join(tmpdir(), 'ledger-tamper-'));
  private made = 0;

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A store as the adapter makes it, without events. */
  private async empty(): Promise<string> {
    const path = this.file('empty.db');
    if (!existsSync(path)) await (await SqliteEventStore.open(path)).close();
    return path;
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  /**
   * A store that holds these rows and nothing else, as whoever owns the file can make it: triggers are no obstacle, the tables beside
   * the events are kept right. Positions are those of the rows, from 1.
   */
  async holding(rows: readonly (Row & { position?: number })[]): Promise<string> {
    const path = this.file(`${(this.made += 1)}.db`);
    copyFileSync(await this.empty(), path);
    const db = new Sqlite(path);
    db.pragma('synchronous = off');
    const streams = new Map<string, number>();
    const heads = new Map<number, { position: number; revision: number }>();
    const insert = db.prepare(
      'insert into events (position, stream, revision, previous, id, type, data, metadata) values (?, ?, ?, ?, ?, ?, ?, ?)',
    );
    db.exec('drop index waypoints');
    db.transaction(() => {
      rows.forEach((row, index) => {
        const stream = streams.get(row.stream) ?? streams.size + 1;
        if (!streams.has(row.stream)) db.prepare('insert into streams (id, name) values (?, ?)').run(stream, row.stream);
        streams.set(row.stream, stream);
        const position = row.position ?? index + 1;
        insert.run(position, stream, row.revision, heads.get(stream)?.position ?? 0, row.id, row.type, row.data, row.metadata);
        heads.set(stream, { position, revision: row.revision });
      });
      for (const [stream, { revision, position }] of heads)
        db.prepare('insert into heads (stream, revision, position) values (?, ?, ?)').run(stream, revision, position);
    })();
    db.exec('create index waypoints on events (stream, revision) where revision % 64 = 63');
    db.close();
    return path;
  }
}

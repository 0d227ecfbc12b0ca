import { renameSync, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type EventStore, NO_POSITION, openEventStore, saysUnavailable } from '@ledger/event-store';
import { Sqlite } from '@ledger/sqlite';
import { readSettings, type Environment, type Settings } from '../settings';
import { buildFromNothing, buildTo, pagesTo } from '../views/building';
import { Checkpoints, contradiction } from '../views/checkpoint';
import { compare, DIFFERENCES_MAX } from '../views/comparison';
import type { OpenViews } from '../views/filling';
import { ProgressLog } from '../views/progress';
import { ReadModelInUse, ViewFile } from '../views/view-file';

const USAGE = `Usage: npm run rebuild               builds the read model of a stopped service anew
       npm run rebuild -- --check    builds another beside it, running or not, and compares the two row by row`;
const PROGRESS_MS = 1_000;
const DIFFERENT = 1;
const ASKED_WRONGLY = 2;

type Out = (line: string) => void;

/** Where a fresh read model is built, until it takes the place of the old one or was compared with it. */
export const rebuildPath = (readModelPath: string): string => `${readModelPath.replace(/\.db$/, '')}-rebuild.db`;

/** Answers the exit status: 1 when a check found differences or could not be made, 2 when it was asked wrongly. */
export async function rebuild(args: string[], env: Environment, out: Out, err: Out): Promise<number> {
  let store: EventStore | undefined;
  try {
    const { values } = parseArgs({ args, strict: true, options: { check: { type: 'boolean' } } });
    const settings = readSettings(env);
    store = await openEventStore(settings.eventStoreUrl, { mustExist: true });
    return await (values.check ? check(store, settings, out) : replace(store, settings, out));
  } catch (error) {
    err(saysUnavailable(error) ? `The event store cannot be read: ${error.message}.` : (error as Error).message);
    if (error instanceof ReadModelInUse)
      err('Stop the service first, or compare a fresh read model with the live one: npm run rebuild -- --check');
    if (!(error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')) return DIFFERENT;
    err(USAGE);
    return ASKED_WRONGLY;
  } finally {
    await store?.close();
  }
}

/** The old file serves until the new one is whole, so a rebuild that is killed has changed nothing. */
async function replace(store: EventStore, { readModelPath }: Settings, out: Out): Promise<number> {
  const held = new ViewFile(readModelPath);
  try {
    const fresh = await freshFile(store, readModelPath, await store.headPosition(), out);
    fresh.close();
    for (const suffix of ['-wal', '-shm', '-journal']) rmSync(readModelPath + suffix, { force: true });
    renameSync(rebuildPath(readModelPath), readModelPath);
    out(`${readModelPath} was built anew.`);
    return 0;
  } finally {
    held.release();
  }
}

async function check(store: EventStore, { readModelPath }: Settings, out: Out): Promise<number> {
  const live = new Sqlite(readModelPath, { readonly: true, fileMustExist: true });
  const checkpoints = new Checkpoints(live);
  let fresh: Fresh | undefined;
  try {
    const before = checkpoints.last();
    const reason = before === undefined ? 'it has read nothing yet' : await contradiction(before, store);
    if (before === undefined || reason !== undefined) {
      out(`${readModelPath} cannot be compared: ${reason}.`);
      return DIFFERENT;
    }
    fresh = await freshFile(store, readModelPath, before.position, out);
    // One instant of the live file, which may have gone on meanwhile: rows and checkpoint are of the same transaction.
    live.exec('begin');
    const position = checkpoints.last()?.position ?? NO_POSITION;
    if (position < before.position) throw new Error(`${readModelPath} went back while it was being compared; check again.`);
    await buildTo(position, store, fresh.opened);
    const { tables, rows, differences } = compare(live, fresh.opened.db);
    for (const difference of differences) out(difference);
    const many = differences.length >= DIFFERENCES_MAX ? 'at least ' : '';
    const found = differences.length === 0 ? 'no difference' : `${many}${differences.length} differences`;
    out(`Compared ${rows} rows of ${tables} tables at position ${position}: ${found}.`);
    return differences.length === 0 ? 0 : DIFFERENT;
  } finally {
    live.close();
    fresh?.close();
    fresh?.file.discard();
  }
}

interface Fresh {
  file: ViewFile;
  opened: OpenViews;
  close(): void;
}

/** A read model of its own beside the live one. */
async function freshFile(store: EventStore, readModelPath: string, until: bigint, out: Out): Promise<Fresh> {
  const file = new ViewFile(rebuildPath(readModelPath));
  const log = new ProgressLog((sentence) => out(`Read ${sentence}.`), PROGRESS_MS);
  const began = performance.now();
  const pages = pagesTo(until, store, NO_POSITION);
  const opened = (await buildFromNothing({ store, until, pages, file, tell: (progress) => log.tell(progress) })) ?? file.open();
  out(`Built to position ${until} in ${Math.round((performance.now() - began) / 100) / 10} s.`);
  const close = () => {
    opened.db.close();
    file.release();
    for (const suffix of ['', '-journal']) rmSync(`${file.path}.lock${suffix}`, { force: true });
  };
  return { file, opened, close };
}

if (require.main === module)
  void rebuild(process.argv.slice(2), process.env, console.log, console.error).then((status) => {
    process.exitCode = status;
  });

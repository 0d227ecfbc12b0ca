import type { EventStore } from '@ledger/event-store';
import { BadArguments, CLEAN, type Command, flags, openStore, storeUrl } from '../cli/command';
import { allEvents } from '../replay/facts';
import { beancountJournal } from './beancount';
import { hledgerJournal, type Journal } from './journal';
import { beancountParts, hledgerParts, type PartedJournal, writeParts } from './journal-parts';
import { csvLines, type EventLines, jsonLines } from './lines';
import { fileOutput, type Output, standardOutput } from './output';
import { ParquetFile } from './parquet';

const FORMATS = ['jsonl', 'csv', 'parquet'] as const;
const JOURNALS: Readonly<Record<string, { whole: () => Journal; parts: (file: string) => PartedJournal }>> = {
  hledger: { whole: hledgerJournal, parts: hledgerParts },
  beancount: { whole: beancountJournal, parts: beancountParts },
};

export const exportCommand: Command = {
  summary: 'write all events as JSON Lines, CSV or Parquet, or their postings as a journal',
  usage: 'export --format jsonl|csv|parquet | --journal hledger|beancount  [--out FILE [--transactions N]] [--event-store URL]',
  async run(args, { env, out, err }) {
    const values = flags(args, {
      format: { type: 'string' },
      journal: { type: 'string' },
      out: { type: 'string' },
      transactions: { type: 'string' },
      'event-store': { type: 'string' },
    });
    const wanted = wantedOf(values);
    const { out: file } = values;
    if (wanted === 'parquet' && file === undefined) throw new BadArguments('--out is missing: Parquet is written to a file only.');
    const cut = cutOf(values);
    const store = await openStore(storeUrl(values['event-store'], env));
    try {
      if (cut) {
        const { events, files, whole } = await writeParts(store, cut.journal, cut.transactions);
        const all = whole === undefined ? '' : `; ${whole} has all of them`;
        err(`${events} events were read, and ${files.length} files were written, from ${files[0]} to ${files.at(-1)}${all}.`);
        return CLEAN;
      }
      const events =
        wanted === 'parquet'
          ? await writeParquet(store, file ?? '')
          : await writeLines(store, wanted, file === undefined ? standardOutput(out) : fileOutput(file));
      if (file !== undefined) err(`${events} events were read, and ${file} was written.`);
      return CLEAN;
    } finally {
      await store.close();
    }
  },
};

/** @throws BadArguments */
function wantedOf({ format, journal }: { format?: string; journal?: string }): EventLines | Journal | 'parquet' {
  if ((format === undefined) === (journal === undefined)) throw new BadArguments('Say one of --format and --journal.');
  if (journal !== undefined) {
    return journalNamed(journal).whole();
  }
  if (format === 'parquet') return format;
  if (format === 'jsonl') return jsonLines;
  if (format === 'csv') return csvLines;
  throw new BadArguments(`--format must be one of ${FORMATS.join(', ')}, and is "${format}".`);
}

/** @throws BadArguments */
function journalNamed(name: string) {
  const journal = Object.hasOwn(JOURNALS, name) ? JOURNALS[name] : undefined;
  if (!journal) throw new BadArguments(`--journal must be hledger or beancount, and is "${name}".`);
  return journal;
}

interface Cut {
  journal: PartedJournal;
  /** How many each file holds at most. */
  transactions: number;
}

/** @throws BadArguments */
function cutOf({ journal, out, transactions }: { journal?: string; out?: string; transactions?: string }): Cut | undefined {
  if (transactions === undefined) return undefined;
  if (journal === undefined || out === undefined)
    throw new BadArguments('--transactions cuts a journal into files: it wants --journal and --out.');
  if (!/^[1-9]\d{0,8}$/.test(transactions))
    throw new BadArguments(`--transactions takes a number from 1 to 999999999; "${transactions}" is none.`);
  return { journal: journalNamed(journal).parts(out), transactions: Number(transactions) };
}

async function writeLines(store: EventStore, lines: EventLines | Journal, output: Output): Promise<number> {
  let events = 0;
  try {
    if (lines.head !== '') output.write(lines.head);
    for await (const page of allEvents(store)) {
      const text = lines.of(page);
      if (text !== '') output.write(text);
      events += page.length;
    }
    if ('tail' in lines && lines.tail() !== '') output.write(lines.tail());
    output.close();
    return events;
  } catch (error) {
    output.discard();
    throw error;
  }
}

async function writeParquet(store: EventStore, file: string): Promise<number> {
  const parquet = await ParquetFile.open(file);
  let events = 0;
  try {
    for await (const page of allEvents(store)) {
      await parquet.add(page);
      events += page.length;
    }
    await parquet.close();
    return events;
  } catch (error) {
    parquet.discard();
    throw error;
  }
}

import { basename, join, parse } from 'node:path';
import type { EventStore, StoredEvent } from '@ledger/event-store';
import { allEvents } from '../replay/facts';
import { BEANCOUNT_HEAD, BeancountBook, opened, openingBalances } from './beancount';
import { hledgerJournal, movesTokens } from './journal';
import { fileOutput } from './output';

/**
 * A journal in several files, for its readers need memory in proportion to the transactions that they read. Each begins with what all
 * accounts held, so each can be checked alone, and the last one's balances are the ledger's.
 */

/** A file under way. */
interface JournalPart {
  file: string;
  /** The transaction of an event, '' when it moves nothing; to be written in the order in which they were asked for. */
  of(event: StoredEvent): string;
  write(transactions: string): void;
  /** All was written. */
  close(): void;
  discard(): void;
}

export interface PartedJournal {
  /** Begins the part of this number, when the one before is closed. */
  begin(number: number): JournalPart;
  /** All parts were written. Answers the file that has all of them, if there is one. */
  end(files: number): string | undefined;
}

/** `ledger.0001.journal` of `ledger.journal`. */
export function partName(file: string, number: number): string {
  const { dir, name, ext } = parse(file);
  return join(dir, `${name}.${String(number).padStart(4, '0')}${ext}`);
}

export function hledgerParts(file: string): PartedJournal {
  const held = new Map<string, number>();
  return {
    begin: (number) => {
      const journal = hledgerJournal(held);
      const name = partName(file, number);
      const output = fileOutput(name);
      output.write(journal.head);
      return { ...output, file: name, of: (event) => journal.of([event]) };
    },
    end: () => undefined,
  };
}

/** The transactions of a part stand in a file of their own: the part includes it, and so does the file that has all of them. */
export function beancountParts(file: string): PartedJournal {
  const held = new Map<string, number>();
  const whole = new BeancountBook(held);
  return {
    begin: (number) => {
      const opening = [...held].filter(([, tokens]) => tokens !== 0).map(([account, tokens]) => ({ account, tokens }));
      const book = new BeancountBook(held);
      const name = partName(file, number);
      const output = fileOutput(transactionsName(file, number));
      return {
        ...output,
        file: name,
        of: (event) => book.of(event),
        close: () => {
          output.close();
          whole.add(book);
          const accounts = new Set([...opening.map(({ account }) => account), ...book.accounts]);
          saved(name, [BEANCOUNT_HEAD, opened(accounts), '\n', openingBalances(opening), included(file, number), '\n', book.balances(accounts)]); // prettier-ignore
        },
      };
    },
    end: (files) => {
      const numbers = Array.from({ length: files }, (_, index) => index + 1);
      saved(file, [BEANCOUNT_HEAD, opened(whole.accounts), '\n', ...numbers.map((number) => included(file, number)), '\n', whole.balances()]); // prettier-ignore
      return file;
    },
  };
}

/** `ledger.transactions.0001.beancount` of `ledger.beancount`. */
function transactionsName(file: string, number: number): string {
  const { dir, name, ext } = parse(file);
  return partName(join(dir, `${name}.transactions${ext}`), number);
}

/** beancount takes the name for a pattern, and for a text with escapes. */
const included = (file: string, number: number): string =>
  `include "${basename(transactionsName(file, number)).replace(/[*?[]/g, '[$&]').replace(/["\\]/g, '\\$&')}"\n`;

function saved(file: string, texts: readonly string[]): void {
  const output = fileOutput(file);
  try {
    for (const text of texts) output.write(text);
    output.close();
  } catch (error) {
    output.discard();
    throw error;
  }
}

/** Writes files of at most so many transactions. Answers their names, and that of the file that has them all. */
export async function writeParts(
  store: EventStore,
  journal: PartedJournal,
  transactionsMax: number,
): Promise<{ events: number; files: string[]; whole: string | undefined }> {
  const files: string[] = [];
  let events = 0;
  let transactions = 0;
  const next = (): JournalPart => {
    const begun = journal.begin(files.length + 1);
    files.push(begun.file);
    transactions = 0;
    return begun;
  };
  let part = next();
  try {
    for await (const page of allEvents(store)) {
      let texts = '';
      for (const event of page) {
        events += 1;
        // The next file is begun by the transaction that has no room in this one: none is empty but that of an empty ledger.
        if (transactions === transactionsMax && movesTokens(event)) {
          part.write(texts);
          part.close();
          part = next();
          texts = '';
        }
        const text = part.of(event);
        if (text !== '') transactions += 1;
        texts += text;
      }
      part.write(texts);
    }
    part.close();
  } catch (error) {
    part.discard();
    throw error;
  }
  return { events, files, whole: journal.end(files.length) };
}

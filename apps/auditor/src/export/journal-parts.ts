import { parse } from 'node:path';
import type { EventStore } from '@ledger/event-store';
import { allEvents } from '../replay/facts';
import { hledgerJournal, type Journal, movesTokens } from './journal';
import { fileOutput, type Output } from './output';

/**
 * A journal in several files, for hledger needs memory in proportion to the transactions that it reads. Each begins with what all
 * accounts held, so each can be checked alone, and the last one's balances are the ledger's.
 */

/** `ledger.0001.journal` of `ledger.journal`. */
export function partName(file: string, number: number): string {
  const { dir, name, ext } = parse(file);
  return `${dir === '' ? '' : `${dir}/`}${name}.${String(number).padStart(4, '0')}${ext}`;
}

/** Writes files of at most so many transactions. Answers their names. */
export async function writeParts(store: EventStore, file: string, transactionsMax: number): Promise<{ events: number; files: string[] }> {
  const held = new Map<string, number>();
  const files: string[] = [];
  let events = 0;
  let transactions = 0;
  let output: Output | undefined;
  let journal: Journal | undefined;
  const next = (): Output => {
    const name = partName(file, files.length + 1);
    journal = hledgerJournal(held);
    const opened = fileOutput(name);
    files.push(name);
    transactions = 0;
    opened.write(journal.head);
    return opened;
  };
  try {
    output = next();
    for await (const page of allEvents(store)) {
      let texts = '';
      for (const event of page) {
        events += 1;
        // The next file is begun by the transaction that has no room in this one: none is empty but that of an empty ledger.
        if (transactions === transactionsMax && movesTokens(event)) {
          output.write(texts);
          output.close();
          output = next();
          texts = '';
        }
        const text = journal!.of([event]);
        if (text !== '') transactions += 1;
        texts += text;
      }
      if (texts !== '') output.write(texts);
    }
    output.close();
    return { events, files };
  } catch (error) {
    output?.discard();
    throw error;
  }
}

import { parseArgs } from 'node:util';
import type { StoredEvent } from '@ledger/event-store';
import { BadArguments, CLEAN, type Command, FINDINGS, openStore } from '../cli/command';
import { diff, type Difference } from './diff';

export const diffCommand: Command = {
  summary: 'compare two stores, stream by stream',
  usage: 'diff <first store URL> <second store URL> [--json]',
  async run(args, { out }) {
    const { urls, json } = read(args);
    const first = await openStore(urls[0]);
    try {
      const second = await openStore(urls[1]);
      try {
        const tell = (difference: Difference) => out(json ? JSON.stringify(plain(difference)) : sentence(difference));
        const { streams, events, differences } = await diff(first, second, tell);
        const same = differences === 0;
        if (json) out(JSON.stringify({ same, streams, events, differences }));
        else if (same) out(`The two stores are the same: ${streams} streams, ${events} events.`);
        else out(`${differences} of ${streams} streams differ.`);
        return same ? CLEAN : FINDINGS;
      } finally {
        await second.close();
      }
    } finally {
      await first.close();
    }
  },
};

function read(args: string[]): { urls: [string, string]; json: boolean } {
  const { positionals, values } = parsed(args);
  const [first, second, ...more] = positionals;
  if (first === undefined || second === undefined || more.length > 0)
    throw new BadArguments(`Name two stores, such as sqlite:data/events.db; ${positionals.length} were named.`);
  return { urls: [first, second], json: values.json === true };
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options: { json: { type: 'boolean' } }, allowPositionals: true });
  } catch (error) {
    throw new BadArguments((error as Error).message);
  }
}

/** The events without their position, which is a BigInt and tells nothing here. */
function plain(difference: Difference): object {
  if (difference.kind !== 'different') return difference;
  const { first, second, ...rest } = difference;
  const shown = ({ id, type, data, metadata }: StoredEvent) => ({ id, type, data, metadata });
  return { ...rest, first: shown(first), second: shown(second) };
}

const SHOWN_MAX = 300;
const shortened = (text: string): string => (text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}... (${text.length} characters)` : text);
const counted = (count: number): string => (count === 1 ? '1 event' : `${count} events`);

function sentence(difference: Difference): string {
  const { stream } = difference;
  switch (difference.kind) {
    case 'onlyInFirst':
      return `${stream} is only in the first store, with ${counted(difference.events)}.`;
    case 'onlyInSecond':
      return `${stream} is only in the second store, with ${counted(difference.events)}.`;
    case 'longerInFirst':
      return `${stream} has ${counted(difference.more)} more in the first store, after ${difference.common} that are the same.`;
    case 'longerInSecond':
      return `${stream} has ${counted(difference.more)} more in the second store, after ${difference.common} that are the same.`;
    case 'different': {
      const { revision, fields, first, second } = difference;
      const sides = fields.flatMap((field) => [
        `  ${field} of the first:  ${shortened(String(first[field]))}`,
        `  ${field} of the second: ${shortened(String(second[field]))}`,
      ]);
      return [`${stream} differs first at revision ${revision} (${first.type}), in ${fields.join(', ')}:`, ...sides].join('\n');
    }
    default:
      return difference satisfies never;
  }
}

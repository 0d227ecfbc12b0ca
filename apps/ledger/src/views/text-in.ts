import type { Metadata } from '@ledger/wallet';

/**
 * One text of an event's metadata, without parsing the others: that would cost as much as folding the event in. Metadata is a
 * flat object of strings, so `"name":"` can only be where that field begins; whatever is written in another way is parsed.
 */
export function textIn(metadata: string, name: string): string | undefined {
  const quoted = `"${name}"`;
  const at = metadata.indexOf(quoted);
  if (at < 0) return undefined;
  const from = at + quoted.length + ':"'.length;
  const to = metadata.indexOf('"', from);
  const text = metadata.slice(from, to);
  const plain = metadata.startsWith(':"', from - 2) && to > 0 && !text.includes('\\');
  return plain ? text : (JSON.parse(metadata) as Metadata)[name];
}

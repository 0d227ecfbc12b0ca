import type { Metadata } from './chain';

/**
 * One text of an event's metadata, without parsing the others: that would cost as much as folding the event in. Metadata are a flat
 * object of strings, and in JSON a quote within a text has a backslash before it: so `"name":"` can only be where that field begins.
 * Whatever is written in another way is parsed.
 *
 * It is a copy: a part of a text, left as it is, would keep the whole of it in memory for as long as a wallet remembers a key.
 */
export function textIn(metadata: string, name: string): string | undefined {
  const field = `"${name}":"`;
  const at = metadata.indexOf(field);
  if (at < 0) return metadata.includes(`"${name}"`) ? parsed(metadata)[name] : undefined;
  const begins = at + field.length - 1;
  const quoted = metadata.slice(begins, metadata.indexOf('"', begins + 1) + 1);
  return quoted.includes('\\') ? parsed(metadata)[name] : (JSON.parse(quoted) as string);
}

const parsed = (metadata: string): Metadata => JSON.parse(metadata) as Metadata;

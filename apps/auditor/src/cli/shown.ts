const SHOWN_MAX = 200;

/** A text that anybody may have written, as one line that means nothing to a terminal: whoever changes a store must not write what we say. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, escaped);

/** The same of a text that may be long, or in no language: short and in ASCII. */
export function shown(text: string): string {
  const plain = text.replace(/[^ -~]/g, escaped);
  return plain.length > SHOWN_MAX ? `${plain.slice(0, SHOWN_MAX)}... (${text.length} characters)` : plain;
}

const escaped = (characters: string): string =>
  Array.from({ length: characters.length }, (_, at) => `\\u${characters.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');

const SHOWN_MAX = 200;

/** A text that anybody may have written, for people to read: it is short, ends no line and means nothing to a terminal. */
export function shown(text: string): string {
  const plain = text.replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return plain.length > SHOWN_MAX ? `${plain.slice(0, SHOWN_MAX)}... (${text.length} characters)` : plain;
}

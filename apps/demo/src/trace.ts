import { readFileSync } from 'node:fs';
import type { Conversation } from './conversations';

const HEADER = 'TIMESTAMP,ContextTokens,GeneratedTokens';
const ROW = /^[^,]+,(\d{1,9}),(\d{1,9})$/;
/** More lines than these are not named: the first few show what is wrong. */
const NAMED_MAX = 5;

export class BadTrace extends Error {}

/**
 * The rows of a trace in the format of the Azure LLM inference trace. A trace with a bad line is refused whole: charging a
 * part of it would look like a result.
 * @throws BadTrace names the first bad lines by their number in the file
 */
export function parseTrace(text: string): Conversation[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  if (lines[0]?.trim() !== HEADER) throw new BadTrace(`line 1 must be the header ${HEADER}`);

  const conversations: Conversation[] = [];
  const bad: string[] = [];
  for (let index = 1; index < lines.length; index++) {
    const match = ROW.exec(lines[index]!.trim());
    const contextTokens = Number(match?.[1]);
    const generatedTokens = Number(match?.[2]);
    if (!match) bad.push(`line ${index + 1} is not "time,context tokens,generated tokens"`);
    else if (contextTokens + generatedTokens === 0) bad.push(`line ${index + 1} has no tokens, so nothing to charge`);
    else conversations.push({ row: index, contextTokens, generatedTokens });
  }
  if (bad.length > 0) {
    const more = bad.length > NAMED_MAX ? ` and ${bad.length - NAMED_MAX} more` : '';
    throw new BadTrace(`${bad.slice(0, NAMED_MAX).join('; ')}${more}`);
  }
  if (conversations.length === 0) throw new BadTrace('there are no rows below the header');
  return conversations;
}

export function readTrace(file: string): Conversation[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new BadTrace(`The trace ${file} cannot be read: ${(error as Error).message}.`);
  }
  try {
    return parseTrace(text);
  } catch (error) {
    if (error instanceof BadTrace) throw new BadTrace(`The trace ${file} cannot be used: ${error.message}.`);
    throw error;
  }
}

import { choose } from './random';

/** One conversation with a language model, in tokens of the model (not of the ledger). */
export interface Conversation {
  /** Number of its row, from 1: names it in idempotency keys and picks its member. */
  row: number;
  contextTokens: number;
  generatedTokens: number;
}

export const GENERATED_CONVERSATIONS = 4_000;

/**
 * A day's conversations when there is no trace: most are short questions, every eighth works on a long document. They cost
 * some 5 tokens of the ledger on average, so that a few thousand of them weigh as much as the real trace.
 */
export function generateConversations(seed: number, count = GENERATED_CONVERSATIONS): Conversation[] {
  return Array.from({ length: count }, (_, index) => {
    const row = index + 1;
    const long = choose(seed, row * 3, 8) === 0;
    const contextTokens = 200 + choose(seed, row * 3 + 1, long ? 60_000 : 6_000);
    const generatedTokens = 50 + choose(seed, row * 3 + 2, long ? 6_000 : 1_500);
    return { row, contextTokens, generatedTokens };
  });
}

import type { AppendResult } from '@eventstore/db-client';

/** An append's outcome as a person would log it. */
export async function outcomeOf(append: Promise<AppendResult>): Promise<string> {
  try {
    return `written at ${(await append).nextExpectedRevision}`;
  } catch (error) {
    return errorOf(error);
  }
}

export function errorOf(error: unknown): string {
  const { type, code, name, message } = error as Error & { type?: string; code?: number };
  return `${type ?? (code === undefined ? name : `grpc ${code}`)}: ${message}`;
}

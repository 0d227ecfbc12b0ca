import { walletName } from '@ledger/event-contract';
import { type LedgerMessage, readMessage, type ReceivedMessage } from '@ledger/ledger-consumer';
import { wordsOf } from './tail-words';

/** Wide enough for most wallets, so that the words stand below one another. */
const WALLET_WIDTH = 24;
const CONTROL = /[\p{Cc}\u2028\u2029]/gu;

/** A message as it is printed, without the line's end; undefined when it is not of the wallet that was asked for. */
export function lineOf(message: ReceivedMessage, { json, wallet }: { json: boolean; wallet: string | undefined }): string | undefined {
  let read: LedgerMessage;
  try {
    read = readMessage(message);
  } catch (error) {
    // The tail only looks: it says what it cannot read, and goes on.
    const reason = (error as Error).message;
    return wallet === undefined ? (json ? JSON.stringify({ unreadable: reason }) : `${' '.repeat(WALLET_WIDTH)}  ${reason}`) : undefined;
  }
  const name = walletName(read.wallet);
  if (wallet !== undefined && wallet !== name) return undefined;
  if (json) return jsonOf(read, name, message);
  // References and reasons are other people's texts: they must neither end the line nor command the terminal.
  return `${timeOf(message)}  ${name.padEnd(WALLET_WIDTH)}  ${wordsOf(read)}`.replace(CONTROL, ' ');
}

/** One JSON object: the heading, and the data as it was published. */
function jsonOf(read: LedgerMessage, wallet: string, message: ReceivedMessage): string {
  const { revision, position, id, actor, role, correlationId, requestId, traceparent } = read;
  const type = 'skipped' in read ? 'skipped' : 'unknownType' in read ? read.unknownType : read.type;
  const data = JSON.parse(String(message.value)) as unknown;
  const heading = { wallet, revision, position: `${position}`, id, actor, role, correlationId, requestId, traceparent };
  return JSON.stringify({ at: timeOf(message).trim(), type, ...heading, data });
}

const timeOf = ({ headers }: ReceivedMessage): string => String(headers?.['ce_time'] ?? '').padEnd(24);

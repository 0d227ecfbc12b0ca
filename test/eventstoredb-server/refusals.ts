/** The errors of a real server, as status, sentence and trailing metadata. */
import { Metadata, status, type StatusObject } from '@grpc/grpc-js';

export type Refusal = Partial<StatusObject> & Pick<StatusObject, 'code' | 'details'>;

const refusal = (code: status, details: string, metadata: Record<string, string> = {}): Refusal => {
  const trailers = new Metadata();
  for (const [name, value] of Object.entries(metadata)) trailers.set(name, value);
  return { code, details, metadata: trailers };
};

export const busy = (): Refusal => refusal(status.UNAVAILABLE, 'Server Is Too Busy');
/** For a call whose connection is being cut; the client hardly ever sees it. */
export const connectionCut = (): Refusal => refusal(status.UNAVAILABLE, 'the connection is cut');
export const notReady = (): Refusal => refusal(status.UNAVAILABLE, 'Server Is Not Ready');
export const cancelled = (): Refusal => refusal(status.CANCELLED, 'the server shuts down');
export const timedOut = (): Refusal => refusal(status.DEADLINE_EXCEEDED, 'Operation timed out');
export const invalidPosition = (): Refusal => refusal(status.INVALID_ARGUMENT, 'Invalid position');
export const invalidArgument = (details: string): Refusal => refusal(status.INVALID_ARGUMENT, details);
export const failure = (code: status): Refusal => refusal(code, `switched on by a test: ${status[code]}`);
export const unauthenticated = (): Refusal => refusal(status.UNAUTHENTICATED, 'Unauthenticated');

export const accessDenied = (): Refusal => refusal(status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' });

export const notLeader = (host: string, port: number): Refusal =>
  refusal(status.NOT_FOUND, 'Leader info available', {
    exception: 'not-leader',
    'leader-endpoint-host': host,
    'leader-endpoint-port': String(port),
  });

export const streamDeleted = (stream: string): Refusal =>
  refusal(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, { exception: 'stream-deleted', 'stream-name': stream });

export const appendTooLarge = (maxBytes: number): Refusal =>
  refusal(status.INVALID_ARGUMENT, `Maximum Append Size of ${maxBytes} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(maxBytes),
  });

/** Only deletes answer a wrong revision like this; appends say it in their message. */
export const wrongExpectedVersion = (stream: string, expected: string, current: number): Refusal =>
  refusal(
    status.FAILED_PRECONDITION,
    `WrongExpectedVersion. Stream: ${stream}, Expected version: ${expected}, Actual version: ${current}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': expected,
      'actual-version': String(current),
    },
  );

import { HttpConnection } from './http-connection';

/** Makes the n-th request of a run, complete with head and body. */
export type RequestOf = (n: number) => string;

export interface Run {
  requests: number;
  perSecond: number;
  /** Milliseconds of each answer, in the order of arrival. */
  milliseconds: Float64Array;
  /** Answers by status. */
  statuses: Map<number, number>;
}

/** Answers of one run that are timed one by one; a faster run would be counted, only not timed further. */
const TIMED_MAX = 4_000_000;

/**
 * Closed loop: each connection sends its next request when it has its answer. After the time is up nothing new is sent and
 * everything under way is waited for, so that the totals can be checked to the token.
 */
export async function generate(url: string, connections: number, seconds: number, request: RequestOf): Promise<Run> {
  const { hostname, port } = new URL(url);
  const open = await Promise.all(Array.from({ length: connections }, () => HttpConnection.open(Number(port), hostname)));
  const milliseconds = new Float64Array(TIMED_MAX);
  const statuses = new Map<number, number>();
  let requests = 0;
  let sent = 0;
  const began = performance.now();
  const until = began + seconds * 1000;
  const loop = async (connection: HttpConnection) => {
    for (let now = performance.now(); now < until;) {
      const status = await connection.send(request(sent++));
      const answered = performance.now();
      if (requests < TIMED_MAX) milliseconds[requests] = answered - now;
      requests += 1;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      now = answered;
    }
  };
  try {
    await Promise.all(open.map(loop));
  } finally {
    for (const connection of open) connection.close();
  }
  const elapsed = (performance.now() - began) / 1000;
  return { requests, perSecond: requests / elapsed, milliseconds: milliseconds.slice(0, Math.min(requests, TIMED_MAX)), statuses };
}

/** A POST as text; the same head for the echo and for the service. */
export function post(host: string, token: string, path: string, key: string, body: string): string {
  return (
    `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: keep-alive\r\nAuthorization: Bearer ${token}\r\n` +
    `Idempotency-Key: ${key}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

import { HttpConnection } from './http-connection';

/** Makes the n-th request of a run, complete with head and body. */
export type RequestOf = (n: number) => string;

export interface Run {
  requests: number;
  perSecond: number;
  /** Milliseconds of each answer, in the order of arrival. */
  milliseconds: readonly number[];
  /** Answers by status. */
  statuses: Map<number, number>;
}

/** A closed loop over HTTP: each connection sends its next request when it has its answer. */
export async function generate(url: string, connections: number, seconds: number, request: RequestOf): Promise<Run> {
  const { hostname, port } = new URL(url);
  const open = await Promise.all(Array.from({ length: connections }, () => HttpConnection.open(Number(port), hostname)));
  try {
    return await closedLoop(connections, seconds, (n, caller) => open[caller]!.send(request(n)));
  } finally {
    for (const connection of open) connection.close();
  }
}

/**
 * Each caller does its next piece of work when it has the answer of the last. After the time is up nothing new is begun and
 * everything under way is waited for, so that the totals can be checked to the token. `work` resolves with a status.
 */
export async function closedLoop(callers: number, seconds: number, work: (n: number, caller: number) => Promise<number>): Promise<Run> {
  const milliseconds: number[] = [];
  const statuses = new Map<number, number>();
  let sent = 0;
  const began = performance.now();
  const until = began + seconds * 1000;
  const loop = async (caller: number) => {
    for (let now = performance.now(); now < until;) {
      const status = await work(sent++, caller);
      const answered = performance.now();
      milliseconds.push(answered - now);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      now = answered;
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => loop(caller)));
  const elapsed = (performance.now() - began) / 1000;
  const requests = milliseconds.length;
  return { requests, perSecond: requests / elapsed, milliseconds, statuses };
}

/** A POST as text; the same head for the echo and for the service. */
export function post(host: string, token: string, path: string, key: string, body: string): string {
  return (
    `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: keep-alive\r\nAuthorization: Bearer ${token}\r\n` +
    `Idempotency-Key: ${key}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

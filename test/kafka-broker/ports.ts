import { createServer } from 'node:net';

/**
 * Below the range that systems take for outgoing connections: a client that knocks at a broker that was killed could else be
 * given the very port that the broker needs back.
 */
const FIRST = 20_000;
const LAST = 32_000;
const TRIES_MAX = 200;

/** Ports of this machine that nobody listens on, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count; tries++) {
    if (tries === TRIES_MAX) throw new Error(`no ${count} free ports between ${FIRST} and ${LAST} in ${TRIES_MAX} tries`);
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

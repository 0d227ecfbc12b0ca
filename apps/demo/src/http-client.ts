import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * How often one command is sent at most: under 429, 503 and lost connections it is repeated with the same key. As `Retry-After` has it
 * that is half a minute: on a store that loses connections all the time, one command in some thousands is unlucky 8 times in a row.
 */
const ATTEMPTS_MAX = 30;
const PAUSE_MAX_MS = 2_000;
const PAUSE_MS = 50;
const ANSWER_MAX_MS = 30_000;

export interface Problem {
  code: string;
  status: number;
  detail: string;
  [fact: string]: unknown;
}

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  /** The body to the letter, for comparing a replay with the first answer. */
  text: string;
}

export interface Answer extends Reply {
  /** From the first attempt to the answer that counted. */
  milliseconds: number;
  attempts: number;
}

export interface Ask {
  method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  token: string;
  body?: unknown;
  key?: string;
  /** Read at least as far as this `Ledger-Position`. */
  position?: string;
}

/** Keep-alive connections to one service; as many as there are requests in flight, at most `connections`. */
export class HttpClient {
  private readonly agent: Agent;
  /** Answers that had to be asked for again. */
  retries = 0;

  constructor(
    private readonly url: string,
    connections: number,
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: 'fifo' });
  }

  /** Sends until there is an answer that is not "later". Safe to repeat, because every POST carries its key. */
  async ask(ask: Ask): Promise<Answer> {
    const began = performance.now();
    for (let attempts = 1; ; attempts++) {
      const last = attempts === ATTEMPTS_MAX;
      try {
        const { status, headers, text } = await this.once(ask);
        if (last || (status !== 429 && status !== 503)) return { status, headers, text, milliseconds: performance.now() - began, attempts };
        await pause(Math.min(PAUSE_MAX_MS, Number(headers['retry-after'] ?? 0) * 1000 || PAUSE_MS * attempts));
      } catch (error) {
        if (last)
          throw new Error(`${ask.method} ${ask.path} got no answer in ${attempts} attempts: ${(error as Error).message}`, { cause: error });
        await pause(PAUSE_MS * attempts);
      }
      this.retries += 1;
    }
  }

  close(): void {
    this.agent.destroy();
  }

  /** Sends once and takes what comes. @throws when nothing comes within `waitMs`, or the connection is lost */
  once({ method, path, token, body, key, position }: Ask, waitMs = ANSWER_MAX_MS): Promise<Reply> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const call = request(
        this.url + path,
        {
          method,
          agent: this.agent,
          timeout: waitMs,
          headers: {
            authorization: `Bearer ${token}`,
            ...(payload !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
            ...(key !== undefined && { 'idempotency-key': key }),
            ...(position !== undefined && { 'ledger-position': position }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () =>
            resolve({ status: response.statusCode!, headers: response.headers, text: Buffer.concat(chunks).toString('utf8') }),
          );
          response.on('error', reject);
        },
      );
      call.on('timeout', () => call.destroy(new Error(`no answer within ${waitMs / 1000} s`)));
      call.on('error', reject);
      call.end(payload);
    });
  }
}

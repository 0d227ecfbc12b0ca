import { type ClientRequest, type IncomingMessage, request } from 'node:http';

/** One server-sent event as it came. */
export interface Got {
  id: string;
  event: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the shape of an event is what the specs look at
  data: any;
}

export interface ReaderOptions {
  query?: string;
  lastEventId?: string;
  /** Reads nothing until `resume`. */
  stuck?: boolean;
  /** Called for each event instead of keeping it. */
  onEvent?: (got: Got) => void;
  /** False: data stays text. */
  parse?: boolean;
}

/** A reader of GET /v1/events on a socket of its own, as strict as the standard: what is not ended by an empty line is dropped. */
export class EventReader {
  readonly events: Got[] = [];
  /** Ids of comments, which move the place to resume from. */
  readonly heartbeats: string[] = [];
  status = 0;
  headers: IncomingMessage['headers'] = {};
  /** What came when it was no stream. */
  body = '';
  /** The id to come back with. */
  lastId: string | undefined;
  closed = false;
  private rest = '';
  private readonly outgoing: ClientRequest;
  private incoming: IncomingMessage | undefined;
  private waiting: { met: () => boolean; done: () => void }[] = [];
  readonly opened: Promise<void>;

  constructor(
    url: string,
    token: string,
    private readonly options: ReaderOptions = {},
  ) {
    const { query = '', lastEventId, stuck = false } = options;
    this.lastId = lastEventId;
    this.outgoing = request(`${url}/v1/events${query}`, {
      agent: false,
      headers: { authorization: `Bearer ${token}`, ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) },
    });
    this.opened = new Promise((resolve, reject) => {
      this.outgoing.on('error', (error) => {
        this.over();
        reject(error);
      });
      this.outgoing.on('response', (incoming) => {
        this.incoming = incoming;
        this.status = incoming.statusCode ?? 0;
        this.headers = incoming.headers;
        incoming.setEncoding('utf8');
        incoming.on('error', () => this.over());
        incoming.on('close', () => this.over());
        if (!stuck) this.resume();
        resolve();
      });
    });
    this.opened.catch(() => undefined);
    this.outgoing.end();
  }

  resume(): void {
    this.incoming?.on('data', (chunk: string) => this.take(chunk));
  }

  close(): void {
    this.outgoing.destroy();
  }

  /** @throws after `ms` when it is not so */
  async until(met: () => boolean, what: string, ms = 10_000): Promise<void> {
    if (met()) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms; ${this.events.length} events came`)), ms);
    });
    await Promise.race([new Promise<void>((done) => this.waiting.push({ met, done })), late]).finally(() => clearTimeout(timer));
  }

  many(count: number): Promise<void> {
    return this.until(() => this.events.length >= count, `${count} events`);
  }

  end(ms?: number): Promise<void> {
    return this.until(() => this.closed, 'the end of the stream', ms);
  }

  private over(): void {
    this.closed = true;
    this.tell();
  }

  private take(chunk: string): void {
    if (!/event-stream/.test(this.headers['content-type'] ?? '')) {
      this.body += chunk;
      return;
    }
    const blocks = (this.rest + chunk).split('\n\n');
    this.rest = blocks.pop() ?? '';
    for (const block of blocks) this.block(block);
    this.tell();
  }

  private block(block: string): void {
    const lines = block.split('\n');
    const of = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    const id = of('id');
    if (id !== undefined) this.lastId = id;
    const data = of('data');
    if (lines.some((line) => line.startsWith(': heartbeat'))) this.heartbeats.push(id ?? '');
    if (data === undefined) return;
    const got = { id: id ?? '', event: of('event') ?? '', data: (this.options.parse === false ? data : JSON.parse(data)) as unknown };
    if (this.options.onEvent) this.options.onEvent(got);
    else this.events.push(got);
  }

  private tell(): void {
    const met = this.waiting.filter((one) => one.met());
    this.waiting = this.waiting.filter((one) => !met.includes(one));
    for (const { done } of met) done();
  }
}

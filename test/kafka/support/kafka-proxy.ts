import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Numbers of Kafka's requests. */
export const PRODUCE = 0;
export const INIT_PRODUCER_ID = 22;
export const ADD_PARTITIONS = 24;
export const END_TXN = 26;

/** What happens to a request and its answer; `pass` is as if there were no proxy. */
export type Fate =
  | { readonly kind: 'pass' }
  /** The connection breaks before the broker has seen the request: at once, or when the promise is kept. */
  | { readonly kind: 'cut'; readonly after?: Promise<void> }
  /** The broker does what it is asked; then the connection breaks instead of bringing the answer. */
  | { readonly kind: 'lose answer' }
  /** The broker does what it is asked; the answer comes when the promise is kept. */
  | { readonly kind: 'late answer'; readonly until: Promise<void> }
  /** The request stays in the network until somebody delivers it; its answer reaches nobody. */
  | { readonly kind: 'keep'; readonly kept: (deliver: () => Promise<void>) => void }
  /** The request reaches the broker after something else has. */
  | { readonly kind: 'behind'; readonly first: Promise<void> }
  /** The answer is changed on its way. */
  | { readonly kind: 'change answer'; readonly change: (frame: Buffer) => void };

export const pass: Fate = { kind: 'pass' };

/** A network between clients and one broker that a test can break at a chosen request. */
export class KafkaProxy {
  /** Decides over every request, by its number among Kafka's requests. */
  fate: (apiKey: number) => Fate = () => pass;
  /** Requests seen so far, by their number. */
  readonly seen = new Map<number, number>();
  /** Port of the broker. */
  target = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {
    server.on('connection', (client) => this.join(client));
  }

  static async listen(): Promise<KafkaProxy> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return new KafkaProxy(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  /** On a connection of its own, as its first one may be gone; resolves when the broker has answered. */
  private deliver(frame: Buffer): Promise<void> {
    return new Promise((answered, failed) => {
      const late = connect(this.target, '127.0.0.1', () => late.write(frame));
      late.on('error', failed);
      onFrames(late, () => {
        late.destroy();
        answered();
      });
    });
  }

  private join(client: Socket): void {
    const broker = connect(this.target, '127.0.0.1');
    const answers = new Map<number, Fate>();
    const end = (): void => {
      client.destroy();
      broker.destroy();
    };
    for (const socket of [client, broker]) {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end).on('close', () => {
        this.sockets.delete(socket);
        end();
      });
    }
    onFrames(client, (frame) => {
      const apiKey = frame.readInt16BE(4);
      const correlation = frame.readInt32BE(8);
      this.seen.set(apiKey, (this.seen.get(apiKey) ?? 0) + 1);
      const fate = this.fate(apiKey);
      if (fate.kind === 'cut') return void (fate.after ? fate.after.then(end) : end());
      if (fate.kind !== 'pass' && fate.kind !== 'keep') answers.set(correlation, fate);
      if (fate.kind === 'behind') return void fate.first.then(() => broker.write(frame));
      if (fate.kind !== 'keep') return void broker.write(frame);
      fate.kept(() => this.deliver(frame));
    });
    onFrames(broker, (frame) => {
      const correlation = frame.readInt32BE(4);
      const fate = answers.get(correlation) ?? pass;
      answers.delete(correlation);
      if (fate.kind === 'lose answer') return end();
      if (fate.kind === 'late answer') return void fate.until.then(() => client.write(frame));
      if (fate.kind === 'change answer') fate.change(frame);
      client.write(frame);
    });
  }
}

/** Both directions are frames: four bytes of length, then so many bytes. */
function onFrames(socket: Socket, take: (frame: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const size = 4 + rest.readInt32BE(0);
      take(Buffer.from(rest.subarray(0, size)));
      rest = rest.subarray(size);
    }
  });
}

/** The fate of the next request of a kind; all others pass. */
export function next(apiKey: number, fate: Fate): (apiKey: number) => Fate {
  let over = false;
  return (key) => {
    if (over || key !== apiKey) return pass;
    over = true;
    return fate;
  };
}

import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kafkaDistribution } from './distribution';
import { KafkaNode } from './node';
import { freePorts } from './ports';
import { nodeProperties } from './properties';

export interface BrokerOptions {
  /** 1, or 3 with every topic of their own on all and two that must be in sync. Default 1. */
  brokers?: 1 | 3;
  /** The first of the ports; the controller takes the next one, the other brokers those after it. Default: any free ones. */
  port?: number;
  /** Where the data stays. Default: a folder of its own under the folder for temporary files, removed by `stop`. */
  dataDir?: string;
  /** Ports of proxies, one a broker: whoever comes through them stays behind them. `inner` says where each must lead. */
  proxies?: readonly number[];
  /** Settings of the brokers that are to differ, such as `log.cleaner.backoff.ms`. */
  settings?: Readonly<Record<string, string>>;
}

/** A real Apache Kafka on this machine, of one broker or of three, without TLS or users. All of it ends with this process. */
export class KafkaBroker {
  private readonly atExit = () => this.endAtOnce();

  private constructor(
    /** `127.0.0.1:port` of every broker, in the order of their ids 1, 2, 3. They stay the same through kills. */
    readonly addresses: readonly string[],
    readonly folder: string,
    private readonly nodes: readonly KafkaNode[],
    private readonly temporary: boolean,
    /** Where each broker listens for its proxy. */
    readonly inner: readonly number[],
  ) {
    process.once('exit', this.atExit);
  }

  /** Resolves when every broker takes part. @throws with what a broker said when it does not come up */
  static async start({ brokers = 1, port, dataDir, proxies, settings }: BrokerOptions = {}): Promise<KafkaBroker> {
    const home = await kafkaDistribution();
    const [first, controller, ...others] = port === undefined ? await freePorts(brokers + 1) : range(port, brokers + 1);
    const ports = [first!, ...others];
    const inner = proxies ? await freePorts(brokers) : [];
    const folder = dataDir ?? mkdtempSync(join(tmpdir(), 'ledger-kafka-'));
    const nodes = ports.map((own, index) => {
      const id = index + 1;
      const place = join(folder, `broker-${id}`);
      const data = join(place, 'data');
      if (!existsSync(data)) cpSync(join(home, 'template', String(id)), data, { recursive: true });
      const proxy = proxies && { outer: proxies[index]!, inner: inner[index]! };
      const layout = { id, nodes: brokers, ports: { broker: own, controller: controller! }, dataDir: data, proxy };
      return new KafkaNode({ id, home, folder: place, properties: nodeProperties({ ...layout, settings }) });
    });
    const broker = new KafkaBroker(
      ports.map((own) => `127.0.0.1:${own}`),
      folder,
      nodes,
      dataDir === undefined,
      inner,
    );
    try {
      await Promise.all(nodes.map((_, index) => broker.restart(index + 1)));
    } catch (error) {
      await broker.stop();
      throw error;
    }
    return broker;
  }

  /** As KAFKA_BROKERS wants them. */
  get bootstrap(): string {
    return this.addresses.join(',');
  }

  /** The process of a broker, while it runs. */
  pid(id = 1): number | undefined {
    return this.node(id).pid;
  }

  /** kill -9; resolves when the process is gone. */
  kill(id = 1): Promise<void> {
    return this.node(id).kill();
  }

  /** Starts a broker that was killed, on its own port and data; resolves when it takes part again, after about 2.5 s. */
  async restart(id = 1): Promise<void> {
    this.node(id).start();
    await this.node(id).answers(this.addresses[id - 1]!);
  }

  /** Freezes a broker: it keeps its connections and answers nothing, until it is let go on. */
  freeze(id = 1): void {
    this.node(id).signal('SIGSTOP');
  }

  goOn(id = 1): void {
    this.node(id).signal('SIGCONT');
  }

  /** Ends every broker as an operator would; a temporary folder goes with it, unless LEDGER_KEEP is set. */
  async stop(): Promise<void> {
    // The controller last: without it the others wait for their leave.
    for (const node of [...this.nodes].reverse()) await node.stop();
    process.off('exit', this.atExit);
    this.removeFolder();
  }

  private node(id: number): KafkaNode {
    const node = this.nodes[id - 1];
    if (!node) throw new RangeError(`there is no broker ${id}`);
    return node;
  }

  private endAtOnce(): void {
    for (const node of this.nodes) node.killAtOnce();
    this.removeFolder();
  }

  private removeFolder(): void {
    if (this.temporary && !process.env.LEDGER_KEEP) rmSync(this.folder, { recursive: true, force: true });
  }
}

const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, index) => first + index);

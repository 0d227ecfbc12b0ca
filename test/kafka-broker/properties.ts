export const NODES_MAX = 3;

export interface NodePorts {
  broker: number;
  /** Of node 1, which is the controller of all. */
  controller: number;
}

export interface NodeLayout {
  /** 1, 2 or 3; node 1 is also the controller. */
  id: number;
  nodes: number;
  ports: NodePorts;
  dataDir: string;
  /** A proxy in front of the broker: where it listens, and where the broker listens for it. */
  proxy?: { outer: number; inner: number };
  /** Broker settings that a test wants otherwise. */
  settings?: Readonly<Record<string, string>>;
}

/** `server.properties` of one node: a KRaft cluster of one or three, lean, and back soon after a kill. */
export function nodeProperties({ id, nodes, ports, dataDir, proxy, settings = {} }: NodeLayout): string {
  const copies = String(Math.min(nodes, 3));
  const inSync = nodes < 3 ? '1' : '2';
  const plain = `PLAINTEXT://127.0.0.1:${ports.broker}`;
  const controller = `CONTROLLER://127.0.0.1:${ports.controller}`;
  const properties: Record<string, string> = {
    'process.roles': id === 1 ? 'broker,controller' : 'broker',
    'node.id': String(id),
    listeners: [plain, ...(proxy ? [`PROXIED://127.0.0.1:${proxy.inner}`] : []), ...(id === 1 ? [controller] : [])].join(','),
    // Whoever asks through the proxy is told its address, and stays behind it; the brokers themselves do not use it.
    ...(proxy && { 'advertised.listeners': `${plain},PROXIED://127.0.0.1:${proxy.outer}` }),
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${ports.controller}`,
    'log.dirs': dataDir,
    // Topics are made by `npm run topics`, with the settings that they need, or not at all.
    'auto.create.topics.enable': 'false',
    'group.initial.rebalance.delay.ms': '0',
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': '3',
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': '3',
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': inSync,
    'log.cleaner.dedupe.buffer.size': '4194304',
    'num.network.threads': '2',
    'num.io.threads': '4',
    'background.threads': '2',
    // By default the registration of a broker that was killed is waited out for nine seconds.
    'broker.session.timeout.ms': '1500',
    'broker.heartbeat.interval.ms': '300',
    ...settings,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

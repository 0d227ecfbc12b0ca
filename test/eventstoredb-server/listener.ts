/** One port of the server. The sockets are ours, so that a test can cut or freeze them under the feet of gRPC. */
import { createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { GossipService, type IGossipServer } from '@eventstore/db-client/generated/gossip_grpc_pb';
import { ServerFeaturesService, type IServerFeaturesServer } from '@eventstore/db-client/generated/serverfeatures_grpc_pb';
import { StreamsService, type IStreamsServer } from '@eventstore/db-client/generated/streams_grpc_pb';
import { append } from './append-service';
import { batchAppend } from './batch-append-service';
import type { Certificate } from './certificates';
import { gossip, supportedMethods } from './cluster-service';
import { deleteStream, tombstone } from './delete-service';
import { Node, type ServerParts } from './node';
import { read } from './read-service';

/** What Kestrel, the web server of a real one, lets a connection carry; further calls wait in the client. */
const STREAMS_MAX = 100;
const MESSAGE_MAX_BYTES = 17 * 1024 * 1024;
const SHUTDOWN_MAX_MS = 1_000;

export class Listener {
  readonly node: Node;
  private readonly grpc: Server;
  private readonly net: NetServer;
  private readonly sockets = new Map<string, Socket>();

  constructor(parts: ServerParts, index: number, certificate: Certificate | undefined) {
    this.node = new Node(parts, index, (peer) => this.sockets.get(peer)?.destroy());
    this.grpc = new Server({
      'grpc.max_concurrent_streams': STREAMS_MAX,
      'grpc.max_receive_message_length': MESSAGE_MAX_BYTES,
      'grpc.max_send_message_length': MESSAGE_MAX_BYTES,
    });
    this.addServices();
    const credentials = certificate
      ? ServerCredentials.createSsl(null, [{ private_key: certificate.key, cert_chain: certificate.chain }])
      : ServerCredentials.createInsecure();
    const injector = this.grpc.createConnectionInjector(credentials);
    this.net = createServer((socket) => {
      socket.setNoDelay(true);
      const peer = `${socket.remoteAddress}:${socket.remotePort}`;
      this.sockets.set(peer, socket);
      socket.on('close', () => this.sockets.delete(peer));
      // A client that is killed resets its connection.
      socket.on('error', () => undefined);
      injector.injectConnection(socket);
    });
  }

  /** @returns the port, which the system chose when `port` is 0 */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.net.once('error', reject);
      this.net.listen(port, host, resolve);
    });
    return (this.net.address() as AddressInfo).port;
  }

  /** Cuts every connection; clients may connect again at once. */
  dropConnections(): number {
    const dropped = this.sockets.size;
    for (const socket of this.sockets.values()) socket.destroy();
    return dropped;
  }

  /** Lets what was answered go out, then cuts what is left. */
  async close(): Promise<void> {
    this.net.close();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, SHUTDOWN_MAX_MS);
      this.grpc.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    this.grpc.forceShutdown();
    this.dropConnections();
  }

  private addServices(): void {
    const { node } = this;
    const streams: IStreamsServer = {
      read: (call) => void read(node, call),
      append: (call, answer) => append(node, call, answer),
      batchAppend: (call) => batchAppend(node, call),
      delete: (call, answer) => void deleteStream(node, call, answer),
      tombstone: (call, answer) => void tombstone(node, call, answer),
    };
    const cluster: IGossipServer = { read: (call, answer) => void gossip(node, call, answer) };
    const features: IServerFeaturesServer = { getSupportedMethods: (call, answer) => void supportedMethods(node, call, answer) };
    this.grpc.addService(StreamsService, streams);
    this.grpc.addService(GossipService, cluster);
    this.grpc.addService(ServerFeaturesService, features);
  }
}

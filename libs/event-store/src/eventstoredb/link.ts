import { Channel, type ChannelCredentials, type ClientReadableStream, credentials, Metadata } from '@grpc/grpc-js';
import { Empty } from '@eventstore/db-client/generated/shared_pb';
import { ServerFeaturesClient } from '@eventstore/db-client/generated/serverfeatures_grpc_pb';
import type { SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb';
import { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb';
import { type Address, type Endpoint, shown } from './address';
import { BatchAppends } from './batch-appends';
import { Heads } from './heads';

/** A node that takes the connection and then says nothing is given up after this. */
export const CONNECT_MS = 3_000;
/** The largest event that a server can hold is 16 MiB. */
const MESSAGE_BYTES_MAX = 17 * 1024 * 1024;

export const channelCredentials = ({ tls }: Address): ChannelCredentials =>
  tls ? credentials.createSsl(tls.rootCertificate, tls.privateKey, tls.certificate) : credentials.createInsecure();

/**
 * Each channel has connections of its own. In the pool that gRPC shares by default, a server that was away for a minute would be
 * tried again only after a back-off that has grown to a minute, whoever asks, and a frozen connection would be found again.
 */
export const channelOptions = ({ keepAliveIntervalMs, keepAliveTimeoutMs }: Address): Record<string, number> => ({
  'grpc.keepalive_time_ms': keepAliveIntervalMs,
  'grpc.keepalive_timeout_ms': keepAliveTimeoutMs,
  'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  'grpc.use_local_subchannel_pool': 1,
});

/** One connection to one node, from its first answer until something about it is wrong; then another takes its place. */
export class Link {
  readonly appends: BatchAppends;
  readonly heads = new Heads();
  /** When the node was last heard on it, by `performance.now()`. */
  heardAt = performance.now();
  private readonly streams: StreamsClient;
  private readonly reads = new Set<ClientReadableStream<ReadResp>>();
  private ended: string | undefined;

  private constructor(
    readonly node: Endpoint,
    readonly serverVersion: string,
    private readonly channel: Channel,
    private readonly address: Address,
    lost: (link: Link, error: unknown) => Error,
  ) {
    this.streams = clientOf(StreamsClient, node, channel);
    this.appends = new BatchAppends(
      () => this.streams.batchAppend(this.metadata(false)),
      () => (this.heardAt = performance.now()),
      (error) => lost(this, error),
    );
  }

  /** Connects and asks the node what it can; this is the first call that tells whether anything is right. @throws as gRPC does */
  static async to(node: Endpoint, address: Address, lost: (link: Link, error: unknown) => Error): Promise<Link> {
    const channel = new Channel(shown(node), channelCredentials(address), channelOptions(address));
    try {
      const features = clientOf(ServerFeaturesClient, node, channel);
      const supported = await new Promise<SupportedMethods>((resolve, reject) =>
        features.getSupportedMethods(new Empty(), metadataOf(address, false), { deadline: Date.now() + CONNECT_MS }, (error, answer) =>
          error ? reject(error) : resolve(answer),
        ),
      );
      return new Link(node, supported.getEventStoreServerVersion(), channel, address, lost);
    } catch (error) {
      channel.close();
      throw error;
    }
  }

  /** Why it is not used any more; undefined while it is. */
  get retired(): string | undefined {
    return this.ended;
  }

  /** A read or subscription; whoever starts it ends it with `finished`. With `leader` a node that does not lead refuses it. */
  read(request: ReadReq, leader: boolean): ClientReadableStream<ReadResp> {
    const call = this.streams.read(request, this.metadata(leader));
    this.reads.add(call);
    return call;
  }

  /** Leaving a call open would hold one of the 100 that a connection can carry. */
  finished(call: ClientReadableStream<ReadResp>, over: boolean): void {
    this.reads.delete(call);
    if (!over) call.cancel();
  }

  /** Ends everything under way on it: appends with an unknown outcome, reads with an error. */
  retire(reason: string): void {
    if (this.ended !== undefined) return;
    this.ended = reason;
    this.appends.end(reason);
    for (const call of this.reads) call.cancel();
    this.reads.clear();
    this.channel.close();
  }

  private metadata(leader: boolean): Metadata {
    return metadataOf(this.address, leader);
  }
}

type ClientOf<Client> = new (address: string, credentials: ChannelCredentials, options: object) => Client;

const clientOf = <Client>(type: ClientOf<Client>, node: Endpoint, channel: Channel): Client =>
  // The credentials are the channel's; these are never looked at.
  new type(shown(node), credentials.createInsecure(), { channelOverride: channel });

function metadataOf({ authorization, connectionName }: Address, leader: boolean): Metadata {
  const metadata = new Metadata();
  metadata.set('connection-name', connectionName);
  if (leader) metadata.set('requires-leader', 'true');
  if (authorization !== undefined) metadata.set('authorization', authorization);
  return metadata;
}

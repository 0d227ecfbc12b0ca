import { Metadata } from '@grpc/grpc-js';
import { determineBestNode } from '@eventstore/db-client/dist/Client/discovery';
import { Empty } from '@eventstore/db-client/generated/shared_pb';
import { GossipClient } from '@eventstore/db-client/generated/gossip_grpc_pb';
import type { ClusterInfo } from '@eventstore/db-client/generated/gossip_pb';
import { type Address, type Endpoint, shown } from './address';
import { channelCredentials, channelOptions } from './link';

/** Asks the seeds, in any order, which node leads. @throws what the last seed said, or Error when nobody knows a leader */
export async function findLeader(address: Address): Promise<Endpoint> {
  let last: unknown = new Error('none of the hosts knows a node that can serve');
  for (const seed of shuffled(address.hosts)) {
    try {
      const members = membersOf(await gossip(seed, address));
      const best = determineBestNode('leader', members);
      if (best) return { host: best.address, port: best.port };
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

async function gossip(seed: Endpoint, address: Address): Promise<ClusterInfo> {
  const client = new GossipClient(shown(seed), channelCredentials(address), channelOptions(address));
  try {
    return await new Promise<ClusterInfo>((resolve, reject) =>
      client.read(new Empty(), new Metadata(), { deadline: Date.now() + address.gossipTimeoutMs }, (error, info) =>
        error ? reject(error) : resolve(info),
      ),
    );
  } finally {
    client.close();
  }
}

const membersOf = (info: ClusterInfo) =>
  info.getMembersList().map((member) => {
    const endpoint = member.getHttpEndPoint();
    return {
      instanceId: '',
      timeStamp: 0,
      state: member.getState(),
      isAlive: member.getIsAlive(),
      httpEndpoint: endpoint && { address: endpoint.getAddress(), port: endpoint.getPort() },
    };
  });

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

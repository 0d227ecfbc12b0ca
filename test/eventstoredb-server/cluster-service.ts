/** What a client asks before anything else: who is in the cluster, and what can this server do. */
import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { ClusterInfo, EndPoint, MemberInfo } from '@eventstore/db-client/generated/gossip_pb';
import { SupportedMethod, SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb';
import type { Empty } from '@eventstore/db-client/generated/shared_pb';
import type { RpcName } from './faults';
import type { Node } from './node';
import { uuidOf } from './wire';

/** The version this server reads like. */
export const SERVER_VERSION = '24.10.4';
const METHODS = ['Read', 'Append', 'BatchAppend', 'Delete', 'Tombstone'];

type Asked<Resp> = ServerUnaryCall<Empty, Resp>;

async function answered<Resp>(node: Node, rpc: RpcName, call: Asked<Resp>, answer: sendUnaryData<Resp>, made: () => Resp): Promise<void> {
  const refused = await node.admit(rpc, call);
  if (refused === 'silent') return;
  if (refused) answer(refused);
  else answer(null, made());
}

export const gossip = (node: Node, call: Asked<ClusterInfo>, answer: sendUnaryData<ClusterInfo>): Promise<void> =>
  answered(node, 'gossip', call, answer, () => {
    const { addresses, leader } = node.parts.cluster;
    const members = addresses.map(({ host, port }, index) =>
      new MemberInfo()
        .setInstanceId(uuidOf(`00000000-0000-4000-8000-${String(index).padStart(12, '0')}`))
        .setTimeStamp(String(BigInt(Date.now()) * 10_000n))
        .setState(index === leader ? MemberInfo.VNodeState.LEADER : MemberInfo.VNodeState.FOLLOWER)
        .setIsAlive(true)
        .setHttpEndPoint(new EndPoint().setAddress(host).setPort(port)),
    );
    return new ClusterInfo().setMembersList(members);
  });

export const supportedMethods = (node: Node, call: Asked<SupportedMethods>, answer: sendUnaryData<SupportedMethods>): Promise<void> =>
  answered(node, 'features', call, answer, () =>
    new SupportedMethods()
      .setEventStoreServerVersion(SERVER_VERSION)
      .setMethodsList(
        METHODS.map((name) => new SupportedMethod().setMethodName(name.toLowerCase()).setServiceName('event_store.client.streams.streams')),
      ),
  );

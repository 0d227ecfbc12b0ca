/** One address of the server. Several of them look like the nodes of a cluster that share one log. */
import type { Metadata } from '@grpc/grpc-js';
import { setTimeout as pause } from 'node:timers/promises';
import type { Appending } from './appending';
import type { EventLog } from './event-log';
import { failureOf, type Faults, type RpcName } from './faults';
import { accessDenied, busy, failure, notLeader, notReady, unauthenticated, type Refusal } from './refusals';

export interface Address {
  host: string;
  port: number;
}

export interface Cluster {
  addresses: Address[];
  /** Index into `addresses`. */
  leader: number;
}

export interface ServerParts {
  log: EventLog;
  appending: Appending;
  faults: Faults;
  cluster: Cluster;
  maxAppendBytes: number;
  /** By name; empty: anybody may do anything, as with `--insecure` of a real server. */
  users: ReadonlyMap<string, string>;
  /** What a test may end or count from outside: the open subscriptions. */
  subscriptions: Set<(refusal: Refusal) => void>;
  /** Every open call, to be cancelled when the server is asked to end. */
  calls: Set<(refusal: Refusal) => void>;
}

export interface Caller {
  metadata: Metadata;
  getPeer(): string;
}

/** Groups of a real server: their members read $all. */
const ADMINS: readonly string[] = ['admin', 'ops'];

export class Node {
  constructor(
    readonly parts: ServerParts,
    /** Index of this node's address in the cluster. */
    readonly index: number,
    private readonly cut: (peer: string) => void,
  ) {}

  get isLeader(): boolean {
    return this.parts.cluster.leader === this.index;
  }

  /** Why the call is refused, `silent` when it is to be left without any answer, or undefined. */
  async admit(rpc: RpcName, caller: Caller, readsAll = false): Promise<Refusal | 'silent' | undefined> {
    const { faults } = this.parts;
    const delayMs = faults.delayMs(rpc);
    if (delayMs > 0) await pause(delayMs);
    return this.refusalNow(rpc, caller, readsAll);
  }

  /** The same without the delay. */
  refusalNow(rpc: RpcName, caller: Caller, readsAll = false): Refusal | 'silent' | undefined {
    if (this.parts.faults.silent(rpc)) return 'silent';
    const failing = this.failureNow(rpc);
    if (failing) return failing;
    // A real server answers these two to anybody.
    if (rpc === 'features' || rpc === 'gossip') return undefined;
    const refused = this.unauthorised(caller, readsAll);
    if (refused) return refused;
    const requiresLeader = caller.metadata.get('requires-leader')[0]?.toString() === 'true';
    return requiresLeader && !this.isLeader ? this.elsewhere() : undefined;
  }

  failureNow(rpc: RpcName): Refusal | undefined {
    const code = this.parts.faults.failing(rpc);
    if (code === undefined) return undefined;
    if (code === 'BUSY') return busy();
    if (code === 'NOT_READY') return notReady();
    if (code === 'NOT_LEADER') return this.elsewhere();
    return failure(failureOf(code)!);
  }

  cutConnectionOf(caller: Caller): void {
    this.cut(caller.getPeer());
  }

  private elsewhere(): Refusal {
    const { addresses, leader } = this.parts.cluster;
    const { host, port } = addresses[leader]!;
    return notLeader(host, port);
  }

  private unauthorised(caller: Caller, readsAll: boolean): Refusal | undefined {
    const { users } = this.parts;
    if (users.size === 0) return undefined;
    const header = caller.metadata.get('authorization')[0]?.toString();
    if (header === undefined) return accessDenied();
    const [name, ...password] = Buffer.from(header.replace(/^Basic /, ''), 'base64')
      .toString('utf8')
      .split(':');
    if (users.get(name!) !== password.join(':')) return unauthenticated();
    return readsAll && !ADMINS.includes(name!) ? accessDenied() : undefined;
  }
}

/** What a test switches on to make the server misbehave. All of it is off at the start. */
import { status } from '@grpc/grpc-js';

export type RpcName = 'append' | 'read' | 'subscribe' | 'delete' | 'features' | 'gossip';
export type LossName = (typeof LOSSES)[number];

/** `silence`: no answer, the connection stays. `drop`: the connection is cut. `timeout`: the server says it timed out. */
export const LOSSES = ['silence', 'drop', 'timeout'] as const;
export const RPCS: readonly RpcName[] = ['append', 'read', 'subscribe', 'delete', 'features', 'gossip'];

/** How often: the next so many times, or each time with a probability; neither means always. */
export interface Often {
  next?: number;
  probability?: number;
}

/** Which calls; without `on` all of them. */
export interface Where {
  on?: readonly RpcName[];
}

export interface FaultSettings {
  /** NOT_READY, BUSY, NOT_LEADER, or the name of a gRPC status, like UNAVAILABLE. */
  fail?: Often & Where & { code: string };
  /** Accepted, never answered. */
  silent?: Often & Where;
  slow?: Often & Where & { ms: number };
  /** The append is committed and its answer is not given. */
  loseReplies?: Often & { how: LossName };
  /** The answer is lost at once, and the append is committed later. */
  lateAppends?: Often & { how: LossName; ms: number };
  /** How far the server's clock is ahead of the client's, which makes deadlines of batch appends pass early. */
  clockAheadMs?: number;
  seed?: number;
}

export class BadFault extends Error {}

const FAULTS = ['fail', 'silent', 'slow', 'loseReplies', 'lateAppends', 'clockAheadMs', 'seed'] as const;
const SEED_DEFAULT = 1;

export class Faults {
  private settings: FaultSettings = {};
  private random = seeded(SEED_DEFAULT);
  /** How often one happened since the start. */
  hitCount = 0;

  /** Adds to what is on; `null` switches one off. */
  set(changes: Record<string, unknown>): void {
    const settings = { ...this.settings } as Record<string, unknown>;
    for (const [name, value] of Object.entries(changes)) {
      if (!(FAULTS as readonly string[]).includes(name)) throw new BadFault(`There is no fault ${name}, only ${FAULTS.join(', ')}.`);
      if (value === null) delete settings[name];
      else settings[name] = value;
    }
    const checked = settings as FaultSettings;
    for (const { how } of [checked.loseReplies, checked.lateAppends].filter((loss) => loss !== undefined))
      if (!LOSSES.includes(how)) throw new BadFault(`"how" must be one of ${LOSSES.join(', ')}.`);
    if (checked.fail && failureOf(checked.fail.code) === undefined) throw new BadFault(`${checked.fail.code} is no status of gRPC.`);
    if (typeof changes.seed === 'number') this.random = seeded(changes.seed);
    this.settings = checked;
  }

  clear(): void {
    this.settings = {};
    this.random = seeded(SEED_DEFAULT);
  }

  get now(): FaultSettings {
    return this.settings;
  }

  failing(rpc: RpcName): string | undefined {
    return this.hits(this.settings.fail, rpc) ? this.settings.fail!.code : undefined;
  }

  silent(rpc: RpcName): boolean {
    return this.hits(this.settings.silent, rpc);
  }

  delayMs(rpc: RpcName): number {
    return this.hits(this.settings.slow, rpc) ? this.settings.slow!.ms : 0;
  }

  late(): { how: LossName; ms: number } | undefined {
    return this.hits(this.settings.lateAppends) ? this.settings.lateAppends : undefined;
  }

  lost(): LossName | undefined {
    return this.hits(this.settings.loseReplies) ? this.settings.loseReplies!.how : undefined;
  }

  private hits(fault: (Often & Where) | undefined, rpc?: RpcName): boolean {
    if (!fault || (rpc && fault.on && !fault.on.includes(rpc))) return false;
    if (fault.probability !== undefined && this.random() >= fault.probability) return false;
    if (fault.next !== undefined && fault.next <= 0) return false;
    if (fault.next !== undefined) fault.next -= 1;
    this.hitCount += 1;
    return true;
  }
}

/** The status that a code of ours or of gRPC stands for. */
export const failureOf = (code: string): status | undefined =>
  ({ NOT_READY: status.UNAVAILABLE, BUSY: status.UNAVAILABLE, NOT_LEADER: status.NOT_FOUND })[code] ??
  (status as unknown as Record<string, status>)[code];

/** Small and repeatable (mulberry32): the same seed loses the same replies. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

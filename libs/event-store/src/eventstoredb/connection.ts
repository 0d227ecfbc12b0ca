import { OutcomeUnknown, StoreClosed, StoreUnavailable } from '../event-store';
import { type Address, type Endpoint, shown } from './address';
import { findLeader } from './gossip';
import { Link } from './link';
import { type Trouble, troubleOf } from './troubles';

/** A connection that did not come about is not tried again for this long; whoever asks meanwhile is told why at once. */
const HOLD_OFF_MS = 300;
/** A link that was lost within this time of its making is such a one too. */
const SHORT_LIFE_MS = 1_000;

/** What an operator should read, in order; each sentence names no secret. */
export type Tell = (level: 'info' | 'warn', sentence: string) => void;

/** The one link of this process to the store, made when it is first needed and again whenever it was lost. */
export class Connection {
  private link: Link | undefined;
  private madeAt = -Infinity;
  private connecting: Promise<Link> | undefined;
  private leader: Endpoint | undefined;
  private holdOff: { until: number; reason: string } | undefined;
  private closed = false;
  /** What was told last, so that an outage is told once. */
  private told: string | undefined;

  constructor(
    private readonly address: Address,
    private readonly tell: Tell,
  ) {}

  /** @throws StoreUnavailable with the reason, StoreClosed */
  async current(): Promise<Link> {
    if (this.closed) throw new StoreClosed();
    if (this.link) return this.link;
    if (this.holdOff && performance.now() < this.holdOff.until) throw new StoreUnavailable(this.holdOff.reason);
    this.connecting ??= this.connect().finally(() => (this.connecting = undefined));
    return this.connecting;
  }

  /** To be told of every error of a call: it decides whether the link can go on. Gives the error's meaning back. */
  failed(link: Link, error: unknown): Trouble {
    const trouble = troubleOf(error);
    if (trouble.kind === 'notLeader') this.leader = trouble.leader;
    if (trouble.kind === 'lost' || trouble.kind === 'notLeader') this.retire(link, trouble.sentence);
    else if (trouble.kind === 'denied') this.away(this.sentence(link.node, trouble.sentence));
    return trouble;
  }

  /** A call had no answer in time. When nothing else was heard since it began either, the link is taken for dead. */
  silent(link: Link, since: number): void {
    if (link.heardAt < since) this.retire(link, 'it stopped answering');
  }

  /** A call was answered as it should be. */
  answered(link: Link): void {
    link.heardAt = performance.now();
    if (this.told === undefined) return;
    this.told = undefined;
    this.tell('info', `The event store at ${shown(link.node)} answers again.`);
  }

  /** The sentence of an error for whoever asked. */
  sentence(node: Endpoint | undefined, reason: string): string {
    const where = node ? shown(node) : this.address.hosts.map(shown).join(', ');
    return `the event store at ${where} cannot be used: ${reason}`;
  }

  close(): void {
    this.closed = true;
    this.link?.retire('the event store is closed');
    this.link = undefined;
  }

  private async connect(): Promise<Link> {
    let node = this.leader ?? (this.address.gossip ? undefined : this.address.hosts[0]);
    this.leader = undefined;
    try {
      node ??= await findLeader(this.address);
      const link = await Link.to(node, this.address, (lost, error) => this.callLost(lost, error));
      if (this.closed) {
        link.retire('the event store is closed');
        throw new StoreClosed();
      }
      this.madeAt = performance.now();
      this.holdOff = undefined;
      return (this.link = link);
    } catch (error) {
      if (error instanceof StoreClosed) throw error;
      const reason = this.sentence(node, troubleOf(error).sentence);
      this.away(reason);
      this.hold(reason);
      throw new StoreUnavailable(reason, { cause: error });
    }
  }

  /** A server that refuses who calls has looked at none of the appends; after anything else they may have been written. */
  private callLost(link: Link, error: unknown): Error {
    const trouble = this.failed(link, error);
    const reason = this.sentence(link.node, trouble.sentence);
    return trouble.kind === 'denied' ? new StoreUnavailable(reason) : new OutcomeUnknown(reason);
  }

  private retire(link: Link, why: string): void {
    const reason = this.sentence(link.node, why);
    link.retire(reason);
    if (this.link !== link) return;
    this.link = undefined;
    if (!this.closed) this.away(reason);
    if (performance.now() - this.madeAt < SHORT_LIFE_MS) this.hold(reason);
  }

  private hold(reason: string): void {
    this.holdOff = { until: performance.now() + HOLD_OFF_MS * (0.5 + Math.random()), reason };
  }

  private away(reason: string): void {
    if (this.told === reason) return;
    this.told = reason;
    this.tell('warn', `${reason.charAt(0).toUpperCase()}${reason.slice(1)}. It is tried again.`);
  }
}

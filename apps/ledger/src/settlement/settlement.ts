import { type PendingLine } from '../views/pending-lines';
import type { SqliteReadModel } from '../views/sqlite-read-model';
import { Logger } from '@nestjs/common';
import { ReceiveAllocation, SettlementGap } from '@ledger/wallet';

/** Members that are credited at the same time; their appends are gathered into few commits. */
const PARALLEL_MAX = 512;
/** Lines that are taken at once, when fewer than half as many are left; the others wait in the read model. */
const LINES_MAX = 4 * PARALLEL_MAX;
const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 10_000;
/** An outage fails for every member at once, and is said once in a while. */
const FAILURE_LOG_MS = 1_000;

/** What became of the command is of no interest here, only that it came back. */
export interface Sending {
  execute(command: ReceiveAllocation): Promise<unknown>;
}

/** What one member has yet to receive of one organisation, in the order of the running number. */
interface Relationship {
  key: string;
  lines: PendingLine[];
  failures: number;
}

/**
 * Credits members with what was allocated to them. It works off the read model's pending lines and keeps no record of its
 * own: a line leaves the read model when its AllocationReceived is read, and a member's wallet ignores a number that it has
 * had. So any number of instances may run it, and one that was killed goes on by itself.
 */
export class Settlement {
  private readonly log = new Logger('Settlement');
  /** Members with lines in memory, by member and organisation. */
  private readonly relationships = new Map<string, Relationship>();
  private readonly waiting: Relationship[] = [];
  private readonly pauses = new Set<NodeJS.Timeout>();
  /** Members of an organisation that wait for a person, since an event is missing. */
  private readonly gaps = new Set<string>();
  private readonly sending = new Set<Promise<void>>();
  private linesHeld = 0;
  private failureCount = 0;
  private lastFailureLogAt = -Infinity;
  /** Lines up to this sequence were taken, in this build of the read model. */
  private takenTo = 0;
  private build = -1;
  /** False when the read model had no line left; the next batch may bring some. */
  private more = true;
  private stopListening: (() => void) | undefined;

  constructor(
    private readonly readModel: SqliteReadModel,
    private readonly commands: Sending,
  ) {}

  /** Relationships that are stopped by a missing number: above 0 somebody must look. */
  get stoppedByGap(): number {
    return this.gaps.size;
  }

  /** Attempts that failed and were tried again, since start. */
  get failures(): number {
    return this.failureCount;
  }

  start(): void {
    this.stopListening = this.readModel.onRead(() => {
      this.more = true;
      this.proceed();
    });
    this.proceed();
  }

  /** Takes no more lines and waits for those that were sent. */
  async stop(): Promise<void> {
    this.stopListening?.();
    this.stopListening = undefined;
    for (const timer of this.pauses) clearTimeout(timer);
    this.pauses.clear();
    await Promise.all(this.sending);
  }

  private proceed(): void {
    if (this.stopListening === undefined) return;
    this.take();
    while (this.sending.size < PARALLEL_MAX) {
      const relationship = this.waiting.shift();
      if (relationship === undefined) return;
      const sent = this.settle(relationship).finally(() => {
        this.sending.delete(sent);
        this.proceed();
      });
      this.sending.add(sent);
    }
  }

  /** Takes each line once; one that was sent is not taken again while its event is on the way to the read model. */
  private take(): void {
    if (this.build !== this.readModel.build) {
      this.build = this.readModel.build;
      this.takenTo = 0;
    }
    while (this.more && this.linesHeld < LINES_MAX / 2) {
      const lines = this.readModel.pendingLines(this.takenTo, LINES_MAX);
      for (const line of lines) this.hold(line);
      this.takenTo = lines.at(-1)?.sequence ?? this.takenTo;
      this.more = lines.length === LINES_MAX;
    }
  }

  private hold(line: PendingLine): void {
    // Neither id can hold a slash.
    const key = `${line.userId}/${line.organisationId}`;
    if (this.gaps.has(key)) return;
    this.linesHeld += 1;
    const known = this.relationships.get(key);
    if (known !== undefined) {
      known.lines.push(line);
      return;
    }
    const relationship = { key, lines: [line], failures: 0 };
    this.relationships.set(key, relationship);
    this.waiting.push(relationship);
  }

  private async settle(relationship: Relationship): Promise<void> {
    const line = relationship.lines[0];
    if (line === undefined) return;
    try {
      await this.commands.execute(commandOf(line));
    } catch (error) {
      if (error instanceof SettlementGap) this.halt(relationship, error);
      else this.retry(relationship, line, error);
      return;
    }
    relationship.failures = 0;
    relationship.lines.shift();
    this.linesHeld -= 1;
    if (relationship.lines.length === 0) this.relationships.delete(relationship.key);
    else this.waiting.push(relationship);
  }

  private halt(relationship: Relationship, gap: SettlementGap): void {
    this.gaps.add(relationship.key);
    this.relationships.delete(relationship.key);
    this.linesHeld -= relationship.lines.length;
    this.log.error(`SETTLEMENT STOPPED for one member, whose tokens stay in transit until a person looks: ${gap.message}.`);
  }

  /** The pause gives its place to other members. */
  private retry(relationship: Relationship, line: PendingLine, error: unknown): void {
    this.failureCount += 1;
    this.tell(line, error);
    if (this.stopListening === undefined) return;
    const longest = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** relationship.failures++);
    const timer = setTimeout(
      () => {
        this.pauses.delete(timer);
        this.waiting.push(relationship);
        this.proceed();
      },
      longest * (0.5 + Math.random() / 2),
    );
    this.pauses.add(timer);
  }

  private tell({ userId, allocationId }: PendingLine, error: unknown): void {
    const now = performance.now();
    if (now - this.lastFailureLogAt < FAILURE_LOG_MS) return;
    this.lastFailureLogAt = now;
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.log.warn(`${userId} has yet to receive allocation ${allocationId} and is tried again (${this.failureCount} so far): ${reason}.`);
  }
}

/** The TokensAllocated event is the cause: its id goes where a client's command has the id of its request. */
function commandOf(line: PendingLine): ReceiveAllocation {
  const { userId, organisationId, allocationId, number, tokens, eventId, correlationId } = line;
  const envelope = { actor: 'ledger', role: 'ledger', requestId: eventId, correlationId };
  return Object.assign(new ReceiveAllocation(), {
    wallet: { kind: 'user', id: userId },
    envelope,
    organisationId,
    allocationId,
    number,
    tokens,
  } satisfies ReceiveAllocation);
}

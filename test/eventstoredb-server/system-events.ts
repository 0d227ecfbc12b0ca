/** What a real server writes on its own into the same log, so that $all is never only ours. */
import { randomUUID } from 'node:crypto';
import type { ProposedEvent, Appending } from './appending';
import type { EventLog } from './event-log';

const STATS_STREAM = '$stats-127.0.0.1:2113';
const DAY_SECONDS = 86_400;

export class SystemEvents {
  private sinceLast = 0;
  private writing = false;

  constructor(
    private readonly log: EventLog,
    private readonly appending: Appending,
    /** One after so many appends of clients; 0 is never. */
    private readonly every: number,
  ) {}

  /** Of a new store its users and settings, and at every start some statistics. */
  atStart(): void {
    if (this.log.events.length === 0) {
      this.write('$users', '$User', 'admin');
      this.write('$user-admin', '$UserCreated', '{"loginName":"admin","groups":["$admins"]}');
      this.write(`$$${STATS_STREAM}`, '$metadata', `{"$maxAge":${DAY_SECONDS}}`);
      this.write('$$$settings', '$metadata', '{}');
    }
    this.statistics();
  }

  /** Called after every write to the log. */
  afterAppend(): void {
    if (this.every === 0 || this.writing) return;
    this.sinceLast += 1;
    if (this.sinceLast < this.every) return;
    this.sinceLast = 0;
    this.statistics();
  }

  statistics(): number {
    return this.write(
      STATS_STREAM,
      '$statsCollected',
      JSON.stringify({ 'proc-mem': process.memoryUsage().rss, 'es-events': this.log.events.length }),
    );
  }

  /** An event of somebody else: a system event, or one of another application in the same store. @returns its position */
  write(stream: string, type: string, data: string): number {
    const event: ProposedEvent = { id: randomUUID(), type, json: true, data: Buffer.from(data), metadata: Buffer.alloc(0) };
    this.writing = true;
    const outcome = this.appending.append(stream, 'any', [event]);
    this.writing = false;
    if (outcome.result !== 'written') throw new Error(`The stream ${stream} takes no event.`);
    return outcome.position;
  }
}

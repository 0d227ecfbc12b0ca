import { EventStore, StoreUnavailable } from '@ledger/event-store';
import { Controller, Get } from '@nestjs/common';
import { Problem } from '../http/problem';
import { ReadModel } from '../views/read-model';

const STORE_ANSWERS_WITHIN_MS = 2_000;

@Controller('health')
export class HealthController {
  private asking: Promise<string | undefined> | undefined;

  constructor(
    private readonly readModel: ReadModel,
    private readonly store: EventStore,
  ) {}

  /** The process runs and answers. */
  @Get('live')
  live(): { status: string } {
    return { status: 'live' };
  }

  /** The read model has passed the head that the store had at start, and the store answers now. */
  @Get('ready')
  async ready(): Promise<{ status: string; position: string; head: string; percent: number }> {
    // However many ask, the store is asked once at a time.
    this.asking ??= this.whyAway().finally(() => (this.asking = undefined));
    const away = await this.asking;
    if (away !== undefined) throw new Problem('STORE_UNAVAILABLE', away);
    const { position, head, percent } = this.readModel.progress;
    const far = { position: String(position), head: String(head), percent };
    if (!this.readModel.ready)
      throw new Problem('CATCHING_UP', 'The read model has not yet read as far as the store had come at the start.', far);
    return { status: 'ready', ...far };
  }

  /** A sentence when the store does not answer; it names no secret. */
  private async whyAway(): Promise<string | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const silence = `The event store has not answered within ${STORE_ANSWERS_WITHIN_MS / 1000} s.`;
    const late = new Promise<string>((resolve) => (timer = setTimeout(resolve, STORE_ANSWERS_WITHIN_MS, silence)));
    const answer = this.store.headPosition().then(
      () => undefined,
      (error: unknown) => (error instanceof StoreUnavailable ? sentence(error.message) : 'The event store cannot be read.'),
    );
    return Promise.race([answer, late]).finally(() => clearTimeout(timer));
  }
}

const sentence = (reason: string): string => `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;

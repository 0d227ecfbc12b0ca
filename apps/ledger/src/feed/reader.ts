import type { ServerResponse } from 'node:http';
import { NO_POSITION, type Place, StoreClosed, type StoredEvent, StoreUnavailable } from '@ledger/event-store';
import { type Audience, type FeedFilter, onlyStream } from './audience';
import type { FeedBounds } from './bounds';
import { type Pages, placeOf } from './catching-up';
import { cutText, type CutReason, feedText, heartbeatText } from './feed-text';
import type { Batch, LiveWindow, Piece } from './live-window';

/** A socket that drains so soon is a healthy one: its page is kept meanwhile. Of a slower one the rest is read again later. */
const DRAINS_SOON_MS = 50;

export interface ReaderParts {
  response: ServerResponse;
  audience: Audience;
  filter: FeedFilter;
  /** The last event that the reader has seen. */
  from: Place;
  window: LiveWindow;
  pages: Pages;
  bounds: FeedBounds;
  /** Undefined while the store is empty. */
  idWriter: () => Promise<((place: Place) => string) | undefined>;
  /** An error that is a defect of ours. */
  failed: (error: unknown) => void;
}

/** One stream of events to one caller: pages of the store until it meets the live window, then what all live readers share. */
export class Reader {
  private readonly stream: string | undefined;
  private readonly seesAll: boolean;
  /** The event up to which it was given everything. */
  private place: Place;
  private idOf: ((place: Place) => string) | undefined;
  private ended = false;
  private wrote = performance.now();
  private fullSince: number | undefined;
  private wasLive = false;
  private behindSince: number | undefined;
  /** Goes on when something was written, the socket has drained, or the stream has ended. */
  private wake: (() => void) | undefined;
  reason: CutReason | undefined;

  constructor(private readonly parts: ReaderParts) {
    const { response, audience, filter, from } = parts;
    this.place = from;
    this.stream = onlyStream(audience, filter);
    this.seesAll = audience.kind === 'all' && this.stream === undefined && filter.types === undefined;
    response.on('drain', () => {
      this.fullSince = undefined;
      this.wake?.();
    });
    response.on('close', () => {
      this.ended = true;
      this.wake?.();
    });
    // A connection that breaks is closed next, and there is nobody to tell.
    response.on('error', () => undefined);
  }

  readonly onWritten = (): void => {
    if (this.fullSince === undefined) this.wake?.();
  };

  /** Resolves when the stream has ended, for whatever reason. */
  async run(): Promise<void> {
    const { window, pages } = this.parts;
    try {
      while (!this.ended) {
        if (this.fullSince !== undefined) await this.sleep();
        else {
          const next = window.after(this.place.position);
          if (next === 'live') await this.beLive();
          else {
            this.idOf ??= await this.parts.idWriter();
            if (next !== 'behind') await this.giveBatch(next);
            else {
              if (this.wasLive) this.behindSince ??= performance.now();
              const { events, upTo } = await pages.after(this.place, window.tail);
              await this.give(events, upTo);
            }
          }
        }
      }
    } catch (error) {
      if (error instanceof StoreClosed) this.cut('SHUTTING_DOWN');
      else if (error instanceof StoreUnavailable) this.cut('STORE_UNAVAILABLE');
      else {
        this.parts.failed(error);
        this.cut('FAILED');
      }
    }
  }

  /** What time asks for: a comment in silence, an end for who does not keep up. */
  tick(now: number): void {
    const { bounds } = this.parts;
    if (this.ended) return;
    if (this.fullSince !== undefined && now - this.fullSince > bounds.stallMs) this.cut('STUCK');
    else if (this.behindSince !== undefined && now - this.behindSince > bounds.lagMs) this.cut('SLOW');
    else if (this.fullSince === undefined && now - this.wrote >= bounds.heartbeatMs)
      this.write(heartbeatText(this.place.position === NO_POSITION ? undefined : this.idOf?.(this.place)));
  }

  /** Says why, and ends. Who does not take the reason in time loses the connection. */
  cut(reason: CutReason, farewellMs = this.parts.bounds.farewellMs): void {
    const { response } = this.parts;
    if (this.ended) return;
    this.ended = true;
    this.reason = reason;
    response.end(cutText(reason));
    const timer = setTimeout(() => response.destroy(), farewellMs).unref();
    response.once('close', () => clearTimeout(timer));
    this.wake?.();
  }

  private async beLive(): Promise<void> {
    this.wasLive = true;
    this.behindSince = undefined;
    await this.sleep();
  }

  private async giveBatch(batch: Batch): Promise<void> {
    this.wasLive = true;
    this.behindSince = undefined;
    const piece = this.seesAll ? this.pieceOf(batch) : undefined;
    if (piece === undefined) {
      await this.give(this.stream === undefined ? batch.events : batch.ofStream(this.stream), batch.last);
      return;
    }
    this.write(piece.text);
    this.place = piece.last;
  }

  /** The shared text right behind the reader's position; undefined when it stands within a piece. */
  private pieceOf(batch: Batch): Piece | undefined {
    return batch.pieces((event) => this.textOf(event), this.parts.bounds.pieceBytes).find(({ after }) => after === this.place.position);
  }

  /** What the reader has seen already is left out; `upTo` is where it stands after all of them. */
  private async give(events: readonly StoredEvent[], upTo: Place): Promise<void> {
    let text = '';
    for (const event of events) {
      if (event.position <= this.place.position) continue;
      text += this.textOf(event);
      if (text.length < this.parts.bounds.pieceBytes) continue;
      this.write(text);
      text = '';
      this.place = placeOf(event);
      if (this.fullSince !== undefined) await this.sleep(DRAINS_SOON_MS);
      if (this.ended || this.fullSince !== undefined) return;
    }
    if (text !== '') this.write(text);
    this.place = upTo;
  }

  private textOf(event: StoredEvent): string {
    if (this.idOf === undefined) throw new Error('events of a store without a first one');
    return feedText(event, this.parts.audience, this.parts.filter, this.idOf);
  }

  private write(text: string | Uint8Array): void {
    if (this.ended) return;
    this.wrote = performance.now();
    if (!this.parts.response.write(text)) this.fullSince ??= this.wrote;
  }

  private async sleep(ms?: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      if (this.ended) resolve();
      if (ms !== undefined) timer = setTimeout(resolve, ms);
    });
    this.wake = undefined;
    clearTimeout(timer);
  }
}

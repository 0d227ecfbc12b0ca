import { EventStore, NO_POSITION, type Place } from '@ledger/event-store';
import { streamOf, type WalletRef } from '@ledger/wallet';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Commanded } from '../wallets/commanding';
import { ReadModel } from '../views/read-model';
import { type FieldError, Problem, validationFailed } from './problem';

/** A request waits this long for its position, api.md says. */
export const POSITION_WAIT_MS = 5_000;
/** One that names none waits no longer than this, and is answered then. */
const OWN_WAIT_MS = 500;
/** Enough of the store's mark to tell any two stores apart. */
const MARK_LENGTH = 13;
/** Enough of an event's id, which is made from the hash of all that its stream had until then, to tell two histories apart. */
const EVENT_LENGTH = 8;
const POSITION_PATTERN = /^([0-9a-f-]{13})\.(\d{1,19})\.([0-9a-f]{8})(?:\.([A-Za-z0-9-]{1,64}))?$/;
/** Positions of which the event is remembered: callers send back what they were given a moment ago, readers what others send too. */
const EVENTS_KNOWN_MAX = 10_000;

/** Where a position stood in a request. */
type Where = Pick<FieldError, 'in' | 'field'>;

/** What the text of a position says. */
interface Named {
  position: bigint;
  /** The beginning of the id of the event there. */
  event: string;
  allocationId: string | undefined;
}

/**
 * The `Ledger-Position` header: opaque to callers; the mark of the store, a position in it, the beginning of the id of the event
 * there and, of an allocation, its id, as only who names the allocation waits for its settlement. A store that went back to a backup
 * and grew differently keeps its mark, and has another event at the position.
 */
@Injectable()
export class Positions {
  private mark: string | undefined;
  /** The furthest position that this instance has answered. */
  private answered = NO_POSITION;
  private readonly eventIds = new LRUCache<bigint, string>({ max: EVENTS_KNOWN_MAX });

  constructor(
    private readonly readModel: ReadModel,
    private readonly store: EventStore,
  ) {}

  /** The header for an answer; undefined when it stands on an empty store. A string at once, save for the very first answer. */
  of({
    events,
    position,
    eventId: id,
  }: Pick<Commanded, 'events' | 'position' | 'eventId'>): string | undefined | Promise<string | undefined> {
    if (position === NO_POSITION) return undefined;
    this.eventIds.set(position, id);
    if (position > this.answered) this.answered = position;
    const last = events.at(-1);
    const allocation = last?.type === 'TokensAllocated' ? `.${last.data.allocationId}` : '';
    if (this.mark !== undefined) return textOf(this.mark, { position, id }, allocation);
    return this.storeMark().then((mark) => (mark === undefined ? undefined : textOf(mark, { position, id }, allocation)));
  }

  /** The position of a stored event, in the form of the header. */
  async textOf(place: Place): Promise<string> {
    return textOf((await this.storeMark()) ?? '', place);
  }

  /** Waits until this instance has read as far as the header says. @throws Problem VALIDATION_FAILED, POSITION_NOT_REACHED */
  async reach(header: string): Promise<void> {
    const where: Where = { in: 'header', field: '/Ledger-Position' };
    const named = await this.read(header, where);
    if (!(await this.readModel.reached(named.position, POSITION_WAIT_MS, named.allocationId)))
      throw new Problem('POSITION_NOT_REACHED', `This instance has not read that far within ${POSITION_WAIT_MS / 1000} s: try again.`);
    await this.found(named, header, where);
  }

  /**
   * For a request that names no position: it is promised nothing, but an instance shows what it has itself answered. Undefined when it
   * can at once; a read model that is behind for longer is not waited for.
   */
  own(): Promise<unknown> | undefined {
    const { readModel, answered } = this;
    return readModel.position >= answered || !readModel.ready ? undefined : readModel.reached(answered, OWN_WAIT_MS);
  }

  /** For a command that also asks the views: waits until they have all that the wallet's stream has now, by whichever instance; 0.5 s at most. */
  async readAllOf(wallet: WalletRef): Promise<void> {
    const { position } = await this.store.headOf(streamOf(wallet));
    if (position > this.readModel.position) await this.readModel.reached(position, OWN_WAIT_MS);
  }

  /** The event that a text names, if the store has come that far. @throws Problem VALIDATION_FAILED, POSITION_NOT_REACHED */
  async known(text: string, where: Where): Promise<Place> {
    const named = await this.read(text, where);
    if (named.position > (await this.store.headPosition()))
      throw new Problem('POSITION_NOT_REACHED', 'The store has not come that far: try again.');
    return this.found(named, text, where);
  }

  /** Writes positions of this store's events; undefined while it has none. */
  async writer(): Promise<((place: Place) => string) | undefined> {
    const mark = await this.storeMark();
    return mark === undefined ? undefined : (place) => textOf(mark, place);
  }

  private async read(text: string, where: Where): Promise<Named> {
    const [, mark, position, event, allocationId] = POSITION_PATTERN.exec(decode(text)) ?? [];
    if (mark === undefined || position === undefined || event === undefined)
      throw refused(text, where, 'is not a position that this ledger gave');
    if (mark !== (await this.storeMark())) throw refused(text, where, 'is a position of another store');
    return { position: BigInt(position), event, allocationId };
  }

  /** The very event that was named, in a store that has come that far: its history may have another there, or none. */
  private async found({ position, event }: Named, text: string, where: Where): Promise<Place> {
    const known = this.eventIds.get(position);
    const id = known ?? (await this.store.idAt(position));
    if (id?.startsWith(event) !== true) throw refused(text, where, 'is a position of a history that this store no longer has');
    if (known === undefined) this.eventIds.set(position, id);
    return { position, id };
  }

  private async storeMark(): Promise<string | undefined> {
    this.mark ??= (await this.store.mark())?.slice(0, MARK_LENGTH);
    return this.mark;
  }
}

const textOf = (mark: string, { position, id }: Place, allocation = ''): string =>
  Buffer.from(`${mark}.${position}.${id.slice(0, EVENT_LENGTH)}${allocation}`).toString('base64url');

const decode = (header: string): string => (header.length <= 200 ? Buffer.from(header, 'base64url').toString('latin1') : '');

const refused = (value: string, where: Where, message: string) => validationFailed([{ ...where, value: value.slice(0, 200), message }]);

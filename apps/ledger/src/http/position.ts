import { EventStore, NO_POSITION } from '@ledger/event-store';
import { Injectable } from '@nestjs/common';
import type { Commanded } from '../wallets/commanding';
import { ReadModel } from '../views/read-model';
import { type FieldError, Problem, validationFailed } from './problem';

/** A request waits this long for its position, api.md says. */
export const POSITION_WAIT_MS = 5_000;
/** Enough of the store's mark to tell any two stores apart. */
const MARK_LENGTH = 13;
const POSITION_PATTERN = /^([0-9a-f-]{13})\.(\d{1,19})(?:\.([A-Za-z0-9-]{1,64}))?$/;

/** Where a position stood in a request. */
type Place = Pick<FieldError, 'in' | 'field'>;

/**
 * The `Ledger-Position` header: opaque to callers; the mark of the store, a position in it and, of an allocation, its id, as
 * only who names the allocation waits for its settlement.
 */
@Injectable()
export class Positions {
  private mark: string | undefined;

  constructor(
    private readonly readModel: ReadModel,
    private readonly store: EventStore,
  ) {}

  /** The header for an answer; undefined when it stands on an empty store. A string at once, save for the very first answer. */
  of(commanded: Commanded): string | undefined | Promise<string | undefined> {
    if (commanded.position === NO_POSITION) return undefined;
    if (this.mark !== undefined) return write(this.mark, commanded);
    return this.storeMark().then((mark) => (mark === undefined ? undefined : write(mark, commanded)));
  }

  /** The position of a stored event, in the form of the header. */
  async textOf(position: bigint): Promise<string> {
    return textOf((await this.storeMark()) ?? '', position);
  }

  /** Waits until this instance has read as far as the header says. @throws Problem VALIDATION_FAILED, POSITION_NOT_REACHED */
  async reach(header: string): Promise<void> {
    const { position, allocationId } = await this.read(header, { in: 'header', field: '/Ledger-Position' });
    if (await this.readModel.reached(position, POSITION_WAIT_MS, allocationId)) return;
    throw new Problem('POSITION_NOT_REACHED', `This instance has not read that far within ${POSITION_WAIT_MS / 1000} s: try again.`);
  }

  /** The position that a text names, if the store has come that far. @throws Problem VALIDATION_FAILED, POSITION_NOT_REACHED */
  async known(text: string, place: Place): Promise<bigint> {
    const { position } = await this.read(text, place);
    if (position <= (await this.store.headPosition())) return position;
    throw new Problem('POSITION_NOT_REACHED', 'The store has not come that far: try again.');
  }

  /** Writes positions of this store's events; undefined while it has none. */
  async writer(): Promise<((position: bigint) => string) | undefined> {
    const mark = await this.storeMark();
    return mark === undefined ? undefined : (position) => textOf(mark, position);
  }

  private async read(text: string, place: Place): Promise<{ position: bigint; allocationId: string | undefined }> {
    const [, mark, position, allocationId] = POSITION_PATTERN.exec(decode(text)) ?? [];
    if (mark === undefined || position === undefined) throw refused(text, place, 'is not a position that this ledger gave');
    if (mark !== (await this.storeMark())) throw refused(text, place, 'is a position of another store');
    return { position: BigInt(position), allocationId };
  }

  private async storeMark(): Promise<string | undefined> {
    this.mark ??= (await this.store.mark())?.slice(0, MARK_LENGTH);
    return this.mark;
  }
}

function write(mark: string, { events, position }: Commanded): string {
  const last = events.at(-1);
  const allocation = last?.type === 'TokensAllocated' ? `.${last.data.allocationId}` : '';
  return textOf(mark, position, allocation);
}

const textOf = (mark: string, position: bigint, allocation = ''): string =>
  Buffer.from(`${mark}.${position}${allocation}`).toString('base64url');

const decode = (header: string): string => (header.length <= 200 ? Buffer.from(header, 'base64url').toString('latin1') : '');

const refused = (value: string, place: Place, message: string) => validationFailed([{ ...place, value: value.slice(0, 200), message }]);

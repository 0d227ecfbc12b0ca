import { ScannedPage } from '@ledger/event-store';
import { BESIDE, type EventType } from '@ledger/wallet';
import type { AuditedEvent } from './audited';
import { type Envelope, type Link, namedDigest, sha256OfBytes, UNKEYED, variantOf } from './chain';
import { UUID } from './glance';
import { fixed, kindOf, PLAIN, WORD } from './texts';
import { UsualUsage } from './usual-usage';

/**
 * A usage as it lies in a page of the scan, judged without taking its texts out of it: most of a ledger is usages, and most of what an
 * audit of texts costs is making texts. Only ever says yes: what it does not know, the other ways look at.
 */

/** A hashed text that is longer is not put together here. */
export const ROOM = 16 * 1_024;
const TYPE_LENGTH = 'TokensUsed'.length;
const HASH = 64;
const KEY_MAX = 200;
const VISIBLE = kindOf(/[!#-[\]-~]/);

const F = {
  causationId: fixed('{"$causationId":"'),
  correlationId: fixed('","$correlationId":"'),
  actor: fixed('","actor":"'),
  client: fixed('","client":"'),
  contentHash: fixed('","contentHash":"'),
  hash: fixed('","hash":"'),
  key: fixed('","key":"'),
  previousHash: fixed('","previousHash":"'),
  requestId: fixed('","requestId":"'),
  role: fixed('","role":"'),
  schema: fixed('","schema":"1"'),
  traceparent: fixed(',"traceparent":"'),
};
/** With the comma before it and the quotation mark behind it: what metadata lack when they are hashed. */
const HASH_FIELD = ',"hash":""'.length + HASH;
const QUOTE = 34;
const CLOSE = 125;
const DATA = Buffer.from('{"data":');
const METADATA = Buffer.from(',"metadata":');
const REVISION = Buffer.from(',"revision":');
const TYPE = Buffer.from(',"type":"');
const END = Buffer.from('"}');
const NO_TEXT = '\ufffd';

/** The row that a scan stands on, as an event; its texts are made when they are asked for. */
export class PageRow implements AuditedEvent {
  stream = '';
  private page = new ScannedPage(Buffer.alloc(0), 0);
  private view: DataView = new DataView(new ArrayBuffer(0));
  readonly usage = new UsualUsage();
  private readonly glance = this.usage.glance;
  /** Found in the metadata: where the digits of the two hashes begin, and the key, which has length 0 when there is none. */
  private hashAt = 0;
  private previousAt = 0;
  private contentHashAt = 0;
  keyAt = 0;
  keyLength = 0;

  /** Before the rows of a page, which must have ROOM. */
  open(page: ScannedPage): void {
    this.page = page;
    this.glance.open(page.bytes);
    this.view = new DataView(page.bytes.buffer, page.bytes.byteOffset, page.bytes.length);
    DATA.copy(page.bytes, page.roomAt + HASH);
  }

  get position(): number {
    return this.page.position;
  }
  get revision(): number {
    return this.page.revision;
  }
  get id(): string {
    return this.page.id;
  }
  get type(): string {
    return this.page.type;
  }
  get data(): string {
    return this.page.data;
  }
  get metadata(): string {
    return this.page.metadata;
  }

  /**
   * Whether the event is a usual usage and nothing is wrong with it or its link; then `usage` is what it says, and `link` moves on to
   * it. Else `link` stays where it was.
   */
  isUsual(link: Link): boolean {
    const { glance, page } = this;
    if (!link.sound || page.revision !== link.revision + 1 || page.dataAt - page.typeAt !== TYPE_LENGTH) return false;
    glance.at = page.typeAt;
    return this.usage.look() && glance.at === page.metadataAt && this.takeMetadata() && glance.at === page.metadataEnd && this.holds(link);
  }

  /**
   * What `checkLink` answers, of any event whose metadata are usual and whose link holds; then `link` moves on to it. Undefined, and
   * `link` where it was, when the other way must look.
   */
  usualLink(link: Link): Envelope | undefined {
    const { glance, page } = this;
    if (!link.sound || page.revision !== link.revision + 1) return undefined;
    glance.at = page.metadataAt;
    if (!this.takeMetadata() || glance.at !== page.metadataEnd) return undefined;
    // Bytes that are no text read as this, and it as itself: hashed are the bytes, judged is the text.
    const { type, data } = page;
    if (type.includes(NO_TEXT) || data.includes(NO_TEXT)) return undefined;
    const keyed = this.keyLength > 0;
    if ((keyed && BESIDE.has(type as EventType)) || !this.holds(link)) return undefined;
    if (!keyed) return UNKEYED;
    const textAt = (from: number, length: number): string => page.bytes.toString('latin1', from, from + length);
    return { key: textAt(this.keyAt, this.keyLength), contentHash: textAt(this.contentHashAt, HASH) };
  }

  /** Whether the hashes and the id are right behind the link, which then moves on to the event. The metadata were taken. */
  private holds(link: Link): boolean {
    const { page, view } = this;
    // In the room behind the page, where texts are compared and put together.
    const { bytes, roomAt } = page;
    bytes.write(link.hash, roomAt, 'latin1');
    if (!sameHash(view, this.previousAt, roomAt)) return false;
    const wanted = this.hashOf(page);
    if (wanted === undefined) return false;
    bytes.write(wanted, roomAt, 'latin1');
    if (!sameHash(view, this.hashAt, roomAt)) return false;
    bytes.write(namedDigest(wanted), roomAt, 'latin1');
    if (page.typeAt - page.idAt !== UUID || !isIdOf(view, page.idAt, roomAt)) return false;
    link.revision = page.revision;
    link.hash = wanted;
    return true;
  }

  /** Metadata of a result as the ledger writes them: printable ASCII, the names in their order, which is canonical JSON. */
  private takeMetadata(): boolean {
    const { glance } = this;
    if (!glance.is(F.causationId)) return false;
    const requestAt = glance.at;
    const length = glance.run(PLAIN);
    if (length < 0 || !glance.is(F.correlationId) || glance.run(PLAIN) < 0 || !glance.is(F.actor) || glance.run(PLAIN) < 0) return false;
    if (glance.is(F.client) && glance.run(PLAIN) < 0) return false;
    const keyed = glance.is(F.contentHash);
    if (keyed && !glance.hex(glance.at, HASH)) return false;
    this.contentHashAt = glance.at;
    if (keyed) glance.at += HASH;
    if (!glance.is(F.hash)) return false;
    this.hashAt = glance.at;
    glance.at += HASH;
    this.keyLength = 0;
    if (glance.is(F.key)) {
      this.keyAt = glance.at;
      this.keyLength = glance.run(VISIBLE);
      if (this.keyLength < 1 || this.keyLength > KEY_MAX) return false;
    }
    if (keyed !== this.keyLength > 0 || !glance.is(F.previousHash)) return false;
    this.previousAt = glance.at;
    glance.at += HASH;
    if (!glance.is(F.requestId) || !glance.repeats(requestAt, length) || !glance.is(F.role) || glance.run(PLAIN) < 0) return false;
    if (!glance.is(F.schema)) return false;
    if (glance.is(F.traceparent) && (glance.run(PLAIN) < 0 || !glance.byte(QUOTE))) return false;
    return glance.byte(CLOSE);
  }

  /** Of the text that docs/audit-format.md names, which is put together in the room, where the hash before it stands already. */
  private hashOf({ bytes, roomAt, typeAt, dataAt, metadataAt, metadataEnd, revisionAt, revisionEnd }: ScannedPage): string | undefined {
    if (metadataEnd - typeAt + HASH + ROOM_BESIDE > bytes.length - roomAt) return undefined;
    let at = roomAt + HASH + DATA.length;
    bytes.copyWithin(at, dataAt, metadataAt);
    at = put(bytes, at + metadataAt - dataAt, METADATA);
    const fieldAt = this.hashAt - HASH_FIELD_START;
    bytes.copyWithin(at, metadataAt, fieldAt);
    at += fieldAt - metadataAt;
    bytes.copyWithin(at, fieldAt + HASH_FIELD, metadataEnd);
    at = put(bytes, at + metadataEnd - fieldAt - HASH_FIELD, REVISION);
    for (let digit = revisionAt; digit < revisionEnd; digit += 1) bytes[at++] = bytes[digit]!;
    at = put(bytes, at, TYPE);
    for (let letter = typeAt; letter < dataAt; letter += 1) bytes[at++] = bytes[letter]!;
    at = put(bytes, at, END);
    return sha256OfBytes(bytes.subarray(roomAt, at));
  }
}

const HASH_FIELD_START = ',"hash":"'.length;
/** For the texts around data and metadata, and the digits of a revision. */
const ROOM_BESIDE = 100;

function put(bytes: Buffer, at: number, text: Buffer): number {
  for (let place = 0; place < text.length; place += 1) bytes[at + place] = text[place]!;
  return at + text.length;
}

/** Whether the same hash stands at two places. Eight digits at a time, as numbers of 64 bits: see `Fixed`. */
function sameHash(view: DataView, one: number, other: number): boolean {
  for (let digit = 0; digit < HASH; digit += WORD) if (view.getFloat64(one + digit) !== view.getFloat64(other + digit)) return false;
  return true;
}

/** Whether the id at one place is `idOf` the hash whose named digest stands at another; two of its digits become those of an id. */
function isIdOf(view: DataView, id: number, digest: number): boolean {
  view.setUint8(digest + 12, FIVE);
  view.setUint8(digest + 16, variantOf(String.fromCharCode(view.getUint8(digest + 16))).charCodeAt(0));
  return (
    view.getFloat64(id) === view.getFloat64(digest) &&
    view.getUint8(id + 8) === DASH &&
    view.getInt32(id + 9) === view.getInt32(digest + 8) &&
    view.getUint8(id + 13) === DASH &&
    view.getInt32(id + 14) === view.getInt32(digest + 12) &&
    view.getUint8(id + 18) === DASH &&
    view.getInt32(id + 19) === view.getInt32(digest + 16) &&
    view.getUint8(id + 23) === DASH &&
    view.getFloat64(id + 24) === view.getFloat64(digest + 20) &&
    view.getInt32(id + 32) === view.getInt32(digest + 28)
  );
}

const FIVE = 53;
const DASH = 45;

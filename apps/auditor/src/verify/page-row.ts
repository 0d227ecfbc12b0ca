import { ScannedPage } from '@ledger/event-store';
import type { AuditedEvent } from './audited';
import { isIdAt, type Link, sha256OfBytes } from './chain';
import { fixed, kindOf, PLAIN } from './texts';
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
const TYPE = Buffer.from(',"type":"TokensUsed"}');

/** The row that a scan stands on, as an event; its texts are made when they are asked for. */
export class PageRow implements AuditedEvent {
  stream = '';
  private page = new ScannedPage(Buffer.alloc(0), 0);
  readonly usage = new UsualUsage();
  private readonly glance = this.usage.glance;
  /** Found in the metadata: where the digits of the two hashes begin, and the key, which has length 0 when there is none. */
  private hashAt = 0;
  private previousAt = 0;
  keyAt = 0;
  keyLength = 0;

  /** Before the rows of a page, which must have ROOM. */
  open(page: ScannedPage): void {
    this.page = page;
    this.glance.open(page.bytes);
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
    if (!this.usage.look() || glance.at !== page.metadataAt) return false;
    if (!this.takeMetadata() || glance.at !== page.metadataEnd) return false;
    glance.at = this.previousAt;
    if (!glance.holds(link.hash)) return false;
    const wanted = this.hashOf(page);
    glance.at = this.hashAt;
    if (wanted === undefined || !glance.holds(wanted) || !isIdAt(page.bytes, page.idAt, page.typeAt, wanted)) return false;
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

  /** Of the text that docs/audit-format.md names, which is put together in the room behind the page. */
  private hashOf({ bytes, roomAt, dataAt, metadataAt, metadataEnd, revisionAt, revisionEnd }: ScannedPage): string | undefined {
    if (metadataEnd - dataAt + HASH + ROOM_BESIDE > bytes.length - roomAt) return undefined;
    bytes.copyWithin(roomAt, this.previousAt, this.previousAt + HASH);
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

import { type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { Endpoint } from './address';

/** What went wrong with a call, so far as the adapter acts on it. */
export type Trouble =
  /** The connection is not to be trusted any more: what was under way on it has an unknown outcome. */
  | { kind: 'lost'; sentence: string }
  /** The server answered that it cannot, now; the connection is good. */
  | { kind: 'busy'; sentence: string }
  /** Another node leads. */
  | { kind: 'notLeader'; leader: Endpoint | undefined; sentence: string }
  /** User or password are wrong, or lack a right; no repeat helps until somebody changes something. */
  | { kind: 'denied'; sentence: string }
  /** The stream was deleted for good. */
  | { kind: 'streamDeleted'; sentence: string }
  /** The position is none of this store's log. */
  | { kind: 'badPosition'; sentence: string }
  | { kind: 'other'; sentence: string };

const BUSY = /Server Is (Not Ready|(Too )?Busy)|leader info/i;

/** Reads an error of gRPC by its shape: other copies of the library have other classes. */
export function troubleOf(error: unknown): Trouble {
  const { code, details, metadata } = error as Partial<ServiceError>;
  const said = details ?? (error instanceof Error ? error.message : String(error));
  const exception = text(metadata, 'exception');
  if (exception === 'not-leader') return { kind: 'notLeader', leader: leaderOf(metadata), sentence: 'the node does not lead' };
  if (exception === 'stream-deleted') return { kind: 'streamDeleted', sentence: 'the stream was deleted for good' };
  if (exception === 'access-denied' || code === status.PERMISSION_DENIED)
    return { kind: 'denied', sentence: 'its user lacks a right: $all must be readable, and the wallets readable and writable' };
  if (code === status.UNAUTHENTICATED) return { kind: 'denied', sentence: 'it refuses the user or the password of the connection string' };
  if (code === status.UNIMPLEMENTED) return { kind: 'denied', sentence: 'it is no EventStoreDB, or one older than 21.10' };
  if (code === status.INVALID_ARGUMENT && /position/i.test(said))
    return { kind: 'badPosition', sentence: 'the position is none of its log' };
  if (code === undefined) return { kind: 'lost', sentence: said };
  if (code === status.UNAVAILABLE && BUSY.test(said)) return { kind: 'busy', sentence: 'it is not ready or too busy' };
  if (code === status.UNAVAILABLE || code === status.CANCELLED) return { kind: 'lost', sentence: whyLost(said) };
  if (code === status.DEADLINE_EXCEEDED || code === status.ABORTED) return { kind: 'busy', sentence: 'it did not answer in time' };
  if (code === status.RESOURCE_EXHAUSTED) return { kind: 'busy', sentence: 'it is too busy' };
  // A connection that ends in the middle of a call is told as an internal error.
  if (code === status.INTERNAL && /RST_STREAM|[Ss]ession/.test(said)) return { kind: 'lost', sentence: whyLost(said) };
  return { kind: 'other', sentence: `it answers ${status[code]}: ${said}` };
}

/** A sentence for what the socket or TLS say. */
export function whyLost(said: string): string {
  if (/altnames|ALTNAME/i.test(said)) return `its certificate is for another host (${short(said)})`;
  if (/certificate has expired|CERT_HAS_EXPIRED/i.test(said)) return 'its certificate has expired';
  if (/certificate|self.signed|UNABLE_TO_/i.test(said))
    return `its certificate is refused (${short(said)}): name the file of its CA with tlsCAFile`;
  if (/wrong version number|packet length too long|EPROTO/i.test(said)) return 'it does not speak TLS: add tls=false if that is meant';
  if (/ENOTFOUND|EAI_AGAIN|Name resolution failed/i.test(said)) return 'its name cannot be resolved';
  if (/ECONNREFUSED/.test(said)) return 'nothing listens there';
  if (/ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/.test(said)) return 'it cannot be reached over the network';
  if (
    /ECONNRESET|Failed to connect|socket hang up|dropped|GOAWAY|EPIPE|write after end|Stream refused|closed|NGHTTP2|RST_STREAM|session/i.test(
      said,
    )
  )
    return 'the connection was dropped (if it speaks TLS only, leave tls=false out)';
  return short(said);
}

const SHOWN_MAX = 200;

/** What is said last is the cause; what comes before names it more vaguely. */
const short = (said: string): string =>
  said
    .replace(/^.*Last error: /s, '')
    .replace(/\s+/g, ' ')
    .slice(0, SHOWN_MAX);

const text = (metadata: Metadata | undefined, name: string): string | undefined => metadata?.get(name)[0]?.toString();

function leaderOf(metadata: Metadata | undefined): Endpoint | undefined {
  const host = text(metadata, 'leader-endpoint-host');
  const port = Number(text(metadata, 'leader-endpoint-port'));
  return host !== undefined && Number.isInteger(port) && port > 0 ? { host, port } : undefined;
}

import type { StoredEvent } from '@ledger/event-store';
import { balanceMessage, eventMessage, readEvent, skippedMessage, UnpublishableEvent } from './message';

const AT = '2026-11-23T09:05:00.000Z';
const TRACE = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
const metadata = {
  $causationId: 'request-1',
  $correlationId: 'correlation-1',
  actor: 'tutor',
  client: 'console',
  contentHash: 'of the content',
  hash: 'of the event',
  key: 'a key of the caller',
  previousHash: 'of the event before',
  requestId: 'request-1',
  role: 'platform',
  schema: '1',
  traceparent: TRACE,
};
const data = { at: AT, balanceAfter: { balance: 30, free: { tokens: 10, month: '2026-11' } }, text: 'ä \u2028 "' };

const stored = (more: Partial<StoredEvent> = {}): StoredEvent => ({
  id: 'b5a6c0de-0000-5000-8000-000000000001',
  type: 'FreeAllowanceGranted',
  data: JSON.stringify(data),
  metadata: JSON.stringify(metadata),
  stream: 'userWallet-u1',
  revision: 7,
  position: 9_007_199_254_740_993n,
  ...more,
});
const messageOf = (more: Partial<StoredEvent> = {}, source?: string) => eventMessage(readEvent(stored(more)), source);

describe('the message of an event', () => {
  it('has the stored text as its value, the stream as its key, and says the rest in headers', () => {
    expect(messageOf()).toEqual({
      key: 'userWallet-u1',
      value: JSON.stringify(data),
      headers: {
        'content-type': 'application/json',
        ce_specversion: '1.0',
        ce_id: 'b5a6c0de-0000-5000-8000-000000000001',
        ce_source: '/token-ledger',
        ce_type: 'ledger.FreeAllowanceGranted.v1',
        ce_subject: 'user:u1',
        ce_time: AT,
        ce_dataschema: 'urn:token-ledger:event:FreeAllowanceGranted:1',
        ce_partitionkey: 'userWallet-u1',
        ce_streamrevision: '7',
        // More than a double holds.
        ce_globalposition: '9007199254740993',
        ce_correlationid: 'correlation-1',
        ce_causationid: 'request-1',
        ce_actor: 'tutor',
        ce_role: 'platform',
        ce_client: 'console',
        ce_requestid: 'request-1',
        ce_hash: 'of the event',
        ce_previoushash: 'of the event before',
        traceparent: TRACE,
      },
    });
  });

  it('keeps the key and the content hash of the caller to itself', () => {
    expect(JSON.stringify(messageOf())).not.toMatch(/a key of the caller|of the content/);
  });

  it('leaves out what the metadata lacks or leaves empty', () => {
    const { headers } = messageOf({ metadata: JSON.stringify({ schema: '1', role: '' }) });
    expect(Object.keys(headers).filter((name) => /role|actor|client|trace|hash|request|causation|correlation/.test(name))).toEqual([]);
  });

  it('names the source, and the version of the data', () => {
    const { headers } = messageOf({ metadata: JSON.stringify({ schema: '12' }) }, '/ledger/eu');
    expect(headers).toMatchObject({
      ce_source: '/ledger/eu',
      ce_type: 'ledger.FreeAllowanceGranted.v12',
      ce_dataschema: 'urn:token-ledger:event:FreeAllowanceGranted:12',
    });
  });

  it('is there for a type that this release does not know', () => {
    expect(messageOf({ type: 'TokensBurnt', data: `{"at":"${AT}"}` }).headers['ce_type']).toBe('ledger.TokensBurnt.v1');
  });

  it.each<[string, Partial<StoredEvent>]>([
    ['its stream is not that of a wallet', { stream: '$settings' }],
    ['its type is not a name of letters and digits', { type: '$metadata' }],
    ['its data is not JSON', { data: '{"at":' }],
    ['its data is not a JSON object', { data: '[]' }],
    ['its metadata is not JSON', { metadata: '' }],
    ['its metadata is not a JSON object', { metadata: 'null' }],
    ['its data names no instant in the field "at"', { data: '{"at":1}' }],
    ['a field of its metadata is not text', { metadata: '{"schema":"1","actor":1}' }],
    ['its metadata names no version in the field "schema"', { metadata: '{"schema":"01"}' }],
  ])('cannot be made when %s', (reason, more) => {
    const attempt = (): unknown => messageOf(more);
    expect(attempt).toThrow(UnpublishableEvent);
    expect(attempt).toThrow(expect.objectContaining({ reason }) as Error);
  });
});

describe('the message of a balance', () => {
  const valueOf = (more: object): unknown => {
    const message = balanceMessage(readEvent(stored({ data: JSON.stringify({ at: AT, ...more }) })));
    return message && { key: message.key, ...(JSON.parse(message.value) as object) };
  };

  it('is the balance after the event, with the month of the free tokens', () => {
    expect(valueOf({ balanceAfter: data.balanceAfter })).toEqual({
      key: 'user:u1',
      wallet: 'user:u1',
      balance: 30,
      free: { tokens: 10, month: '2026-11' },
      revision: 7,
      position: '9007199254740993',
      asOf: AT,
    });
  });

  it('names no free tokens when there are none', () => {
    expect(valueOf({ balanceAfter: { balance: 20 } })).not.toHaveProperty('free');
    expect(valueOf({ balanceAfter: { balance: 20, free: { tokens: 0, month: '2026-11' } } })).not.toHaveProperty('free');
  });

  it('is not there for an event that moves nothing', () => {
    expect(valueOf({})).toBeUndefined();
  });
});

describe('the message of a skipped event', () => {
  it('keeps its place: key, id, revision and position, and says what is missing', () => {
    const { key, value, headers } = skippedMessage(stored({ data: 'not even JSON', metadata: '' }), 'too large', '/ledger/eu');
    expect({ key, value: JSON.parse(value) as unknown }).toEqual({
      key: 'userWallet-u1',
      value: { type: 'FreeAllowanceGranted', reason: 'too large' },
    });
    expect(headers).toMatchObject({
      ce_type: 'ledger.skipped.v1',
      ce_id: 'b5a6c0de-0000-5000-8000-000000000001',
      ce_source: '/ledger/eu',
      ce_subject: 'user:u1',
      ce_streamrevision: '7',
      ce_globalposition: '9007199254740993',
    });
    expect(headers).not.toHaveProperty('ce_dataschema');
  });
});

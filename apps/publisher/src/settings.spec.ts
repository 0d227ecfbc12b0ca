import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BadSetting } from './environment';
import { readSettings } from './settings';

const refusal = (env: Record<string, string>): string => {
  try {
    readSettings(env);
  } catch (error) {
    expect(error).toBeInstanceOf(BadSetting);
    return (error as Error).message;
  }
  return '';
};

describe('the settings of the publisher', () => {
  it('have defaults for trying out, but none for where to begin', () => {
    expect(readSettings({ DATA_DIR: '/srv/ledger' })).toMatchObject({
      port: 3001,
      host: '127.0.0.1',
      eventStoreUrl: 'sqlite:/srv/ledger/events.db',
      kafka: { brokers: ['127.0.0.1:9092'], topics: { events: 'ledger.wallet-events.v1' } },
      publisherId: 'ledger',
      startFrom: undefined,
      skipEvents: new Set(),
      onHalt: 'stay',
    });
  });

  it.each([
    ['beginning', -1n],
    ['0', 0n],
    ['9223372036854775807', 9223372036854775807n],
  ])('take START_FROM %s', (value, position) => {
    expect(readSettings({ START_FROM: value }).startFrom).toBe(position);
  });

  it('take brokers and ids in lists', () => {
    const id = '9E4E8AB2-b6b3-51a7-a96d-2467ca7ab01f';
    const settings = readSettings({ KAFKA_BROKERS: 'a:1, [::1]:9092,b.c:3', SKIP_EVENTS: `${id},` });
    expect(settings.kafka.brokers).toEqual(['a:1', '[::1]:9092', 'b.c:3']);
    expect([...settings.skipEvents]).toEqual([id.toLowerCase()]);
  });

  it.each([
    [{ KAFKA_BROKERS: 'kafka' }, /^KAFKA_BROKERS .*"kafka"/],
    [{ EVENT_STORE_URL: 'postgres://u:hidden@h' }, /^EVENT_STORE_URL /],
    [{ START_FROM: 'now' }, /^START_FROM .*beginning/],
    [{ START_FROM: '-1' }, /^START_FROM /],
    [{ SKIP_EVENTS: '12' }, /^SKIP_EVENTS .*UUID/],
    [{ PUBLISHER_ID: 'a b' }, /^PUBLISHER_ID /],
    [{ PUBLISHER_PORT: '65536' }, /^PUBLISHER_PORT .*65535/],
    [{ EVENTS_TOPIC: 'a/b' }, /^EVENTS_TOPIC /],
    [{ BALANCES_TOPIC: 'ledger.wallet-events.v1' }, /three topics/],
    [{ HEARTBEAT_SECONDS: '45' }, /^STANDBY_SECONDS .*HEARTBEAT_SECONDS/],
    [{ REQUEST_TIMEOUT_SECONDS: '30' }, /^REQUEST_TIMEOUT_SECONDS /],
    [{ ON_HALT: 'retry' }, /^ON_HALT must be stay or exit/],
    [{ KAFKA_SSL_CA: '/ca.pem' }, /^KAFKA_SSL_CA .*KAFKA_SSL=true/],
    [{ KAFKA_SSL: 'true', KAFKA_SSL_CA: '/no/such.pem' }, /^KAFKA_SSL_CA .*cannot be read/],
    [{ KAFKA_SASL_PASSWORD: 'hidden' }, /^KAFKA_SASL_MECHANISM /],
    [{ KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'hidden' }, /KAFKA_SSL=true/],
    [{ KAFKA_SASL_MECHANISM: 'gssapi', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'hidden' }, /scram-sha-512/],
    [{ KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_PASSWORD: 'hidden' }, /^KAFKA_SASL_USERNAME /],
  ] as [Record<string, string>, RegExp][])('refuse %j in a sentence that names it, and never a password', (env, sentence) => {
    expect(refusal(env)).toMatch(sentence);
    expect(refusal(env)).not.toContain('hidden');
  });

  it('read certificates', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ledger-publisher-'));
    const pem = join(folder, 'ca.pem');
    writeFileSync(pem, '-----BEGIN CERTIFICATE-----\n');
    try {
      expect(readSettings({ KAFKA_SSL: 'true', KAFKA_SSL_CA: pem }).kafka.tls?.ca).toContain('BEGIN');
      expect(refusal({ KAFKA_SSL: 'true', KAFKA_SSL_CERT: pem })).toMatch(/^KAFKA_SSL_CERT .*together/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

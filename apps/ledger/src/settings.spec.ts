import { PRICE_TABLE } from '@ledger/wallet';
import { BadSetting, readSettings } from './settings';

const refusal = (env: Record<string, string>): string => {
  try {
    readSettings(env);
  } catch (error) {
    expect(error).toBeInstanceOf(BadSetting);
    return (error as Error).message;
  }
  return '';
};

describe('the settings', () => {
  it('have the defaults of the contract', () => {
    const settings = readSettings({ DATA_DIR: '/srv/ledger' });
    expect(settings).toEqual({
      port: 3000,
      host: '127.0.0.1',
      dataDir: '/srv/ledger',
      eventStoreUrl: 'sqlite:/srv/ledger/events.db',
      eventStoreMaxAppendBytes: 1_048_576,
      readModelPath: '/srv/ledger/read-model.db',
      attemptSeconds: 10,
      bodyLimitBytes: 10_485_760,
      auth: { kind: 'local' },
      freeTokensPerMonth: 0,
      platformTimeZone: 'UTC',
      priceTable: PRICE_TABLE,
    });
  });

  it('are taken from the environment, an empty one being unset', () => {
    const settings = readSettings({
      PORT: '0',
      HOST: '::1',
      FREE_TOKENS_PER_MONTH: '1000000000',
      PLATFORM_TIME_ZONE: 'Europe/Berlin',
      ATTEMPT_SECONDS: '',
    });
    expect(settings).toMatchObject({
      port: 0,
      host: '::1',
      freeTokensPerMonth: 1_000_000_000,
      platformTimeZone: 'Europe/Berlin',
      attemptSeconds: 10,
    });
  });

  it.each([
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '80.5'],
    ['PORT', 'http'],
    ['FREE_TOKENS_PER_MONTH', '1000000001'],
    ['FREE_TOKENS_PER_MONTH', '1e3'],
    ['ATTEMPT_SECONDS', '0'],
    ['BODY_LIMIT_BYTES', '10MB'],
    ['PLATFORM_TIME_ZONE', 'Europe/Atlantis'],
    ['PLATFORM_TIME_ZONE', '+02:00'],
    ['EVENT_STORE_URL', 'postgres://localhost'],
    ['EVENT_STORE_URL', 'sqlite:'],
    ['EVENT_STORE_URL', 'esdb://'],
    ['EVENT_STORE_URL', 'kurrentdb://localhost'],
    ['EVENT_STORE_URL', 'esdb://localhost?tlsVerifyCert=false'],
    ['EVENT_STORE_MAX_APPEND_BYTES', '1MiB'],
    ['PRICE_TABLE_PATH', 'prices.json'],
    ['AUTH', 'none'],
  ])('stop the start when %s is %s, naming it', (name, value) => {
    expect(refusal({ [name]: value })).toMatch(new RegExp(`^${name} .*\\.$`));
  });

  it('take the connection string of an EventStoreDB as it is, and repeat no password of a bad one', () => {
    const url = 'esdb://ledger:changeit@localhost:2113';
    expect(readSettings({ EVENT_STORE_URL: url }).eventStoreUrl).toBe(url);
    const sentence = refusal({ EVENT_STORE_URL: `${url}?tls=false` });
    expect(sentence).toContain('tls=false');
    expect(sentence).not.toContain('changeit');
  });

  it('refuse the local key in production, and an issuer that is half described', () => {
    expect(refusal({ NODE_ENV: 'production' })).toMatch(/^AUTH is local/);
    const oidc = { AUTH: 'oidc', AUTH_ISSUER: 'https://id.example', AUTH_AUDIENCE: 'ledger', AUTH_JWKS_URL: 'https://id.example/keys' };
    expect(readSettings({ ...oidc, NODE_ENV: 'production' }).auth).toEqual({
      kind: 'oidc',
      issuer: 'https://id.example',
      audience: 'ledger',
      jwksUrl: 'https://id.example/keys',
    });
    for (const name of ['AUTH_ISSUER', 'AUTH_AUDIENCE', 'AUTH_JWKS_URL'])
      expect(refusal({ ...oidc, [name]: '' })).toMatch(new RegExp(`^${name} `));
    expect(refusal({ ...oidc, AUTH_JWKS_URL: 'file:///etc/passwd' })).toMatch(/^AUTH_JWKS_URL /);
  });
});

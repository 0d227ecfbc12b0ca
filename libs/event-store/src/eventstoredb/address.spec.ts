import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BadEventStoreUrl, checkedEventStoreUrl, openEventStore, shownEventStoreUrl } from '../opening';
import { readAddress } from './address';

const SECRET = 'changeit';

function refusal(url: string): string {
  try {
    readAddress(url);
  } catch (error) {
    expect(error).toBeInstanceOf(BadEventStoreUrl);
    return (error as Error).message;
  }
  throw new Error(`${url} was taken`);
}

describe('the connection string of an EventStoreDB', () => {
  it('names one node, which is used as it is, with TLS unless that is switched off', () => {
    expect(readAddress('esdb://store.example')).toMatchObject({ hosts: [{ host: 'store.example', port: 2113 }], gossip: false, tls: {} });
    expect(readAddress(' esdb://127.0.0.1:2114/?tls=false ')).toMatchObject({ hosts: [{ host: '127.0.0.1', port: 2114 }], tls: undefined });
    expect(readAddress('esdb://[::1]:9')).toMatchObject({ hosts: [{ host: '[::1]', port: 9 }] });
  });

  it('names several nodes or a name of all of them, which are asked who leads', () => {
    const { hosts, gossip } = readAddress('esdb://a:1,b:2,c?tls=false&gossipTimeout=2');
    expect([hosts.map(({ host, port }) => `${host}:${port}`), gossip]).toEqual([['a:1', 'b:2', 'c:2113'], true]);
    expect(readAddress('esdb+discover://cluster.example').gossip).toBe(true);
  });

  it('decodes user and password, which may hold anything', () => {
    const { authorization } = readAddress('esdb://us%40er:p%3Aa%2Fs%25s%3F@store.example');
    expect(Buffer.from(authorization!.replace('Basic ', ''), 'base64').toString()).toBe('us@er:p:a/s%s?');
  });

  it('takes the names of options as the client library does, and reads the files that they name', () => {
    const folder = mkdtempSync(join(tmpdir(), 'address-'));
    try {
      writeFileSync(join(folder, 'ca.crt'), 'the CA');
      const url = `esdb://a?tls_ca_file=${encodeURIComponent(join(folder, 'ca.crt'))}&KeepAliveInterval=5000&nodepreference=Leader&connection-name=x`;
      const { tls, keepAliveIntervalMs, connectionName } = readAddress(url);
      expect([tls?.rootCertificate?.toString(), keepAliveIntervalMs, connectionName]).toEqual(['the CA', 5_000, 'x']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ['another scheme', `kurrentdb://admin:${SECRET}@a`, /must begin with esdb:/],
    ['no host', 'esdb://', /must name its hosts/],
    ['a host with a slash', `esdb://admin:${SECRET}@a/b`, /must name its hosts/],
    ['a port that is none', 'esdb://a:99999', /port that is not between 1 and 65535/],
    ['a password with an @ in it', `esdb://admin:${SECRET}@x@a`, /%40/],
    ['a password with a : in it', `esdb://admin:${SECRET}:x@a`, /%3A/],
    ['a password with a ? in it', `esdb://admin:${SECRET}?x@a`, /%3F/],
    ['a password with a % in it', `esdb://admin:${SECRET}%x@a`, /%25/],
    ['a user without a password', 'esdb://admin@a', /user:password@/],
    [
      'a user without TLS, whom the library would drop',
      `esdb://admin:${SECRET}@a?tls=false`,
      /tls=false: a password is never sent without TLS/,
    ],
    ['tlsVerifyCert, which has no effect', 'esdb://a?tlsVerifyCert=false', /tlsVerifyCert, which has no effect: .*tlsCAFile/],
    ['a deadline, which has none either', 'esdb://a?default_deadline=1', /has no effect/],
    ['an option that nobody knows', `esdb://a?password=${SECRET}`, /one of the keys tls, tlsCAFile/],
    ['an option without a value', 'esdb://a?tls', /key=value/],
    ['tls neither true nor false', 'esdb://a?tls=no', /tls to true or false/],
    ['a file that is not there', 'esdb://a?tlsCAFile=/no/such/file', /tlsCAFile that does not exist: \/no\/such\/file/],
    ['half a certificate', `esdb://a?userCertFile=${__filename}`, /both of userCertFile and userKeyFile/],
    ['another node than the leader', 'esdb://a?nodePreference=follower', /nodePreference must be leader/],
    ['a number that is none', 'esdb://a?gossipTimeout=soon', /gossipTimeout to a whole number from 1 to 60/],
  ])('is refused for %s, without a word of the secret', (_, url, sentence) => {
    const message = refusal(url);
    expect(message).toMatch(sentence);
    expect(message).toMatch(/^[a-z].*\.$/s);
    expect(message).not.toContain(SECRET);
    expect(() => checkedEventStoreUrl(url.startsWith('esdb') ? url : `esdb:${url}`)).toThrow(BadEventStoreUrl);
  });

  it('opens without a server, and is shown without its secret', async () => {
    const url = `esdb://admin:${SECRET}%40@nobody.invalid:2113?connectionName=x`;
    const store = await openEventStore(url, { mustExist: true, maxAppendBytes: 500_000 });
    expect(store.maxAppendBytes).toBe(500_000);
    await store.close();
    expect(shownEventStoreUrl(url)).toBe('esdb://nobody.invalid:2113');
    expect(shownEventStoreUrl('sqlite:/data/events.db')).toBe('sqlite:/data/events.db');
  });
});

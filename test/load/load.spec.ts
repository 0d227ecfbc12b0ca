import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generate, post } from './generator';
import { parseOptions } from './options';
import { checkAnswers, httpScenarios, summarise } from './scenarios';

describe('the load generator', () => {
  let server: Server;
  let url: string;
  let served: { path: string; key: string; body: string }[];

  beforeEach(async () => {
    served = [];
    server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        served.push({ path: request.url!, key: String(request.headers['idempotency-key']), body });
        const answer = request.url!.includes('refused') ? '{"code":"LIMIT_EXCEEDED"}' : 'ü'.repeat(20_000);
        response.writeHead(request.url!.includes('refused') ? 422 : 201, { 'content-length': Buffer.byteLength(answer) });
        // In pieces, so that an answer arrives in more than one chunk.
        response.write(answer.slice(0, 10));
        setImmediate(() => response.end(answer.slice(10)));
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => new Promise((done) => server.close(done)));

  it('counts exactly what the server served, each with its own key, and times each answer', async () => {
    const run = await generate(url, 4, 0.2, (n) => post('localhost', 't', `/v1/users/u${n % 3}/usages`, `k${n}`, '{"tokens":1}'));
    expect(run.requests).toBeGreaterThanOrEqual(4);
    expect(served).toHaveLength(run.requests);
    expect(new Set(served.map(({ key }) => key)).size).toBe(run.requests);
    expect(served[0]).toEqual({ path: '/v1/users/u0/usages', key: 'k0', body: '{"tokens":1}' });
    expect(run.milliseconds).toHaveLength(run.requests);
    expect(Math.min(...run.milliseconds)).toBeGreaterThan(0);
    expect(run.statuses).toEqual(new Map([[201, run.requests]]));
    expect(() => checkAnswers('usages', run)).not.toThrow();
  });

  it('names answers that are not 201', async () => {
    const run = await generate(url, 1, 0.05, () => post('localhost', 't', '/refused', 'k', '{}'));
    expect(() => checkAnswers('usages', run)).toThrow(`usages: ${run.requests} answers 422 instead of 201.`);
  });

  it('fails when the server goes away', async () => {
    setTimeout(() => server.closeAllConnections(), 50);
    await expect(generate(url, 2, 5, () => post('localhost', 't', '/x', 'k', '{}'))).rejects.toThrow(
      /closed a connection|ECONNRESET|EPIPE/,
    );
  });
});

describe('the scenarios', () => {
  let server: Server;
  afterEach(() => new Promise((done) => server.close(done)));

  it('visit every wallet before one a second time, and never use a key twice', async () => {
    const paths: string[] = [];
    const keys = new Set<string>();
    server = createServer((request, response) => {
      paths.push(request.url!);
      keys.add(String(request.headers['idempotency-key']));
      request.resume().on('end', () => response.writeHead(201, { 'content-length': 0 }).end());
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const members = Array.from({ length: 20 }, (_, n) => `m${n}`);
    const scenarios = httpScenarios({ echo: url, service: url, token: 't', connections: 1, members, hot: 'hot' });
    const spread = scenarios.find(({ name }) => name === 'spread')!;
    const hot = scenarios.find(({ name }) => name === 'hot')!;
    // However slow the machine is: the next run goes on with the next wallet.
    while (paths.length < members.length) await spread.run(0.02);
    expect(new Set(paths.slice(0, members.length)).size).toBe(members.length);
    const answered = paths.length;
    await hot.run(0.05);
    expect(new Set(paths.slice(answered))).toEqual(new Set(['/v1/users/hot/usages']));
    expect(keys.size).toBe(paths.length);
  });
});

describe('a batch', () => {
  let server: Server;
  afterEach(() => new Promise((done) => server.close(done)));

  it('charges as many usages as it counts, each under its own key', async () => {
    const bodies: string[] = [];
    server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        bodies.push(body);
        response.writeHead(200, { 'content-length': 0 }).end();
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const targets = { echo: url, service: url, token: 't', connections: 1, members: ['ann', 'ben'], hot: 'hot' };
    const batch = httpScenarios(targets).find(({ name }) => name === 'batch')!;
    const run = await batch.run(0.01);
    expect(() => checkAnswers(batch.what, run, batch.status)).not.toThrow();
    const lines = bodies.flatMap((body) => (JSON.parse(body) as { usages: { key: string; tokens: number }[] }).usages);
    expect(lines).toHaveLength(run.requests * batch.charges);
    expect(new Set(lines.map(({ key }) => key)).size).toBe(lines.length);
    expect(summarise(batch, [run]).perSecond).toBeCloseTo(run.perSecond * batch.charges);
    expect(lines.every(({ tokens }) => tokens === 1)).toBe(true);
  });
});

describe('the options', () => {
  it('have defaults and are read', () => {
    expect(parseOptions([])).toEqual({ seconds: 2, rounds: 5, wallets: 10_000, connections: 64, json: false });
    expect(parseOptions(['--seconds', '1', '--rounds', '3', '--json'])).toMatchObject({ seconds: 1, rounds: 3, json: true });
  });
  it.each([[['--seconds', '0']], [['--rounds', '1.5']], [['--wallets', '100001']], [['--second', '1']]])('%j are refused', (args) => {
    expect(() => parseOptions(args)).toThrow('Usage');
  });
});

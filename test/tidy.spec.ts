import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Keeps the style that a linter does not know. */

const root = join(__dirname, '..');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((path) => path !== '');
const source = (path: string): string => readFileSync(join(root, path), 'utf8');
const isTest = (path: string): boolean => /spec\.ts$|\/testing\/|contract\.ts$/.test(path);
const code = files.filter((path) => !isTest(path));

const offenders = (paths: readonly string[], pattern: RegExp): string[] =>
  paths.flatMap((path) =>
    source(path)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );

const importOf = (names: string): RegExp => new RegExp(`(from|require\\(|import\\() ?['"](${names})`);

describe('the house', () => {
  const wallet = code.filter((path) => path.startsWith('libs/wallet/'));
  const apps = code.filter((path) => path.startsWith('apps/'));
  const libs = code.filter((path) => path.startsWith('libs/'));

  it('sees the code at all', () => {
    expect(wallet.length).toBeGreaterThan(10);
    expect(apps.length).toBeGreaterThan(10);
  });

  it('keeps libs/wallet pure: no Nest, no Node, no client, no other library of ours', () => {
    expect(offenders(wallet, importOf('@nestjs|node:|fs|crypto|@eventstore|kafkajs|better-sqlite3|@ledger'))).toEqual([]);
  });

  it('takes SQLite from libs/sqlite, which knows the version that runs here', () => {
    const others = files.filter((path) => !path.startsWith('libs/sqlite/'));
    expect(offenders(others, importOf('better-sqlite3'))).toEqual([]);
  });

  it('keeps npm from compiling what comes compiled, and says nothing of registries', () => {
    // As it is committed, for npm install leaves out a field that it does not know.
    const lock = execFileSync('git', ['show', 'HEAD:package-lock.json'], { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
    const { packages } = JSON.parse(lock) as { packages: Record<string, { gypfile?: boolean; resolved?: string }> };
    expect(packages['node_modules/better-sqlite3']).toMatchObject({ gypfile: false });
    expect(Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });

  it('gives libs/wallet no clock and no chance', () => {
    expect(offenders(wallet, /new Date\(\)|Date\.now\(|performance\.now|Math\.random|randomUUID|Temporal\.Now|process\./)).toEqual([]);
  });

  it('sends no domain event over the event bus of Nest, which loses what a handler throws', () => {
    expect(offenders(apps, /\b(EventBus|AggregateRoot|EventPublisher|@Saga)\b/)).toEqual([]);
  });

  it('ends no thread from outside: SQLite may be telling it of an error, and then the whole process ends', () => {
    expect(offenders(code, /\.terminate\(\)/).filter((line) => !line.startsWith('test/'))).toEqual([]);
  });

  it('lets no library know an app', () => {
    expect(offenders(libs, /from ['"][./]*apps\//)).toEqual([]);
  });

  it('names things by what they are', () => {
    expect(offenders(code, /\b(class|interface|type) \w*(Impl|Manager|Helper|Base|Dto|DomainEvent|Interface|Utils)\b/)).toEqual([]);
    expect(files.filter((path) => /(^|\/)(utils?|helpers?)(\/|\.ts$)/.test(path))).toEqual([]);
  });

  it('has one barrel per library and none in apps', () => {
    expect(apps.filter((path) => path.endsWith('/index.ts'))).toEqual([]);
    const libraries = new Set(libs.map((path) => path.split('/')[1]));
    expect(libs.filter((path) => /^libs\/[^/]+\/src\/index\.ts$/.test(path)).length).toBe(libraries.size);
  });

  it('keeps every file of code within 250 lines', () => {
    expect(code.filter((path) => source(path).split('\n').length > 251)).toEqual([]);
  });

  it('has no floats near tokens: amounts are never parsed as decimals', () => {
    expect(offenders(code, /parseFloat|\.toFixed\(/).filter((line) => !/percentile|table|report|bench/.test(line))).toEqual([]);
  });
});

import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { JVM, KafkaNode } from './node';
import { freePorts } from './ports';
import { NODES_MAX, nodeProperties } from './properties';

/**
 * Apache Kafka as its jars from Maven Central, in a folder that is filled once: `libs`, one formatted data folder a node
 * (`template/1..3`, copied by every start, which saves two seconds) and an archive of loaded classes (`kafka.jsa`, which halves
 * the start).
 */

const VERSION = '4.4.0';
const LOG_BINDING = '2.25.5';
/** Any 22 characters will do; all nodes of a cluster must share them. */
const CLUSTER_ID = 'o7LE9UZNTm2BKVrUHBK36w';
const LOCK_POLL_MS = 200;
const FILL_MAX_MS = 10 * 60_000;

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
 <groupId>local</groupId><artifactId>kafka-for-tests</artifactId><version>1</version><packaging>pom</packaging>
 <dependencies>
  <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${VERSION}</version></dependency>
  <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>${LOG_BINDING}</version></dependency>
 </dependencies></project>
`;

const run = promisify(execFile);

const cacheFolder = (): string => resolve(process.env.KAFKA_CACHE ?? join(homedir(), '.cache', 'token-ledger', `kafka-${VERSION}`));

/** Why no broker can run here, in one sentence; undefined when one can. */
export function missingForKafka(): string | undefined {
  if (!answers('java', '-version')) return 'Java 17 or later is missing: install it (for instance openjdk-17-jre-headless).';
  if (existsSync(cacheFolder()) || answers('mvn', '--version')) return undefined;
  return `Maven is missing, which fetches Apache Kafka into ${cacheFolder()}: install it, or name a filled folder by KAFKA_CACHE.`;
}

function answers(command: string, option: string): boolean {
  try {
    execFileSync(command, [option], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The filled folder; the first call on a machine takes about half a minute. @throws with Maven's words when it cannot be filled */
export async function kafkaDistribution(): Promise<string> {
  const folder = cacheFolder();
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const lock = `${folder}.lock`;
  await locked(lock);
  try {
    if (!existsSync(folder)) await fill(folder);
  } finally {
    rmSync(lock, { force: true });
  }
  return folder;
}

/** One process fills the folder, the others wait; the lock of one that was killed is taken over. */
async function locked(lock: string): Promise<void> {
  for (const end = Date.now() + FILL_MAX_MS; Date.now() < end; await pause(LOCK_POLL_MS)) {
    try {
      return writeFileSync(lock, String(process.pid), { flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (!isAlive(lock)) rmSync(lock, { force: true });
  }
  throw new Error(`${lock} has been held for ${FILL_MAX_MS / 60_000} minutes; remove it when nothing fills the folder.`);
}

function isAlive(lock: string): boolean {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    // Written, but not yet its number: somebody has just made it.
    return pid === 0 || process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Built beside its place and moved there when it is whole. */
async function fill(folder: string): Promise<void> {
  const building = `${folder}.building`;
  rmSync(building, { recursive: true, force: true });
  mkdirSync(building);
  writeFileSync(join(building, 'pom.xml'), POM);
  const copy = ['-q', '-B', 'dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=libs'];
  await run('mvn', copy, { cwd: building, timeout: FILL_MAX_MS });
  for (let id = 1; id <= NODES_MAX; id++) await format(building, id);
  await archiveClasses(building);
  renameSync(building, folder);
}

async function format(home: string, id: number): Promise<void> {
  const properties = join(home, `format-${id}.properties`);
  const dataDir = join(home, 'template', String(id));
  writeFileSync(properties, nodeProperties({ id, nodes: id === 1 ? 1 : NODES_MAX, ports: { broker: 9092, controller: 9093 }, dataDir }));
  const mode = id === 1 ? '--standalone' : '-N';
  await run('java', [...JVM, 'kafka.tools.StorageTool', 'format', mode, '-t', CLUSTER_ID, '-c', properties], { cwd: home });
  rmSync(properties);
}

/** Java writes the archive when the broker ends; only one that really came up may write it. */
async function archiveClasses(home: string): Promise<void> {
  const folder = join(home, 'first-start');
  const [broker, controller] = (await freePorts(2)) as [number, number];
  cpSync(join(home, 'template', '1'), join(folder, 'data'), { recursive: true });
  const properties = nodeProperties({ id: 1, nodes: 1, ports: { broker, controller }, dataDir: join(folder, 'data') });
  const node = new KafkaNode({ id: 1, home, folder, properties, options: ['-XX:ArchiveClassesAtExit=kafka.jsa', '-Xlog:cds=off'] });
  node.start();
  await node.answers(`127.0.0.1:${broker}`);
  await node.stop();
  rmSync(folder, { recursive: true, force: true });
}

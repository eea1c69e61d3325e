import { createHash, randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { RescindError } from '../../contracts/index.js';
import { createKafka } from '../kafka/index.js';
import { type Log, createLog } from '../log/index.js';
import { endProcess, findProcess } from '../process/index.js';
import { claimDirectory } from './directory-owner.js';
import { rememberPort } from './ports.js';
import { serviceEnvironment, startService, type ServiceProcess } from './service-process.js';
import { superviseService, type Supervision } from './supervised-service.js';

const execute = promisify(execFile);
const run = (
  command: string,
  args: readonly string[],
  timeout: number,
  signal?: AbortSignal,
  env = serviceEnvironment(),
): Promise<{ stdout: string; stderr: string }> =>
  execute(command, args, { timeout, env, ...(signal ? { signal } : {}) });
/** Variables that Maven reads: its own settings, and the proxies on the way to its repository. */
const OF_MAVEN = /^(?:MAVEN_|M2_|(?:https?|no)_proxy$)/i;
const HOST = '127.0.0.1';
const OLDEST_JAVA = 17;
const POM = fileURLToPath(new URL('../../../docker/kafka/pom.xml', import.meta.url));
/** Enough for 44 MB over a slow line. */
const RESOLVE_TIMEOUT_MS = 600_000;
const TOOL_TIMEOUT_MS = 60_000;
const START_TIMEOUT_MS = 60_000;
const RETRY_FOR_MS = 20_000;
const POLL_INTERVAL_MS = 50;
const STOP_TIMEOUT_MS = 20_000;
/** Options of a small JVM that starts quickly. A local broker carries a demo and tests only. */
const JVM = [
  '-Xms128m',
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
];

const WHAT_TO_INSTALL =
  'The local Kafka needs Java 17 or newer and Maven (Debian: apt-get install openjdk-17-jre-headless maven; macOS: brew install ' +
  'openjdk maven). Or start one with docker compose -f docker/compose.yml up -d kafka and set KAFKA_BROKERS=127.0.0.1:9092; or set ' +
  'KAFKA_BROKERS=none for HTTP intake alone.';

export interface LocalKafkaOptions {
  readonly directory: string;
  readonly log: Log;
  /** Directory of the jars. Default: below `directory`. */
  readonly libraries?: string;
  /** Restarts the broker at the same address if it ends by itself. If unset, the broker stays down; specs that break it need that. */
  readonly supervision?: Supervision;
  /** Aborts a start that is under way: the start rejects soon and leaves nothing behind. */
  readonly signal?: AbortSignal;
}

export interface LocalKafka {
  readonly brokers: string[];
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Starts an Apache Kafka broker in KRaft mode on loopback, with its data below `directory`. On return the broker answers. Maven resolves
 * the jars on the first start into `libraries` (default: below `directory`). If a killed process left a broker of the same directory
 * behind, that broker is stopped first. If a living process owns the broker, the broker is left alone and the start refused.
 *
 * Throws RescindError `kafka-unavailable`. If Java or Maven is missing, the message says what to install.
 */
export async function startLocalKafka(options: LocalKafkaOptions): Promise<LocalKafka> {
  const java = await findJava();
  const directory = resolve(options.directory);
  const pom = await readFile(POM, 'utf8');
  const lib = join(
    resolve(options.libraries ?? directory),
    `lib-${createHash('sha256').update(pom).digest('hex').slice(0, 12)}`,
  );
  if (!(await exists(lib))) await resolveLibraries(lib, options);
  await mkdir(directory, { recursive: true });
  const claim = await claimDirectory(directory);
  if ('ownedBy' in claim)
    throw unavailable(`process ${claim.ownedBy} uses the local Kafka in ${directory}; stop it, or set RESCIND_HOME`);
  try {
    await stopOrphan(directory, options.log);
    const place = { directory, classPath: join(lib, '*'), java, log: options.log };
    const { process: first, ports } = await startBroker(place, { signal: options.signal });
    const restart = async (signal: AbortSignal): Promise<ServiceProcess> =>
      (await startBroker(place, { signal, ports })).process;
    const running = options.supervision
      ? superviseService({
          name: 'Kafka',
          code: 'kafka-unavailable',
          first,
          restart,
          log: options.log,
          ...options.supervision,
        })
      : first;
    return {
      brokers: [`${HOST}:${ports.broker}`],
      get pid() {
        return running.pid;
      },
      async stop() {
        await running.stop();
        await rm(pidFile(directory), { force: true });
        await claim.release();
      },
    };
  } catch (error) {
    await claim.release();
    throw error instanceof RescindError ? error : unavailable('the local Kafka could not be prepared', error);
  }
}

async function findJava(): Promise<string> {
  const home = process.env['JAVA_HOME'];
  const java = home === undefined || home === '' ? 'java' : join(home, 'bin', 'java');
  try {
    const { stderr, stdout } = await run(java, ['-version'], TOOL_TIMEOUT_MS);
    const version = /version "(?:1\.)?(\d+)/.exec(stderr + stdout)?.[1];
    if (Number(version) >= OLDEST_JAVA) return java;
    throw unavailable(`Java ${version ?? 'of an unknown version'} is too old. ${WHAT_TO_INSTALL}`);
  } catch (error) {
    throw error instanceof RescindError ? error : unavailable(`There is no Java. ${WHAT_TO_INSTALL}`, error);
  }
}

/**
 * Downloads into a directory of another name and renames it when it is complete. An interrupted download is never taken for a whole one.
 */
async function resolveLibraries(lib: string, { log, signal }: LocalKafkaOptions): Promise<void> {
  log.info('resolving Apache Kafka with Maven, once');
  const draft = `${lib}.${randomBytes(4).toString('hex')}`;
  const args = [
    '-q',
    '-B',
    '-f',
    POM,
    'dependency:copy-dependencies',
    '-DincludeScope=runtime',
    `-DoutputDirectory=${draft}`,
  ];
  try {
    const ofMaven = Object.entries(process.env).filter(([name]) => OF_MAVEN.test(name));
    await run('mvn', args, RESOLVE_TIMEOUT_MS, signal, { ...serviceEnvironment(), ...Object.fromEntries(ofMaven) });
    await rename(draft, lib).catch(async (error: unknown) => {
      if (!(await exists(lib))) throw error; // Another process was quicker.
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw unavailable(`There is no Maven. ${WHAT_TO_INSTALL}`, error);
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw unavailable(`Maven could not resolve Apache Kafka: ${lastOf(`${stdout ?? ''}\n${stderr ?? ''}`)}`, error);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

const pidFile = (directory: string): string => join(directory, 'broker.json');

/** Stops a broker of this directory that outlived its parent. No living Rescind uses it, because this process claimed the directory. */
async function stopOrphan(directory: string, log: Log): Promise<void> {
  const text = await readFile(pidFile(directory), 'utf8').catch(() => '{}');
  const running = await findProcess((JSON.parse(text) as { pid?: number }).pid ?? 0);
  if (running === undefined || !running.command.includes('kafka.Kafka') || !running.command.includes(directory)) return;
  log.warn({ pid: running.pid }, 'stopping the local Kafka of a killed process');
  const gone = await endProcess(running, [
    { signal: 'SIGTERM', waitMs: STOP_TIMEOUT_MS },
    { signal: 'SIGKILL', waitMs: 5_000 },
  ]);
  if (!gone) throw unavailable(`the Kafka broker with pid ${running.pid} in ${directory} does not stop`);
}

interface Place {
  readonly directory: string;
  readonly classPath: string;
  readonly java: string;
  readonly log: Log;
}

const LEFT_BY_PREDECESSOR = /Address already in use|Failed to acquire lock on file/;

interface Ports {
  readonly broker: number;
  readonly controller: number;
}

interface StartOptions {
  readonly signal: AbortSignal | undefined;
  /** Ports that clients know. If unset: the remembered ports, or free ones. */
  readonly ports?: Ports;
}

async function startBroker(
  place: Place,
  { signal, ports: known }: StartOptions,
): Promise<{ process: ServiceProcess; ports: Ports }> {
  const deadline = performance.now() + RETRY_FOR_MS;
  for (;;) {
    const ports = known ?? {
      broker: await rememberPort(join(place.directory, 'port'), HOST),
      controller: await rememberPort(join(place.directory, 'controller-port'), HOST),
    };
    const properties = join(place.directory, 'server.properties');
    await writeFile(properties, brokerProperties(join(place.directory, 'data'), ports));
    await formatOnce(place, properties, signal);
    const server = await startService({
      name: 'kafka',
      command: place.java,
      args: [...JVM, '-cp', place.classPath, 'kafka.Kafka', properties],
      stopSignal: 'SIGTERM',
      stopTimeoutMs: STOP_TIMEOUT_MS,
      log: place.log,
    });
    try {
      await writeFile(pidFile(place.directory), JSON.stringify({ pid: server.pid }));
      await untilItAnswers(server, `${HOST}:${ports.broker}`, signal);
      return { process: server, ports };
    } catch (error) {
      // A broker that is still starting ignores SIGTERM for a while, and has no data to lose.
      if (signal?.aborted === true) server.kill();
      await server.stop();
      const retry =
        LEFT_BY_PREDECESSOR.test(server.lastLines()) && performance.now() < deadline && signal?.aborted !== true;
      if (!retry) throw unavailable(`the local Kafka did not start: ${lastOf(server.lastLines())}`, error);
    }
  }
}

function brokerProperties(data: string, { broker: port, controller: controllerPort }: Ports): string {
  return `${Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.bootstrap.servers': `${HOST}:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://${HOST}:${port},CONTROLLER://${HOST}:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://${HOST}:${port},CONTROLLER://${HOST}:${controllerPort}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': data,
    'auto.create.topics.enable': false,
    'default.replication.factor': 1,
    'min.insync.replicas': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 4,
    'group.initial.rebalance.delay.ms': 0,
    // How long a killed broker counts as registered. Until then its successor cannot register.
    'broker.session.timeout.ms': 2_000,
    'broker.heartbeat.interval.ms': 500,
  })
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`;
}

async function formatOnce(
  { directory, classPath, java }: Place,
  properties: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (await exists(join(directory, 'formatted'))) return;
  // An interrupted format may have written half of its files.
  await rm(join(directory, 'data'), { recursive: true, force: true });
  const clusterId = randomBytes(16).toString('base64url');
  const args = ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', classPath, 'kafka.tools.StorageTool', 'format'];
  try {
    // One argument, because an id may begin with a hyphen.
    await run(
      java,
      [...args, '--standalone', `--cluster-id=${clusterId}`, '--config', properties],
      TOOL_TIMEOUT_MS,
      signal,
    );
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw unavailable(
      `the local Kafka's storage could not be formatted: ${lastOf(`${stdout ?? ''}\n${stderr ?? ''}`)}`,
      error,
    );
  }
  await writeFile(join(directory, 'formatted'), clusterId);
}

async function untilItAnswers(server: ServiceProcess, broker: string, signal: AbortSignal | undefined): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  const silent = createLog({ level: 'silent' });
  const kafka = createKafka({ brokers: [broker], clientId: 'rescind-ready', log: silent, retry: { retries: 0 } });
  for (;;) {
    const ended = server.ended();
    if (ended !== undefined) throw new Error(`Kafka ended with ${ended}`);
    signal?.throwIfAborted();
    try {
      if (await kafka.isUp()) return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await delay(POLL_INTERVAL_MS);
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function lastOf(output: string): string {
  return output.trim().split('\n').slice(-8).join('\n');
}

function unavailable(detail: string, cause?: unknown): RescindError {
  return new RescindError('kafka-unavailable', { detail, cause });
}

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KAFKA_LIBRARIES } from '../../support/services.js';

const run = promisify(execFile);
const JVM = [
  '-Xmx256m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
];

/** The jars of the broker that the run has started. */
export function brokerClassPath(): string {
  const library = readdirSync(KAFKA_LIBRARIES).find((name) => /^lib-[0-9a-f]{12}$/.test(name));
  if (library === undefined) throw new Error('the run has resolved no Kafka');
  return join(KAFKA_LIBRARIES, library, '*');
}

/** Apache Kafka's own command line, which the broker does without: of the version that `docker/kafka/pom.xml` names. */
async function toolsJar(): Promise<string> {
  const version = /<artifactId>kafka_2\.13<\/artifactId>\s*<version>([\d.]+)</.exec(
    readFileSync('docker/kafka/pom.xml', 'utf8'),
  )?.[1];
  const jar = join(KAFKA_LIBRARIES, `kafka-tools-${version}.jar`);
  if (!existsSync(jar)) {
    const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy';
    await run('mvn', [
      '-q',
      '-B',
      copy,
      `-Dartifact=org.apache.kafka:kafka-tools:${version}`,
      `-DoutputDirectory=${KAFKA_LIBRARIES}`,
    ]);
  }
  return jar;
}

export const javaTool = async (main: string, args: readonly string[]): Promise<string> =>
  (await run('java', [...JVM, '-cp', brokerClassPath(), main, ...args])).stdout;

export interface JavaRecord {
  readonly key: string;
  /** null: a tombstone. */
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Writes with Apache Kafka's console producer, the way its users do. */
export async function produceWithJava(options: {
  brokers: readonly string[];
  topic: string;
  codec: string;
  records: readonly JavaRecord[];
}): Promise<void> {
  const reader = { 'parse.key': 'true', 'parse.headers': 'true', 'null.marker': 'NULL' };
  const args = [
    '--bootstrap-server',
    options.brokers.join(','),
    '--topic',
    options.topic,
    '--compression-codec',
    options.codec,
  ];
  // Batches of many records.
  args.push('--batch-size', '65536', '--timeout', '200');
  for (const [name, value] of Object.entries(reader)) args.push('--reader-property', `${name}=${value}`);
  const classPath = `${await toolsJar()}:${brokerClassPath()}`;
  const producer = spawn('java', [...JVM, '-cp', classPath, 'org.apache.kafka.tools.ConsoleProducer', ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const errors: string[] = [];
  producer.stderr.on('data', (chunk: Buffer) => errors.push(String(chunk)));
  const lines = options.records.map(({ key, value, headers }) => `${line(headers)}\t${key}\t${value ?? 'NULL'}\n`);
  producer.stdin.end(lines.join(''));
  const [code] = (await once(producer, 'close')) as [number | null];
  if (code !== 0 || errors.join('').includes('ERROR'))
    throw new Error(`the Java producer ended with ${code}: ${errors.join('')}`);
}

const line = (headers: Readonly<Record<string, string>>): string =>
  Object.entries(headers)
    .map(([name, value]) => `${name}:${value}`)
    .join(',');

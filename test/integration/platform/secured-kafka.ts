import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { brokerClassPath, javaTool } from './java-kafka.js';

export const USERNAME = 'rescind';

export interface SecuredKafka {
  /** SASL over TLS. */
  readonly saslBroker: string;
  /** TLS alone; the client shows a certificate. */
  readonly mutualTlsBroker: string;
  /** SASL in plaintext. */
  readonly plaintextBroker: string;
  readonly caFile: string;
  readonly otherCaFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly password: string;
  remove(): Promise<void>;
}

/** Apache Kafka as an organisation would set it up: an authority of its own, no anonymous clients. */
export async function startSecuredKafka(password: string): Promise<SecuredKafka> {
  const directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
  const path = (name: string): string => join(directory, name);
  makeAuthority(directory, 'ca');
  makeAuthority(directory, 'other-ca');
  makeCertificate(directory, 'broker');
  makeCertificate(directory, 'client');
  // Kafka wants a PEM store's key and chain in one file.
  await writeFile(
    path('broker.pem'),
    `${await readFile(path('broker.key'), 'utf8')}${await readFile(path('broker.crt'), 'utf8')}`,
  );
  const [controller, sasl, mutual, plaintext] = await freePorts(4);
  await writeFile(
    path('server.properties'),
    properties({
      directory,
      password,
      ports: { controller: controller!, sasl: sasl!, mutual: mutual!, plaintext: plaintext! },
    }),
  );
  const credentials = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${USERNAME},password=${password}]`,
  ]);
  await javaTool('kafka.tools.StorageTool', [
    'format',
    '--standalone',
    '--cluster-id',
    'AAAAAAAAAAAAAAAAAAAAAA',
    '--config',
    path('server.properties'),
    ...credentials,
  ]);
  const broker = spawn(
    'java',
    [
      '-Xmx384m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=info',
      '-cp',
      brokerClassPath(),
      'kafka.Kafka',
      path('server.properties'),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const kill = (): void => void broker.kill('SIGKILL');
  process.once('exit', kill);
  await untilStarted(broker);
  return {
    saslBroker: `localhost:${sasl}`,
    mutualTlsBroker: `localhost:${mutual}`,
    plaintextBroker: `127.0.0.1:${plaintext}`,
    caFile: path('ca.crt'),
    otherCaFile: path('other-ca.crt'),
    certFile: path('client.crt'),
    keyFile: path('client.key'),
    password,
    async remove() {
      process.off('exit', kill);
      const ended = once(broker, 'exit');
      kill();
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function properties(at: {
  directory: string;
  password: string;
  ports: Record<'controller' | 'sasl' | 'mutual' | 'plaintext', number>;
}): string {
  const { directory, password, ports } = at;
  const listeners = `SASL_SSL://localhost:${ports.sasl},SSL://localhost:${ports.mutual},SASL_PLAINTEXT://127.0.0.1:${ports.plaintext}`;
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${USERNAME}="${password}";`;
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  const entries: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.bootstrap.servers': `127.0.0.1:${ports.controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `${listeners},CONTROLLER://127.0.0.1:${ports.controller}`,
    'advertised.listeners': `${listeners},CONTROLLER://127.0.0.1:${ports.controller}`,
    'listener.security.protocol.map': 'SASL_SSL:SASL_SSL,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'SSL',
    'log.dirs': join(directory, 'data'),
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': join(directory, 'broker.pem'),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': join(directory, 'ca.crt'),
    'listener.name.ssl.ssl.client.auth': 'required',
  };
  for (const listener of ['sasl_ssl', 'sasl_plaintext']) {
    entries[`listener.name.${listener}.plain.sasl.jaas.config`] = plain;
    entries[`listener.name.${listener}.scram-sha-256.sasl.jaas.config`] = scram;
    entries[`listener.name.${listener}.scram-sha-512.sasl.jaas.config`] = scram;
  }
  return `${Object.entries(entries)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`;
}

const openssl = (directory: string, args: string): void =>
  void execFileSync('openssl', args.split(' '), { cwd: directory, stdio: 'ignore' });

function makeAuthority(directory: string, name: string): void {
  openssl(
    directory,
    `req -x509 -newkey rsa:2048 -nodes -keyout ${name}.key -out ${name}.crt -days 2 -subj /CN=${name}`,
  );
}

function makeCertificate(directory: string, name: string): void {
  openssl(
    directory,
    `req -newkey rsa:2048 -nodes -keyout ${name}.key -out ${name}.csr -subj /CN=${name} -addext subjectAltName=DNS:localhost`,
  );
  openssl(
    directory,
    `x509 -req -in ${name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -copy_extensions copy -out ${name}.crt`,
  );
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => once(server.listen(0, '127.0.0.1'), 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function untilStarted(broker: ChildProcess): Promise<void> {
  const lines: string[] = [];
  await new Promise<void>((resolve, reject) => {
    for (const stream of [broker.stdout!, broker.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        if (line.includes('Kafka Server started')) resolve();
      });
    }
    broker.once('exit', (code) => reject(new Error(`Kafka ended with ${code}: ${lines.slice(-8).join('\n')}`)));
  });
}

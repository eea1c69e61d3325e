import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EVENT_TOPIC_PREFIX } from '../../../src/contracts/index.js';
import { createRescindAdmin, RescindRefused } from '../../../src/sandbox/index.js';
import { ownKafka, ownPostgres } from '../../support/services.js';
import { openLink } from './link.js';
import { createNode, freePort, type Node } from './node.js';
import { IDPS_OF_ALL, RASS_OF_ALL, clientsOf } from './universe.js';

export const NODES = 3;
const MAX_ATTEMPTS = 10;

/** Credentials of the callers. */
export interface Credentials {
  readonly admin: string;
  readonly emitter: string;
  readonly introspector: string;
  /** Waits for the facts of tokens not yet seen. */
  readonly waitingIntrospector: string;
  readonly guard: string;
  /** Keys of the callers that may revoke tokens issued to the clients of a RAS, by the name of the RAS. */
  readonly clients: ReadonlyMap<string, string>;
}

/** PostgreSQL, Kafka and the nodes, registered and running. */
export interface Deployment {
  readonly nodes: readonly Node[];
  /** A node that is not started with the others: it joins and leaves as a fault. */
  readonly guest: Node;
  readonly postgres: { kill(): void; start(): Promise<void> };
  readonly kafka: { kill(): void; start(): Promise<void> };
  readonly brokers: readonly string[];
  readonly credentials: Credentials;
  /** Topic of each source. */
  topicOf(source: string): string;
  stop(): Promise<void>;
}

export interface DeploymentOptions {
  readonly product: string;
  readonly leaseSeconds: number;
  /** Directory for homes and logs. */
  readonly directory: string;
}

export async function deploy({ product, leaseSeconds, directory }: DeploymentOptions): Promise<Deployment> {
  const [postgres, kafka] = await Promise.all([ownPostgres(), ownKafka()]);
  const home = join(directory, 'home');
  await mkdir(home, { recursive: true });
  const cleanups: (() => Promise<unknown>)[] = [() => postgres.remove(), () => kafka.remove()];
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  };
  try {
    await Promise.all([postgres.start(), kafka.start()]);
    const [url, brokers] = [postgres.url, kafka.brokers];
    const nodes: Node[] = [];
    for (const [at, name] of [...Array.from({ length: NODES }, (_, place) => `node-${place}`), 'guest'].entries()) {
      const link = await openLink(() => Number(new URL(url).port));
      const throughLink = new URL(url);
      throughLink.port = String(link.port);
      const port = await freePort();
      const environment = {
        PATH: process.env['PATH'],
        NODE_OPTIONS: process.env['FAULT_NODE_OPTIONS'] ?? '',
        RESCIND_HOME: home,
        PORT: String(port),
        DATABASE_URL: throughLink.href,
        KAFKA_BROKERS: brokers.join(','),
        // Two ingest, so that either can be missed.
        ROLES: at < 2 ? 'all' : 'serve,feed',
        LEASE_SECONDS: String(leaseSeconds),
        // A number that is asked for moves while orders wait: then it could not be told which of two attempts was taken.
        CONFIRM_SHARE: '100',
        LOG_LEVEL: process.env['FAULT_LOG_LEVEL'] ?? 'warn',
      };
      const node = createNode({ name, product, port, link, directory, environment });
      nodes.push(node);
      cleanups.push(async () => {
        await node.kill();
        await link.close();
      });
    }
    const guest = nodes.pop()!;
    await nodes[0]!.start();
    await Promise.all(nodes.slice(1).map((node) => node.start()));
    const admin = (await readFile(join(home, 'admin-key'), 'utf8')).trim();
    const { credentials, topics } = await register(`http://127.0.0.1:${nodes[0]!.port}`, admin);
    return {
      nodes,
      guest,
      postgres,
      kafka,
      brokers,
      credentials,
      topicOf: (source) => topics.get(source)!,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface SourceInput {
  readonly name: string;
  readonly uri: string;
  readonly types: readonly string[];
  readonly issuers: readonly string[];
  readonly resources: readonly string[];
  readonly profile: { readonly skew: number };
}

async function register(
  url: string,
  adminKey: string,
): Promise<{ credentials: Credentials; topics: ReadonlyMap<string, string> }> {
  const admin = createRescindAdmin(url, adminKey);
  const topics = new Map<string, string>();
  const source = async (body: SourceInput): Promise<void> => {
    topics.set(body.name, `${EVENT_TOPIC_PREFIX}${body.name}`);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await admin.post('/v1/sources', body);
        return;
      } catch (error) {
        if (!(error instanceof RescindRefused)) throw error;
        // A Kafka that has just started may be slow to make topics; the repetition finds what the first one did.
        if (attempt > 1 && error.code === 'already-exists') return;
        if (error.status !== 503 || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  };
  for (const { name, uri, iss, skew } of IDPS_OF_ALL) {
    await source({
      name,
      uri,
      types: ['id-jag.issued', 'session.ended'],
      issuers: [iss],
      resources: [],
      profile: { skew },
    });
  }
  for (const { name, uri, iss, skew, resources } of RASS_OF_ALL) {
    await source({ name, uri, types: ['token.issued', 'token.revoked'], issuers: [iss], resources, profile: { skew } });
  }
  const caller = async (id: string, roles: object): Promise<string> =>
    (await admin.post<{ secret: string }>('/v1/callers', { id, roles })).secret;
  const reach = {
    resources: RASS_OF_ALL.flatMap(({ resources }) => resources),
    issuers: RASS_OF_ALL.map(({ iss }) => iss),
  };
  const clients = new Map<string, string>();
  for (const ras of RASS_OF_ALL)
    clients.set(ras.name, await caller(`clients-of-${ras.name}`, { 'revoke-own': { clients: clientsOf(ras) } }));
  return {
    topics,
    credentials: {
      admin: adminKey,
      emitter: await caller('emitter', { emit: { sources: [...topics.keys()] } }),
      introspector: await caller('introspector', { introspect: reach }),
      waitingIntrospector: await caller('waiting-introspector', { introspect: { ...reach, wait: true } }),
      guard: await caller('guard', { guard: reach }),
      clients,
    },
  };
}

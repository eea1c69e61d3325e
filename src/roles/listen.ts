import { AppModule } from '../app.module.js';
import {
  CLOUDEVENTS_BATCH_MEDIA_TYPE,
  CLOUDEVENTS_MEDIA_TYPE,
  JSON_MEDIA_TYPE,
  MAX_POST_BYTES,
  NDJSON_MEDIA_TYPE,
  SECURITY_EVENT_MEDIA_TYPE,
  SIGNED_BATCH_MEDIA_TYPE,
} from '../contracts/index.js';
import { createOwnTeller, makeTopic, type Appender } from '../ingest/index.js';
import { createHttpApp, createManagement, listenHttp, listenManagement } from '../platform/http/index.js';
import { createKafka } from '../platform/kafka/index.js';
import { describeApi } from '../query/index.js';
import {
  createAdmission,
  createCallerNetworks,
  createIdentify,
  createKeyUses,
  createRegistry,
  NETWORKS_A_DAY,
  type KeyUses,
} from '../registry/index.js';
import { CSV_MEDIA_TYPE } from '../settings/index.js';
import type { Ingest } from './ingest.js';
import { refuseWhen } from './not-ready.js';
import { VERSION, type Parts } from './parts.js';
import type { startServing } from './serve.js';

/** The data of an event in binary mode (CloudEvents JSON format, section 3.1). */
const OTHER_JSON = /^[^/;]+\/(?:json|[^/;]+\+json)(?:\s*;|$)/i;

/** A little beyond the largest batch, so that the intake itself can say which limit was passed. */
const BODIES = {
  mediaTypes: [
    CLOUDEVENTS_MEDIA_TYPE,
    CLOUDEVENTS_BATCH_MEDIA_TYPE,
    NDJSON_MEDIA_TYPE,
    JSON_MEDIA_TYPE,
    SECURITY_EVENT_MEDIA_TYPE,
    SIGNED_BATCH_MEDIA_TYPE,
    CSV_MEDIA_TYPE,
    OTHER_JSON,
  ],
  limitBytes: MAX_POST_BYTES + 64 * 1024,
};

/** Starts the registry, which every process has. It makes the topics of new sources where there is a Kafka. */
export function startRegistry({
  config,
  servers,
  log,
  controlLog,
  follower,
}: Parts): ReturnType<typeof createRegistry> {
  const kafka = servers && createKafka({ ...servers, clientId: 'rescind-registry', log });
  return createRegistry({
    controlLog,
    follower,
    jwksAllowedHosts: config.jwksAllowedHosts,
    ...(kafka ? { createTopic: (topic) => makeTopic(kafka, topic) } : {}),
  });
}

/** Starts to record from which networks keys are used, which every process does that serves `/v1`. */
export function startKeyUses({ log, lifecycle, pool, follower }: Parts, appender: Appender): KeyUses {
  const keyUses = createKeyUses({
    stored: createCallerNetworks({ pool, networksADay: NETWORKS_A_DAY }),
    tell: createOwnTeller({ name: 'key.used', state: follower.state, appender, pool }),
    tenants: () => follower.state.tenants(),
    log,
  });
  lifecycle.onStop('uses of keys', () => keyUses.stop());
  keyUses.start();
  return keyUses;
}

export interface Served {
  readonly keyUses: KeyUses;
  readonly registry: ReturnType<typeof createRegistry>;
  readonly ingest: Ingest | undefined;
  readonly serving: ReturnType<typeof startServing> | undefined;
}

/** Listens for the roles of this process, and for its management. Resolves to the URL that it listens on. */
export async function listenFor(parts: Parts, { registry, keyUses, ingest, serving }: Served): Promise<string> {
  const { config, log, metrics, tracing, health, lifecycle, pool, leaving, follower, authenticate } = parts;
  await health.watch('database', async () => void (await pool.query('SELECT 1')));
  const notServing = (): 'control-log-behind' | 'no-lease' =>
    follower.isReplaced() ? 'control-log-behind' : 'no-lease';
  if (serving) health.register('serving', () => refuseWhen(follower.notCurrentReason(), notServing()), ['serve']);
  const identify = createIdentify(authenticate, serving?.web.sessions);
  const management = createManagement({ health, metrics });
  const app = await createHttpApp({
    module: AppModule.with({
      platform: { config, log, metrics, health, lifecycle },
      registry: { registry, identify },
      ingest: ingest?.parts,
      serving,
    }),
    listen: config.listen,
    hot: new Map(
      [...management, ...(serving?.hot ?? [])].filter(
        ([path]) => path !== '/metrics' || config.management === undefined,
      ),
    ),
    gate: createAdmission({ identify, keyUses, leaving, metrics, questionsAtOnce: config.questionsAtOnce }),
    bodies: BODIES,
    log,
    metrics,
    tracing,
  });
  lifecycle.onStop('http', () => app.close());
  if (ingest) lifecycle.onStop('waits for checkpoints', async () => ingest.parts.publication.stop());
  // Guards go on under their grants, and hear of what is ordered, until the last one has ended; a server waits for its streams.
  if (serving?.feeds) lifecycle.onStop('feeds', serving.feeds.stop);
  if (serving) lifecycle.onStop('streams', serving.watch.stop);
  if (serving) describeApi(app, { version: VERSION });
  const address = await listenHttp(app, config.listen);
  serving?.web.listensOn(address);
  if (config.management) {
    const managed = await listenManagement(config.management, management);
    lifecycle.onStop('management listener', managed.close);
    log.info({ url: managed.url }, 'listening for /health and /metrics');
  }
  return address;
}

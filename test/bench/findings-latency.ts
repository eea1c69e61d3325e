import { setTimeout as delay } from 'node:timers/promises';
import type { CloudEvent } from '../../src/contracts/index.js';
import { buildEvent, toKafkaMessage } from '../../src/emit/index.js';
import type { FindingItem } from '../../src/findings/index.js';
import { startRescind, type RunningRescind } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import { createRescindAdmin } from '../../src/sandbox/index.js';
import { IDP } from './events.js';
import { produce, rateOf } from './ingest-kafka.js';
import { quantile, type Row } from './report.js';
import { nextIndex, type World } from './world.js';

/** Events that are ingested meanwhile. */
const EVENTS = Number(process.env['BENCH_LATENCY_EVENTS'] ?? 150_000);
/** Pauses between two planted incidents: evenly between none and twice as much. */
const MEAN_PAUSE_MS = 100;
const POLL_MS = 50;
/** A finding that takes longer is not found. */
const PATIENCE_MS = 60_000;

const RAS = 'https://login.planted.example';
const API = 'https://api.planted.example';
const SOURCE = 'planted';
const RECORDS = 9_000;

/**
 * From the moment at which an event is handed to Kafka until its finding is written, for each of many exports at random moments, while events of others come in at the
 * rate that the service reaches. `from`: number of the first of these.
 */
export async function findingsLatency(world: World, env: Readonly<Record<string, string>>, from: number): Promise<Row> {
  const serve = (): Promise<RunningRescind> => startRescind(readConfig(env), { log: world.log });
  const registering = await serve();
  await createRescindAdmin(registering.url, registering.adminKey!).post('/v1/sources', {
    name: SOURCE,
    uri: RAS,
    types: ['token.issued', 'access.allowed'],
    issuers: [RAS, IDP],
    resources: [API],
  });
  await registering.stop();
  await produce(world, from, EVENTS);
  const before = await nextIndex(world.pool);
  const service = await serve();
  const rate = rateOf(world, before, EVENTS);
  while ((await nextIndex(world.pool)) === before) await delay(POLL_MS);
  const planted = await plant(world, rate);
  const found = await waitForFindings(service, planted);
  await service.stop();
  const seconds = [...planted].map(([user, at]) => (found.get(user)! - at) / 1_000);
  return {
    name: 'findings.latency',
    value: quantile(seconds, 0.95),
    unit: 's',
    p50: quantile(seconds, 0.5),
    p99: quantile(seconds, 0.99),
    note: `95 of 100 exports, from the event's way into Kafka to \`found_at\`; ${planted.size} at random moments while ${EVENTS} events came in at ${Math.round(await rate).toLocaleString('en')} events/s`,
  };
}

/** Sends exports, each of a user of its own, until the others' events are stored. Returns the time at which each was sent. */
async function plant({ kafka }: World, rate: Promise<number>): Promise<ReadonlyMap<string, number>> {
  const producer = kafka.producer();
  await producer.connect();
  const sent = new Map<string, number>();
  const over = new AbortController();
  void rate.finally(() => over.abort());
  while (!over.signal.aborted) {
    const user = `planted-${sent.size}`;
    sent.set(user, Date.now());
    await producer.send({
      topic: `rescind.events.${SOURCE}`,
      messages: exported(user).map((event) => toKafkaMessage(event, { mode: 'binary' })),
    });
    await delay(Math.random() * 2 * MEAN_PAUSE_MS);
  }
  await producer.disconnect();
  return sent;
}

function exported(user: string): readonly CloudEvent[] {
  const iat = Math.floor(Date.now() / 1_000);
  const jti = `token-of-${user}`;
  return [
    buildEvent('token.issued', {
      source: RAS,
      data: {
        kind: 'access',
        iss: RAS,
        jti,
        client_id: 'exporter',
        aud: [API],
        scope: 'export',
        iat,
        exp: iat + 900,
        id_jag: { iss: IDP, jti: `jag-of-${user}`, sub: user },
      },
    }),
    buildEvent('access.allowed', {
      source: RAS,
      data: { token: { iss: RAS, jti }, operation: 'export', route: 'GET /export', status: 200, records: RECORDS },
    }),
  ];
}

/** Returns when each export was found, by its user. */
async function waitForFindings(
  { url, adminKey }: RunningRescind,
  planted: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, number>> {
  const admin = createRescindAdmin(url, adminKey!);
  const giveUpAt = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = new Map<string, number>();
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const page: { readonly items: readonly FindingItem[]; readonly next?: string } = await admin.get(
        `/v1/findings?kind=bulk-export&limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      for (const { user, found_at: at } of page.items) if (user !== null) found.set(user.sub, Date.parse(at));
      cursor = page.next;
    }
    const missing = [...planted.keys()].filter((user) => !found.has(user));
    if (missing.length === 0) return found;
    if (Date.now() > giveUpAt) throw new Error(`${missing.length} of ${planted.size} exports were not found`);
    await delay(POLL_MS);
  }
}

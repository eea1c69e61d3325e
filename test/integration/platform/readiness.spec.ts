import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startRescind, type RunningRescind } from '../../../src/main.js';
import { readConfig } from '../../../src/platform/config/index.js';
import { createRescindAdmin } from '../../../src/sandbox/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { metricsWith } from '../../support/metrics.js';
import { createTestDatabase, ownKafka, testLog, type TestDatabase } from '../../support/services.js';

/** kafkajs takes its time to find that a broker is gone. */
const BROKER_MS = 240_000;

let database: TestDatabase;
let kafka: Awaited<ReturnType<typeof ownKafka>>;
let home: string;
let service: RunningRescind;
const cleanups = cleanUp(afterAll, BROKER_MS);
beforeAll(async () => {
  database = await createTestDatabase();
  cleanups.push(() => database.drop());
  home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-home-`));
  cleanups.push(() => rm(home, { recursive: true, force: true }));
  kafka = await ownKafka();
  cleanups.push(() => kafka.remove());
  await kafka.start();
  service = await startRescind(
    readConfig({ RESCIND_HOME: home, PORT: '0', DATABASE_URL: database.url, KAFKA_BROKERS: kafka.brokers.join(',') }),
    { log: testLog() },
  );
  cleanups.push(() => service.stop());
  // Without a source there is nothing to read from Kafka.
  const source = {
    name: 'idp',
    uri: 'https://idp.example/events',
    types: ['id-jag.issued'],
    issuers: ['https://idp.example'],
    resources: [],
  };
  await createRescindAdmin(service.url, service.adminKey!).post('/v1/sources', source);
}, BROKER_MS);

interface Report {
  readonly ready: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly code?: string }[];
}

async function ready(path: string): Promise<Report> {
  const response = await fetch(service.url + path);
  const report = (await response.json()) as Report;
  expect(response.status).toBe(report.ready ? 200 : 503);
  return report;
}

async function untilReady(path: string, wanted: boolean): Promise<Report> {
  for (;;) {
    const report = await ready(path);
    if (report.ready === wanted) return report;
  }
}

it(
  'a node without its Kafka reports that it takes no events from there, and stays ready to serve',
  async () => {
    await untilReady('/health/ready', true);
    await untilReady('/health/ready/ingest', true);
    kafka.kill();
    const report = await untilReady('/health/ready/ingest', false);
    expect(report.checks).toContainEqual({
      name: 'kafka',
      ok: false,
      ms: expect.any(Number),
      code: 'kafka-unavailable',
    });
    expect(await ready('/health/ready')).toMatchObject({ role: 'serve', ready: true });
    expect(await ready('/health/ready/serve')).toMatchObject({ role: 'serve', ready: true });
    const serves = /^rescind_ready\{role="serve",check="serving"\} 1$/m;
    const metrics = await metricsWith(service.url, serves);
    expect(metrics).toMatch(serves);
    expect(metrics).not.toMatch(/^rescind_ready\{role="serve",check="kafka"\}/m);
  },
  BROKER_MS,
);

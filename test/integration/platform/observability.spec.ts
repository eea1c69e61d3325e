import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { REJECT_CODES } from '../../../src/contracts/index.js';
import { startRescind, type RunningRescind } from '../../../src/main.js';
import { readConfig } from '../../../src/platform/config/index.js';
import { createRescindAdmin } from '../../../src/sandbox/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { metricsWith } from '../../support/metrics.js';
import { createMigratedDatabase, testBrokers, testLog, uniqueName, type TestDatabase } from '../../support/services.js';

const NAME = /\b(?:rescind|process|nodejs)_[a-z0-9_]+/g;

/** Gauges that have a series for each topic or source, compared with a limit: they need no value from before. */
const BY_THING: ReadonlySet<string> = new Set([
  'rescind_ingest_kafka_lag',
  'rescind_sequence_findings',
  'rescind_topic_feed_lag_records',
]);

interface Series {
  readonly name: string;
  readonly labels: readonly string[];
}

/** The series that a query selects; what Prometheus itself adds (`job`) is left out. */
function seriesIn(query: string): readonly Series[] {
  return [...query.matchAll(/\b((?:rescind|process|nodejs)_[a-z0-9_]+)(?:\{([^}]*)\})?/g)].map(
    ([, name, labels = '']) => ({
      name: name!,
      labels: labels
        .split(',')
        .map((label) => label.trim())
        .filter((label) => label !== '' && !label.startsWith('job=')),
    }),
  );
}

function valuesOf(exposition: string, name: string, labels: readonly string[]): readonly number[] {
  const lines = exposition.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines
    .filter((line) => labels.every((label) => line.includes(label)))
    .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
}

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly description?: string;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly targets?: readonly { readonly expr: string }[];
}

describe('the dashboard and the alerts', () => {
  let database: TestDatabase;
  let home: string;
  let service: RunningRescind;
  /** Before anything was asked, ordered or refused. */
  let fresh: string;
  let exposed: string;
  const cleanups = cleanUp(afterAll);
  beforeAll(async () => {
    database = await createMigratedDatabase();
    cleanups.push(() => database.drop());
    home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-home-`));
    cleanups.push(() => rm(home, { recursive: true, force: true }));
    const env = {
      RESCIND_HOME: home,
      PORT: '0',
      DATABASE_URL: database.url,
      KAFKA_BROKERS: testBrokers().join(','),
      TOPIC_PREFIX: uniqueName('rescind'),
    };
    service = await startRescind(readConfig(env), { log: testLog() });
    cleanups.push(() => service.stop());
    fresh = await (await fetch(`${service.url}/metrics`)).text();
    await (await fetch(`${service.url}/v1/sources`)).text();
    const admin = createRescindAdmin(service.url, service.adminKey!);
    await admin.post('/v1/callers', { id: 'auditor', roles: { audit: {} } });
    // A change that narrows rights is answered once it is in force.
    await admin.post('/v1/callers/auditor/disable', {});
    exposed = await metricsWith(service.url, /rescind_in_force_seconds_count\{outcome="confirmed"\} 1/);
  });

  /** Names that a query may use: a histogram is queried by its parts. */
  function known(): ReadonlySet<string> {
    const types = [...exposed.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
    return new Set(
      types.flatMap(([, name, type]) =>
        type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name!],
      ),
    );
  }
  const unknownIn = (queries: readonly string[]): string[] =>
    queries.flatMap((query) => query.match(NAME) ?? []).filter((name) => !known().has(name));

  const panels = async (): Promise<readonly Panel[]> =>
    (JSON.parse(await readFile('docker/grafana/rescind.json', 'utf8')) as { panels: Panel[] }).panels;

  const alerts = async (): Promise<readonly string[]> =>
    (await readFile('docker/prometheus/alerts.yml', 'utf8')).split(/^ {6}- alert: /m).slice(1);

  const alertQueries = async (): Promise<readonly string[]> =>
    (await alerts()).map((alert) => /^\s+expr: (.+)$/m.exec(alert)![1]!);

  it('the dashboard uses metrics that exist', async () => {
    const queries = (await panels()).flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(queries.length).toBeGreaterThan(20);
    expect(unknownIn(queries)).toEqual([]);
    expect(queries.filter((query) => (query.match(NAME) ?? []).length === 0)).toEqual([]);
  });

  it('every panel describes itself, and none covers another', async () => {
    const shown = (await panels()).filter(({ type }) => type !== 'row');
    expect(shown.filter(({ title, description }) => title === '' || (description ?? '') === '')).toEqual([]);
    const cells = (await panels()).flatMap(({ gridPos: { h, w, x, y } }) =>
      Array.from({ length: h * w }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });

  it('the alerts use metrics that exist, and say what to do', async () => {
    const all = await alerts();
    expect(all.length).toBeGreaterThan(10);
    expect(unknownIn(await alertQueries())).toEqual([]);
    for (const alert of all) {
      expect(alert).toMatch(/labels: \{ severity: (page|ticket) \}/);
      expect(alert).toMatch(/^ {10}summary: \S/m);
      expect(alert).toMatch(/^ {10}description: \S.{20}/m);
    }
    expect(new Set(all.map((alert) => /^\w+/.exec(alert)![0])).size).toBe(all.length);
  });

  it('every series of an alert exists before the first failure, and counters start at zero', async () => {
    const missing = (await alertQueries())
      .flatMap(seriesIn)
      .filter(({ name, labels }) => !BY_THING.has(name) && valuesOf(fresh, name, labels).length === 0);
    expect(missing).toEqual([]);
    const counted = (await alertQueries()).flatMap((query) =>
      [...query.matchAll(/(?:increase|rate)\(([^[]+)\[/g)].flatMap(([, series]) => seriesIn(series!)),
    );
    expect(counted.length).toBeGreaterThan(4);
    // The start itself may have written a batch already.
    const ofTheStart = 'rescind_ingest_batch_seconds_bucket';
    expect(
      counted.filter(
        ({ name, labels }) => name !== ofTheStart && valuesOf(fresh, name, labels).some((value) => value !== 0),
      ),
    ).toEqual([]);
  });

  it.each([
    ['rescind_in_force_seconds_count', 'outcome', ['confirmed', 'not-confirmed', 'waited-out']],
    [
      'rescind_introspection_findings_total',
      'finding',
      ['conflict', 'lineage-broken', 'lineage-contradictory', 'mismatch'],
    ],
    ['rescind_ingest_rejected_total', 'code', Object.keys(REJECT_CODES).sort()],
    ['rescind_ingest_rejected_total', 'door', ['http', 'kafka']],
  ])('%s has each %s from the start', (name, label, values) => {
    const found = [...fresh.matchAll(new RegExp(`^${name}\\{(.*)\\} `, 'gm'))].map(
      ([, labels]) => new RegExp(`\\b${label}="([^"]*)"`).exec(labels!)![1]!,
    );
    expect([...new Set(found)].sort()).toEqual(values);
  });

  it.each([
    ['whether it may answer', /^rescind_current 1$/m],
    ['whether it is ready, and why not', /^rescind_ready\{role="serve",check="database"\} 1$/m],
    ['whether it takes events', /^rescind_ready\{role="ingest",check="kafka"\} 1$/m],
    ['how far it follows the control log', /^rescind_control_seq [1-9]\d*$/m],
    ['when that record was committed', /^rescind_control_seq_timestamp_seconds 1\.?\d+/m],
    ['how many rules it holds, by tenant', /^rescind_rules\{tenant="default"\} 0$/m],
    ['what is registered', /^rescind_registered\{kind="callers"\} 2$/m],
    ['how long it may answer', /^rescind_lease_remaining_seconds [1-3](\.\d+)?$/m],
    ['how many answer', /^rescind_nodes 1$/m],
    ["how far its clock is from the database's", /^rescind_node_clock_offset_seconds 0(\.\d+)?$/m],
    ['how long orders took to be in force', /^rescind_in_force_seconds_count\{outcome="confirmed"\} 1$/m],
    ['its connections by pool', /^rescind_database_connections\{pool="ingest",state="idle"\} \d+$/m],
    ['who waits for one', /^rescind_database_waiting\{pool="decisions"\} 0$/m],
    [
      'refused requests by route',
      /^rescind_http_request_seconds_count\{route="\/v1\/sources",method="GET",status="4xx"\} 1$/m,
    ],
    ['its release', /^rescind_build_info\{version="\d+\.\d+\.\d+"\} 1$/m],
    ['how long the event loop keeps it waiting', /^nodejs_eventloop_lag_p99_seconds /m],
  ])('says %s', (_what, line) => {
    expect(exposed).toMatch(line);
  });
});

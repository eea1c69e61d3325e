import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createFindingsFeed, findingsTopic } from '../../../src/feeds/index.js';
import { createFindings, tellNews } from '../../../src/findings/index.js';
import type { TopicRecord } from '../../../src/platform/kafka/index.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { inTransaction } from '../../../src/platform/postgres/index.js';
import { createAsk } from '../../../src/projections/index.js';
import { createReader } from '../../../src/query/index.js';
import { newsOf } from '../../../src/roles/findings/news.js';
import { hold } from '../../support/hold.js';
import { ocsfFaults } from '../../support/ocsf.js';
import { testLog } from '../../support/services.js';
import { createWorld, numbers, TENANT, tenantRecord, until, type World } from './topics-fixture.js';
import { spawnPublisher } from './publisher.js';

const TEST_TIMEOUT_MS = 120_000;
const OTHER_TENANT = '00000000-0000-4000-8000-000000000002';

let world: World;
beforeEach(async () => {
  world = await createWorld();
  await world.append(tenantRecord());
});
afterEach(() => world.end());

/** Writes a finding of a tenant, or closes it, as detections do. Returns its id. */
const change = (subject: string, { closed = false, tenant = TENANT } = {}): Promise<string> =>
  inTransaction(world.pool, async (client) => {
    const { rows } = await client.query<{ id: string }>(
      `INSERT INTO finding (tenant, id, kind, subject, severity, count, first_at, last_at, entries, details, found_ms, grown_ms, grown_ix, opened_ix, closed_ms)
       VALUES ($1, gen_random_uuid(), 'long-lived-token', $2, 1, 1, 1790000000, 1790000000, '{4,7}', '{}', $3, $3, 0, 0, $4)
       ON CONFLICT (tenant, kind, subject) DO UPDATE SET closed_ms = excluded.closed_ms RETURNING id`,
      [tenant, subject, Date.now(), closed ? Date.now() : null],
    );
    await tellNews(client, { tenant, findings: [rows[0]!.id], nowMs: Date.now() });
    return rows[0]!.id;
  });
async function changeAll(subjects: readonly string[]): Promise<void> {
  for (const subject of subjects) await change(subject);
}
const subjects = (count: number, from = 0): string[] => numbers(from + count, from + 1).map((nth) => `s-${nth}`);

async function told(tenant = 'acme'): Promise<TopicRecord[]> {
  const found: TopicRecord[] = [];
  const topic = findingsTopic(world.prefix, tenant);
  if ((await world.reader.end(topic)) === undefined) return found;
  for await (const records of world.reader.read(topic)) found.push(...records);
  return found;
}
const parsed = (records: readonly TopicRecord[]) =>
  records.map(({ value }) => JSON.parse(value!.toString()) as Record<string, any>);
const seqs = (records: readonly TopicRecord[]): number[] => parsed(records).map(({ seq }) => Number(seq));
const cursorOf = async (tenant = 'acme'): Promise<number> =>
  Number(
    (
      await world.pool.query<{ seq: string }>('SELECT seq FROM topic_cursor WHERE topic = $1', [
        findingsTopic(world.prefix, tenant),
      ])
    ).rows[0]?.seq ?? -1,
  );

async function startFeed(format: 'json' | 'ocsf' = 'json') {
  const { state } = await world.follow();
  const metrics = createMetrics();
  const findings = createFindings({
    ask: createAsk({ pool: world.pool, now: () => Math.floor(Date.now() / 1000) }),
    reader: createReader(() => state),
  });
  const feed = createFindingsFeed({
    kafka: world.kafka,
    pool: world.pool,
    findings: newsOf(findings, world.pool),
    tenants: () => state.tenants(),
    format,
    log: testLog(),
    metrics,
    prefix: world.prefix,
  });
  world.onEnd(() => feed.stop());
  feed.start();
  return metrics;
}

describe('the topic of findings', () => {
  it(
    'has a message for each change, in their order, by the id of the finding, and what comes later',
    async () => {
      const id = await change('a');
      const other = await change('b');
      await change('a', { closed: true });
      const metrics = await startFeed();
      await until('they are published', async () => (await cursorOf()) === 3);
      await change('a');
      await until('the rest is published', async () => (await cursorOf()) === 4);
      const records = await told();
      expect(records.map(({ key }) => key)).toEqual([id, other, id, id]);
      expect(parsed(records)).toMatchObject([
        { id: 'acme/findings/1', type: 'finding.opened', seq: '1', data: { id, kind: 'long-lived-token' } },
        { id: 'acme/findings/2', type: 'finding.opened', seq: '2', data: { id: other } },
        { id: 'acme/findings/3', type: 'finding.resolved', seq: '3', data: { id } },
        { id: 'acme/findings/4', type: 'finding.reopened', seq: '4', data: { id, state: 'open', entries: ['4', '7'] } },
      ]);
      const topic = findingsTopic(world.prefix, 'acme');
      expect(await metrics.text()).toContain(`rescind_findings_topic_lag_news{topic="${topic}"} 0`);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'has Detection Findings of OCSF where they are wanted',
    async () => {
      const id = await change('a');
      await startFeed('ocsf');
      await until('it is published', async () => (await cursorOf()) === 1);
      const [event] = parsed(await told());
      expect(ocsfFaults(event!)).toEqual([]);
      expect(event).toMatchObject({
        class_uid: 2004,
        activity_id: 1,
        metadata: { uid: 'acme/findings/1', tenant_uid: 'acme' },
        finding_info: { uid: id, related_events: [{ uid: 'acme/4' }, { uid: 'acme/7' }] },
      });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'has no finding of another tenant, which has a topic of its own',
    async () => {
      await world.append(tenantRecord(OTHER_TENANT, 'globex'));
      const ours = await change('ours');
      const theirs = await change('theirs', { tenant: OTHER_TENANT });
      await startFeed();
      await until('both are published', async () => (await cursorOf()) === 1 && (await cursorOf('globex')) === 1);
      expect((await told()).map(({ key }) => key)).toEqual([ours]);
      expect((await told('globex')).map(({ key }) => key)).toEqual([theirs]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'repeats the news of a process that was killed before it stored its position, skips none, and keeps their order',
    async () => {
      await changeAll(subjects(2));
      const first = await spawnPublisher(world, 'findings');
      await until('the cursor is stored', async () => (await cursorOf()) === 2);
      const letGo = await hold(world.pool, 'SELECT FROM topic_cursor FOR UPDATE');
      await changeAll(subjects(3, 2));
      await until('they are published', async () => seqs(await told()).at(-1) === 5);
      await first.kill();
      await letGo();
      expect(await cursorOf()).toBe(2);

      await spawnPublisher(world, 'findings');
      await changeAll(subjects(1, 5));
      await until('all are published', async () => (await cursorOf()) === 6);
      const seen = seqs(await told());
      expect(seen.slice(0, 5)).toEqual([1, 2, 3, 4, 5]);
      // The last ones again, by the same ids.
      expect(seen.slice(5).at(0)).toBe(3);
      expect([...new Set(parsed(await told()).map(({ id }) => id as string))]).toEqual(
        numbers(6).map((nth) => `acme/findings/${nth}`),
      );
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'goes on behind news that were deleted before anybody published them',
    async () => {
      await changeAll(subjects(3));
      await world.pool.query('DELETE FROM finding_news WHERE tenant = $1 AND seq < 3', [TENANT]);
      await startFeed();
      await until('the rest is published', async () => (await cursorOf()) === 3);
      expect(seqs(await told())).toEqual([3]);
      await change('later');
      await until('what follows too', async () => (await cursorOf()) === 4);
    },
    TEST_TIMEOUT_MS,
  );
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { tellNews } from '../../../src/findings/index.js';
import { createPool, inTransaction, type Pool } from '../../../src/platform/postgres/index.js';
import { RAS } from '../../conformance/parties.js';
import { until } from '../control/control-fixture.js';
import { createCli } from '../registry/cli-fixture.js';
import { HandGuard } from './feed-client.js';
import { GUARD, startFeedService, type FeedService } from './feed-service.js';
import { openWatch, type WatchEvent, type WatchStream } from './watch-client.js';

/** Short, so that a guard that hangs holds an order up for seconds. */
const LEASE_MS = 3_000;
const TEST_TIMEOUT_MS = 60_000;
const MAX_WATCHERS_A_CALLER = 20;

const user = (sub: string): object => ({ user: { iss: RAS, sub } });

let service: FeedService;
let pool: Pool;
let tenant: string;
let streams: WatchStream[] = [];
let guards: HandGuard[] = [];
beforeAll(async () => {
  service = await startFeedService({ LEASE_SECONDS: String(LEASE_MS / 1_000) });
  pool = createPool({ url: service.database.url, max: 2, applicationName: 'spec' });
  tenant = (await pool.query<{ subject: string }>("SELECT subject FROM control_log WHERE kind = 'tenant.changed'"))
    .rows[0]!.subject;
});
afterAll(async () => {
  await pool.end();
  await service.stop();
});
afterEach(async () => {
  for (const stream of streams) stream.close();
  for (const guard of guards) await guard.release();
  [streams, guards] = [[], []];
});

async function watch(url = service.url, lastEventId?: string, as = 'auditor'): Promise<WatchStream> {
  const stream = await openWatch(url, service.secret(as), lastEventId);
  streams.push(stream);
  if (stream.status === 200) await stream.next(({ event }) => event === 'start');
  return stream;
}

async function startGuard(sub: string): Promise<HandGuard> {
  const guard = await HandGuard.start(service.url, service.basic(GUARD), await service.issue({ sub }));
  guards.push(guard);
  return guard;
}

const isStep = (what: string, rule?: string) => (one: WatchEvent) =>
  one.event === 'rule' && one.data['what'] === what && (rule === undefined || one.data['rule'] === rule);
const isNews =
  (finding: string) =>
  ({ event, data }: WatchEvent) =>
    event === 'finding' && data['id'] === finding;
const stepsOf = (stream: WatchStream, rule: string): unknown[] =>
  stream.events.filter(({ data }) => data['rule'] === rule).map(({ data }) => data['what']);

/** Writes a finding about a source, or changes it, as detections do. */
const finding = (
  subject: string,
  { closed = false, source = null as string | null, what = undefined as 'state-changed' | undefined } = {},
) =>
  inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ id: string }>(
      `INSERT INTO finding (tenant, id, kind, subject, severity, count, first_at, last_at, source, entries, details, found_ms, grown_ms, grown_ix, opened_ix, closed_ms)
       VALUES ($1, gen_random_uuid(), $2, $3, 2, 1, $5::bigint / 1000, $5::bigint / 1000, $4, '{}', '{"how": "silent", "hours": 7}', $5, $5, 0, 0, $6)
       ON CONFLICT (tenant, kind, subject) DO UPDATE SET closed_ms = excluded.closed_ms RETURNING id`,
      [
        tenant,
        source === null ? 'refusals' : 'source-trouble',
        subject,
        source,
        Date.now(),
        closed ? Date.now() : null,
      ],
    );
    await tellNews(client, {
      tenant,
      findings: [rows[0]!.id],
      nowMs: Date.now(),
      ...(what === undefined ? {} : { what }),
    });
    return rows[0]!.id;
  });

describe('a rule on the stream', () => {
  it(
    'is told when it is ordered, as each node and guard confirms, and when it is in force, at every process',
    async () => {
      const other = await service.another();
      const [here, there] = [await watch(), await watch(other.url)];
      const guard = await startGuard('u-watched');
      const { id, seq, confirmed } = await service.order(user('u-watched'), { reason: 'a spec' });
      expect(confirmed).toMatchObject({ nodes: 2, guards: 1 });
      for (const stream of [here, there]) {
        await stream.next(isStep('in-force', id));
        await stream.next(isStep('guard-confirmed', id));
        const told = stream.events.filter(({ data }) => data['rule'] === id).map(({ data }) => data);
        expect(told[0]).toMatchObject({
          what: 'ordered',
          seq,
          effect: 'block',
          selector: user('u-watched'),
          reason: 'a spec',
          author: { caller: 'security' },
          nodes: 2,
        });
        const nodes = told.filter(({ what }) => what === 'confirmed');
        expect(new Set(nodes.map(({ node }) => node)).size).toBe(2);
        expect(nodes.reduce((sum, { guards: count }) => sum + Number(count), 0)).toBe(1);
        expect(told.filter(({ what }) => what === 'guard-confirmed')).toEqual([
          { what: 'guard-confirmed', rule: id, seq, caller: GUARD, guard: guard.id, ms: expect.any(Number) },
        ]);
        const inForce = told.filter(({ what }) => what === 'in-force');
        expect(inForce).toEqual([{ what: 'in-force', rule: id, seq, confirmed, ms: expect.any(Number) }]);
        expect(told.findIndex(({ what }) => what === 'in-force')).toBeGreaterThan(
          told.findLastIndex(({ what }) => what === 'confirmed'),
        );
      }
      await other.stop();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'is told again from its order on to a reader that left before it was in force, at another process',
    async () => {
      const guard = await startGuard('u-held');
      const stream = await watch();
      guard.hangs = true;
      const ordering = service.order(user('u-held'));
      const ordered = await stream.next(isStep('ordered'));
      const rule = ordered.data['rule'] as string;
      // The order cannot be in force while the guard's grant runs.
      expect(stepsOf(stream, rule)).not.toContain('in-force');
      const left = stream.lastId!;
      stream.close();
      expect(BigInt(left.split('.')[0]!)).toBeLessThan(BigInt(ordered.data['seq'] as string));

      const other = await service.another();
      const again = await watch(other.url, left);
      await again.next(isStep('ordered', rule));
      await again.next(isStep('in-force', rule));
      expect(await ordering).toMatchObject({ id: rule });
      expect(BigInt(again.lastId!.split('.')[0]!)).toBeGreaterThanOrEqual(BigInt(ordered.data['seq'] as string));
      await other.stop();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'is told to a reader that comes back, with its lift and what others did meanwhile, each once and in order',
    async () => {
      const stream = await watch();
      const first = await service.order(user('u-back-1'));
      await stream.next(isStep('in-force', first.id));
      const left = stream.lastId!;
      stream.close();
      const second = await service.order(user('u-back-2'));
      await service.call('POST', `/v1/revocations/${second.id}/lift`, 'security', { reason: 'over', resume: true });
      const third = await service.order(user('u-back-3'));
      const again = await watch(service.url, left);
      await again.next(isStep('in-force', third.id));
      const told = again.events.filter(({ event, data }) => event === 'rule' && data['what'] !== 'guard-confirmed');
      expect(told.map(({ data }) => [data['rule'], data['what']]).filter(([, what]) => what !== 'confirmed')).toEqual([
        [second.id, 'ordered'],
        [second.id, 'in-force'],
        [second.id, 'lifted'],
        [second.id, 'in-force'],
        [third.id, 'ordered'],
        [third.id, 'in-force'],
      ]);
    },
    TEST_TIMEOUT_MS,
  );
});

describe('findings and coverage on the stream', () => {
  it(
    'are told as they change, and a reader that comes back misses none',
    async () => {
      const stream = await watch();
      const id = await finding('a');
      const opened = await stream.next(isNews(id));
      expect(opened.data).toMatchObject({ what: 'opened', id, finding: { id, kind: 'refusals', state: 'open' } });
      const left = stream.lastId!;
      stream.close();
      await finding('a', { closed: true });
      await finding('a');
      await finding('a', { what: 'state-changed' });
      const again = await watch(service.url, left);
      await again.next(({ data }) => data['what'] === 'state-changed');
      const told = again.events.filter(isNews(id));
      expect(told.map(({ data }) => data['what'])).toEqual(['resolved', 'reopened', 'state-changed']);
      const seqs = [opened, ...told].map(({ data }) => Number(data['seq']));
      expect(seqs).toEqual(seqs.toSorted((one, next) => one - next));
      expect(again.events.map(({ event }) => event)).not.toContain('gap');
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'a source that is silent, and speaks again',
    async () => {
      const source = (await service.admin<{ id: string }>('GET', '/v1/sources/idp')).id;
      const stream = await watch();
      await finding(`silent ${source}`, { source });
      const trouble = await stream.next(({ event }) => event === 'coverage');
      expect(trouble.data).toMatchObject({ what: 'trouble', how: 'silent', source: { id: source, name: 'idp' } });
      await stream.next(({ event, data }) => event === 'finding' && data['what'] === 'opened');
      await finding(`silent ${source}`, { source, closed: true });
      expect(
        (await stream.next(({ event, data }) => event === 'coverage' && data['what'] === 'ended')).data,
      ).toMatchObject({
        source: { name: 'idp' },
      });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'a reader that stayed away for too long, or knows more than there is, is told of the gap',
    async () => {
      await finding('old');
      const last = (await pool.query<{ seq: string }>('SELECT max(seq) AS seq FROM finding_news')).rows[0]!.seq;
      await pool.query('DELETE FROM finding_news WHERE tenant = $1', [tenant]);
      const stale = await watch(service.url, '1.0');
      const gap = (await stale.next(({ event }) => event === 'gap')).data;
      expect(gap).toEqual({ of: 'findings', why: 'deleted', missed: expect.any(Number) });
      expect(gap['missed']).toBeGreaterThanOrEqual(Number(last));
      const ahead = await watch(service.url, `1.${BigInt(last) + 7n}`);
      expect((await ahead.next(({ event }) => event === 'gap')).data).toEqual({ of: 'findings', why: 'ahead' });
      const id = await finding('new');
      for (const stream of [stale, ahead])
        expect((await stream.next(isNews(id))).data).toMatchObject({ what: 'opened' });
    },
    TEST_TIMEOUT_MS,
  );
});

describe('rescind watch', () => {
  it(
    'shows what happens, and goes on behind an event',
    async () => {
      const says = (args: string) =>
        createCli('/nonexistent')(args, { url: service.url, key: service.secret('auditor') });
      // Waits for its first event, which it has to be told while it is there.
      const running = says('watch --only rule --count 1 --json');
      const isOver = running.then(() => true);
      let ordered = 0;
      while (!(await Promise.race([isOver, service.order(user(`u-cli-${ordered++}`)).then(() => false)])));
      const { code, out } = await running;
      expect(code).toBe(0);
      const event = JSON.parse(out) as WatchEvent;
      expect(event).toMatchObject({ event: 'rule', data: { what: 'ordered', reason: 'spec' } });
      const text = await says(`watch --only rule --count 2 --after ${event.id}`);
      expect(text.out).toMatch(
        /^\S+  RULE      rule \S+: block user u-cli-\d+ of .*, by security: spec\n.*(?:in force|confirmed).*\n$/,
      );
      expect(await says('watch --only nothing')).toMatchObject({ code: 2 });
      expect(await says('watch --after x')).toMatchObject({ code: 1, err: expect.stringContaining('invalid-request') });
    },
    TEST_TIMEOUT_MS,
  );
});

describe('who may read the stream', () => {
  it('needs the role audit, an id of the stream, and no parameters', async () => {
    expect(JSON.parse((await refused('security')).text)).toMatchObject({ status: 403, code: 'forbidden' });
    expect(JSON.parse((await refused('auditor', 'x')).text)).toMatchObject({ status: 400, code: 'invalid-request' });
    const other = await fetch(`${service.url}/v1/stream?as_of=1`, {
      headers: { authorization: `Bearer ${service.secret('auditor')}` },
    });
    expect([other.status, ((await other.json()) as { code: string }).code]).toEqual([400, 'invalid-request']);
    expect((await fetch(`${service.url}/v1/stream`)).status).toBe(401);
  });

  async function refused(as: string, lastEventId?: string): Promise<WatchStream> {
    const stream = await watch(service.url, lastEventId, as);
    await stream.ended;
    return stream;
  }

  it(
    'ends with the key that opened it, and says so',
    async () => {
      await service.register('auditor-2', { audit: {} });
      const stream = await watch(service.url, undefined, 'auditor-2');
      await service.admin('POST', '/v1/callers/auditor-2/disable');
      await stream.ended;
      expect(stream.events.at(-1)).toMatchObject({ event: 'end', data: { reason: 'no-right' } });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'has a bounded number for each caller; a place is free again when a stream ends',
    async () => {
      for (let nth = 0; nth < MAX_WATCHERS_A_CALLER; nth++) expect((await watch()).status).toBe(200);
      const refusedOne = await refused('auditor');
      expect(JSON.parse(refusedOne.text)).toMatchObject({ status: 429, code: 'too-many-requests' });
      streams[0]!.close();
      await until('there is room', async () => (await watch()).status === 200);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'tells nothing of another tenant',
    async () => {
      const { admin } = await service.admin<{ admin: { secret: string } }>('POST', '/v1/tenants', { name: 'globex' });
      const made = await fetch(`${service.url}/v1/callers`, {
        method: 'POST',
        headers: { authorization: `Bearer ${admin.secret}`, 'content-type': 'application/json' },
        body: JSON.stringify({ id: 'globex-auditor', roles: { audit: {} } }),
      });
      const [secret] = /rsk_[A-Za-z0-9_-]+/.exec(await made.text())!;
      const theirs = await openWatch(service.url, secret, '0.0');
      streams.push(theirs);
      const stream = await watch();
      const { id } = await service.order(user('u-secret'));
      const found = await finding('secret');
      await stream.next(isStep('in-force', id));
      await stream.next(isNews(found));
      // Heartbeats come behind whatever was written before them.
      const before = theirs.comments;
      await until('a heartbeat came', async () => theirs.comments > before);
      // The other tenant has findings of its own, such as its administrator.
      expect(theirs.events.map(({ event }) => event)).not.toContain('rule');
      for (const ours of [id, found, 'u-secret', tenant]) expect(JSON.stringify(theirs.events)).not.toContain(ours);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'ends when the process stops, and says so',
    async () => {
      const other = await service.another();
      const stream = await watch(other.url);
      await other.stop();
      await stream.ended;
      expect(stream.events.at(-1)).toMatchObject({ event: 'end', data: { reason: 'stopping' } });
    },
    TEST_TIMEOUT_MS,
  );
});

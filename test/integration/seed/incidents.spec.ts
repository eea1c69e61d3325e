import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createOrganisation, describeIncidents } from '../../../src/seed/index.js';
import { createTestDatabase, testLog, type TestDatabase } from '../../support/services.js';
import { startSeededApi, type SeededApi } from '../../support/seeded-api.js';

const END = Date.UTC(2026, 10, 20, 18) / 1000;
const EVENTS = 25_000;
const DAYS = 12;
const DAY_S = 86_400;
const MINUTES = 600_000;

let database: TestDatabase;
let sut: SeededApi;

beforeAll(async () => {
  database = await createTestDatabase();
  sut = await startSeededApi({ databaseUrl: database.url, log: testLog(), events: EVENTS, days: DAYS, end: END });
}, MINUTES);

afterAll(async () => {
  await sut?.stop();
  await database?.drop();
});

// The names are the same wherever they are seeded; the answers stand in src/seed/incidents, a file each.
const incidents = describeIncidents(createOrganisation({ seed: 'rescind', domain: 'corp.example' }), END);

describe.each(incidents)('$name', ({ answers }) => {
  it.each(answers)('$question', async ({ path, after, answer, oneItem }) => {
    const id = after === undefined ? '' : memberOf((await sut.get(after.path)).body, after.members);
    const { status, body } = await sut.get(path.replace('{id}', id));
    if (answer !== undefined) expect(body).toMatchObject(answer);
    if (oneItem !== undefined) expect(body.items).toContainEqual(expect.objectContaining(nested(oneItem)));
    expect(status).toBe(200);
  });
});

const memberOf = (body: any, members: readonly (string | number)[]): string =>
  members.reduce((value, member) => value[member], body);

const nested = (members: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(members).map(([name, value]) => [
      name,
      typeof value === 'object' && !Array.isArray(value) ? expect.objectContaining(value as object) : value,
    ]),
  );

describe('the seeded organisation', () => {
  it('has ten incidents, each found by a question', () => {
    expect(incidents.length).toBe(10);
    expect(incidents.every(({ answers }) => answers.some(({ answer, oneItem }) => answer ?? oneItem))).toBe(true);
  });

  it('has as many events as were asked for, all of them accepted', async () => {
    expect(sut.seeded.sent).toBe(EVENTS);
    const { rows } = await database.pool.query<{ n: string }>('SELECT count(*) AS n FROM quarantine');
    expect(rows[0]!.n).toBe('0');
    expect(sut.seeded.duplicates).toBeGreaterThan(0);
  });

  it('has entries that arrived when they happened: from the first day to the last, in order, and never after the end', async () => {
    const { rows } = await database.pool.query<{ first: string; last: string; days: string; back: string }>(
      `SELECT min(arrival) AS first, max(arrival) AS last, count(DISTINCT arrival / 86400000) AS days,
              count(*) FILTER (WHERE arrival < before) AS back
       FROM (SELECT arrival, lag(arrival) OVER (PARTITION BY tenant ORDER BY ix) AS before FROM entry) e`,
    );
    const [{ first, last, days, back }] = rows as [(typeof rows)[0]];
    expect(Number(first)).toBeGreaterThanOrEqual((END - DAYS * DAY_S) * 1000);
    expect(Number(last)).toBeLessThanOrEqual(END * 1000);
    expect(Number(days)).toBe(DAYS + 1);
    expect(back).toBe('0');
  });

  it('leaves no changed clock, and no caller that may emit', async () => {
    const { rows } = await database.pool.query<{ clock: string | null; near: boolean }>(
      `SELECT to_regnamespace('seed')::text AS clock, abs(extract(epoch FROM clock_timestamp()) - extract(epoch FROM now())) < 60 AS near`,
    );
    expect(rows[0]).toEqual({ clock: null, near: true });
    const callers = await database.pool.query<{ disabled: boolean }>(
      `SELECT (body->>'disabled')::boolean AS disabled FROM control_log WHERE kind = 'caller.changed' AND body->>'id' = 'seed' ORDER BY seq DESC LIMIT 1`,
    );
    expect(callers.rows).toEqual([{ disabled: true }]);
  });

  it('has the hard cases of questions: late, unattributed, denied, summarised, refreshed and handed-on uses', async () => {
    const { rows } = await database.pool.query<Record<string, string>>(
      `SELECT (SELECT count(*) FROM access WHERE bound_ix IS NULL) AS unattributed,
              (SELECT count(*) FROM access WHERE bound_ix > ix) AS bound_later,
              (SELECT count(*) FROM access WHERE until_at > at) AS summaries,
              (SELECT count(*) FROM access a JOIN entry e USING (tenant, ix) WHERE e.arrival / 1000 - a.at > 3600) AS late,
              (SELECT count(*) FROM token WHERE facts->>'kind' = 'refresh') AS refresh,
              (SELECT count(*) FROM entry WHERE type LIKE '%revocation.ordered%') AS rules,
              (SELECT count(*) FROM connection_version) AS connections`,
    );
    for (const [what, count] of Object.entries(rows[0]!)) expect([what, Number(count) > 0]).toEqual([what, true]);
  });
});

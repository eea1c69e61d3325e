import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from '../../../src/cli/run.js';
import { RANGE_ENTRIES } from '../../../src/log/index.js';
import { seedOrganisation } from '../../../src/seed/index.js';
import { createTestDatabase, testLog, type TestDatabase } from '../../support/services.js';

const END = Date.UTC(2026, 10, 20, 18) / 1000;
const MINUTES = 300_000;
const databases: TestDatabase[] = [];
let home: string;

beforeAll(async () => {
  databases.push(await createTestDatabase(), await createTestDatabase());
  home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-home-`));
});

afterAll(async () => {
  for (const database of databases) await database.drop();
  await rm(home, { recursive: true, force: true });
});

/** Entries with position, arrival and the sources' bytes. Rescind's own entries contain random values, so their bytes are left out. */
const LEDGER = `SELECT e.ix, e.type, e.arrival, CASE WHEN p.mode = 'own' THEN NULL ELSE encode(sha256(p.bytes), 'hex') END AS bytes
  FROM entry e JOIN payload p USING (tenant, ix) WHERE e.tenant = (SELECT tenant FROM control_log WHERE kind = 'tenant.changed' AND body->>'name' = $1 LIMIT 1) ORDER BY e.ix`;

async function rescind(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const code = await run(args, {
    env: { RESCIND_HOME: home, DATABASE_URL: databases[0]!.url },
    out,
    err,
    stdin: new PassThrough(),
  });
  return { code, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

describe('rescind seed', () => {
  const options = ['seed', '--events', '3000', '--days', '9', '--end', '2026-11-20T18:00:00Z'];

  it(
    'fills an empty ledger, and says what it made and where to look',
    async () => {
      const { code, out, err } = await rescind(...options);
      expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(/100 %.*\nLooking for findings …\n$/) });
      expect(out).toMatch(/3,000 events .* entries in the ledger of the tenant default/);
      expect(out).toContain(
        '5,000 users, 60 clients of which 25 are agents, 40 resource applications; 2026-11-11 18:00 to 2026-11-20 18:00 UTC',
      );
      expect(out.match(/^ {4}GET \/v1\//gm)?.length).toBe(10);
      expect(out).toMatch(/\nThe detections found \d+: \d+ high, \d+ medium.*\. The worst 5:\n\nHIGH /);
      expect(out.match(/^ {2}more: rescind findings show /gm)?.length).toBe(5);
      expect(out).toMatch(/\nAll of them, beside `rescind serve`: rescind findings\n$/);
    },
    MINUTES,
  );

  it('attaches the ranges of the ledger to their tables, and leaves nothing of its clock', async () => {
    const { rows } = await databases[0]!.pool.query(
      `SELECT i.inhparent::regclass::text AS of, count(*) * $1::bigint = (SELECT up_to FROM ledger_partitions) AS whole, array_agg(DISTINCT c.relnamespace::regnamespace::text) AS schemas
       FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent IN ('entry'::regclass, 'payload'::regclass) GROUP BY 1 ORDER BY 1`,
      [String(RANGE_ENTRIES)],
    );
    expect(rows).toEqual(['entry', 'payload'].map((of) => ({ of, whole: true, schemas: ['public'] })));
    expect((await databases[0]!.pool.query(`SELECT FROM pg_namespace WHERE nspname = 'seed'`)).rows).toEqual([]);
  });

  it(
    'writes the same entries in another database, each at its index and its time',
    async () => {
      await seedOrganisation({
        databaseUrl: databases[1]!.url,
        home: join(home, 'other'),
        log: testLog(),
        events: 3_000,
        days: 9,
        end: END,
      });
      const [first, second] = await Promise.all(databases.map(({ pool }) => pool.query(LEDGER, ['default'])));
      expect(first!.rows.length).toBeGreaterThan(2_900);
      expect(second!.rows).toEqual(first!.rows);
    },
    MINUTES,
  );

  it(
    'refuses a ledger that is not empty, and does not change it',
    async () => {
      const before = await databases[0]!.pool.query(LEDGER, ['default']);
      const { code, err } = await rescind(...options);
      expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('not empty') });
      expect((await databases[0]!.pool.query(LEDGER, ['default'])).rows).toEqual(before.rows);
    },
    MINUTES,
  );

  it(
    'fills a new tenant beside it, with a key of its own',
    async () => {
      // The planner knows all of the first tenant and nothing of the new one.
      await databases[0]!.pool.query('ANALYZE');
      const before = await databases[0]!.pool.query(LEDGER, ['default']);
      const { code, out, err } = await rescind(...options, '--tenant', 'acme', '--json');
      expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(/Looking for findings …\n$/) });
      expect(JSON.parse(out)).toMatchObject({ tenant: 'acme', sent: 3_000 });
      expect(out).not.toContain('rsk_');
      const path = join(home, 'acme-admin-key');
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(await readFile(path, 'utf8')).toMatch(/^rsk_/);
      expect((await databases[0]!.pool.query(LEDGER, ['default'])).rows).toEqual(before.rows);
      expect((await databases[0]!.pool.query(LEDGER, ['acme'])).rows.length).toBeGreaterThan(2_900);
    },
    MINUTES,
  );

  it.each([
    [['--events', '0'], /a whole number above 0/],
    [['--events', '3000', '--days', '8'], /at least 9/],
    [['--events', '3000', '--end', 'tomorrow'], /--end must be an RFC 3339 time/],
    [[], /required option '--events <n>'/],
  ])('refuses %j', async (args, message) => {
    const { code, err } = await rescind('seed', ...args);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(message) });
  });
});

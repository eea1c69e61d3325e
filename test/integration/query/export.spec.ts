import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ocsfFaults } from '../../support/ocsf.js';
import { until } from '../control/control-fixture.js';
import { ACME, secretOf, startQueryApi } from './history.js';
import { STORY } from './story.js';

const ENTRIES = STORY.flat().filter(({ source }) => source !== 'globex').length;

let api: Awaited<ReturnType<typeof startQueryApi>>;
beforeAll(async () => {
  api = await startQueryApi(STORY);
});
afterAll(() => api.stop());

interface Line {
  readonly class_uid: number;
  readonly metadata: { readonly sequence: number; readonly event_code: string; readonly tenant_uid: string };
  readonly actor?: { readonly user?: { readonly uid: string } };
}

async function exported(query = '') {
  const response = await fetch(`${api.url}/v1/export/ocsf${query}`, {
    headers: { authorization: `Bearer ${secretOf('acme-audit')}` },
  });
  const text = await response.text();
  const header = (name: string) => response.headers.get(`rescind-${name}`);
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    window: { entries: header('entries'), before: header('before-index'), next: header('next-after') },
    text,
    lines: response.ok
      ? text
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as Line)
      : [],
    code: response.ok ? undefined : (JSON.parse(text) as { code: string }).code,
  };
}
const sequences = (lines: readonly Line[]): number[] => lines.map(({ metadata }) => metadata.sequence);
const all = Array.from({ length: ENTRIES }, (_, index) => index);

describe('GET /v1/export/ocsf', () => {
  it('gives each entry of the ledger as a line, in ledger order', async () => {
    const { status, type, window, lines, text } = await exported();
    expect([status, type]).toEqual([200, 'application/x-ndjson']);
    expect(sequences(lines)).toEqual(all);
    expect(text.endsWith('\n')).toBe(true);
    expect(window).toEqual({ entries: String(ENTRIES), before: String(ENTRIES), next: String(ENTRIES - 1) });
    expect(lines.flatMap(ocsfFaults)).toEqual([]);
    expect(lines[3]).toMatchObject({
      class_uid: 6003,
      metadata: {
        event_code: 'access.allowed',
        tenant_uid: 'acme',
        log_provider: 'crm',
        original_event_uid: expect.any(String),
      },
      actor: { user: { uid: 'alice' } },
      api: { operation: '/contacts/{id}' },
      src_endpoint: { ip: '203.0.113.7' },
    });
  });

  it('goes on after an index, to another', async () => {
    expect(sequences((await exported('?after_index=2')).lines)).toEqual(all.slice(3));
    expect(sequences((await exported('?after_index=-1')).lines)).toEqual(all);
    const { lines, window } = await exported('?after_index=2&before_index=5');
    expect(sequences(lines)).toEqual([3, 4]);
    expect(window).toEqual({ entries: '2', before: '5', next: '4' });
  });

  it('a poll at the end of the ledger is empty, and its position stays', async () => {
    const { lines, window, status } = await exported(`?after_index=${ENTRIES - 1}`);
    expect([status, lines]).toEqual([200, []]);
    expect(window).toEqual({ entries: '0', before: String(ENTRIES), next: String(ENTRIES - 1) });
  });

  it('takes times of arrival in each form', async () => {
    const arrival = (await api.get('/v1/entries/3')).body.arrival as string;
    const { lines } = await exported(`?from=${arrival}`);
    // Times are cut to seconds, and a test writes its whole history within few of them.
    expect(sequences(lines)).toEqual(all.slice(sequences(lines)[0]));
    expect(sequences(lines)[0]).toBeLessThanOrEqual(3);
    expect((await exported('?from=2100-01-01')).lines).toEqual([]);
    expect((await exported('?to=2001-01-01')).window).toEqual({ entries: '0', before: '0', next: null });
  });

  it.each([
    ['?from=7d&after_index=3', 'inconsistent-request'],
    ['?to=2026-01-01&before_index=3', 'inconsistent-request'],
    ['?from=2026-01-02&to=2026-01-01', 'inconsistent-request'],
    ['?after_index=-2', 'invalid-request'],
    ['?from=yesterday', 'invalid-request'],
    ['?user=1', 'invalid-request'],
  ])('%s is refused: %s', async (query, code) => {
    expect(await exported(query)).toMatchObject({ status: 400, code });
  });

  it('needs the role audit', async () => {
    expect((await api.get('/v1/export/ocsf', 'acme-emit')).status).toBe(403);
    expect((await api.get('/v1/export/ocsf', null)).status).toBe(401);
  });

  it('contains no line of another tenant', async () => {
    const { lines } = await exported();
    expect(new Set(lines.map(({ metadata }) => metadata.tenant_uid))).toEqual(new Set(['acme']));
  });

  it('leaves out what was erased', async () => {
    await api.pool.query('DELETE FROM payload WHERE tenant = $1 AND ix = 4', [ACME]);
    expect(sequences((await exported('?after_index=2&before_index=6')).lines)).toEqual([3, 5]);
  });
});

describe('a long export', () => {
  const COPIES = 60_000;
  beforeAll(async () => {
    // The same payload under further indexes; a commitment does not contain the index.
    const columns = async (table: string): Promise<string> =>
      (
        await api.pool.query<{ name: string }>(
          `SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('ix') AND attgenerated = ''`,
          [table],
        )
      ).rows
        .map(({ name }) => `"${name}"`)
        .join(', ');
    for (const table of ['entry', 'payload']) {
      const others = await columns(table);
      await api.pool.query(
        `INSERT INTO ${table} (ix, ${others}) SELECT n, ${others} FROM ${table}, generate_series($2::bigint, $3::bigint) n WHERE tenant = $1 AND ix = 3`,
        [ACME, ENTRIES, ENTRIES + COPIES - 1],
      );
    }
    await api.pool.query('UPDATE ledger_head SET next_ix = $2 WHERE tenant = $1', [ACME, ENTRIES + COPIES]);
  }, 120_000);

  const open = (query: string): Promise<IncomingMessage> =>
    new Promise((resolve, reject) =>
      get(
        `${api.url}/v1/export/ocsf${query}`,
        { headers: { authorization: `Bearer ${secretOf('acme-audit')}` }, agent: false },
        resolve,
      ).on('error', reject),
    );

  it('holds no transaction while its reader does not read, and a reader that left goes on without a doubled or missing line', async () => {
    const held: number[] = [];
    let rest = '';
    const first = await open('?after_index=9');
    for await (const chunk of first) {
      rest += String(chunk);
      const lines = rest.split('\n');
      rest = lines.pop()!;
      held.push(...lines.map((line) => (JSON.parse(line) as Line).metadata.sequence));
      if (held.length > 5_000) break;
    }
    const before = String(first.headers['rescind-before-index']);
    await until('its transaction to end', async () => {
      const { rows } = await api.pool.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'`,
      );
      return rows[0]!.n === 0;
    });
    const { lines } = await exported(`?after_index=${held.at(-1)}&before_index=${before}`);
    const told = [...held, ...sequences(lines)];
    expect(told).toEqual(Array.from({ length: ENTRIES + COPIES - 10 }, (_, nth) => nth + 10));
  }, 120_000);
});

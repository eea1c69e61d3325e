import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { archiveNext } from '../../../src/archive/index.js';
import { createExplore } from '../../../src/explore/index.js';
import { DIMENSION_NAMES, dimensionOf, filterMembersOf } from '../../../src/explore/question/vocabulary.js';
import { createTurns } from '../../../src/registry/index.js';
import { testLog } from '../../support/services.js';
import { ACME, NOW, ROLE_NAMES, secretOf, SOURCES, startQueryApi, T } from '../query/history.js';
import { AGENT, CRM, IDP, STORY, WIKI } from '../query/story.js';

const FROM = T - 1_000;
const TIME = new Date(T * 1_000).toISOString();

let api: Awaited<ReturnType<typeof startQueryApi>>;
beforeAll(async () => {
  api = await startQueryApi(STORY);
  // Half of the story is archived, half lies in the tail.
  await archiveNext({ pool: api.pool, root: api.archiveRoot, segmentEntries: 8n });
});
afterAll(() => api.stop());

const explore = async (body: unknown, caller = 'acme-audit') => api.send('POST', '/v1/explore', caller, body);
const rows = async (body: unknown) => api.send('POST', '/v1/explore/rows', 'acme-audit', body);

const explored = async (body: object) => {
  const response = await fetch(`${api.url}/v1/explore`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secretOf('acme-audit')}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
};

describe('a file of groups', () => {
  it('has a column for each part of a name and each number, and no formula', async () => {
    const { status, type, text } = await explored({
      by: ['user', 'client'],
      measures: ['calls', 'last_use'],
      compare: { from: FROM - 1_000, to: FROM },
      order: [{ by: 'calls' }],
      from: FROM,
      format: 'csv',
    });
    expect([status, type]).toEqual([200, 'text/csv; charset=utf-8; header=present']);
    const [head, ...lines] = text.trimEnd().split('\r\n');
    expect(head).toBe(
      'user_iss,user_tenant,user,client_iss,client,calls,calls_before,calls_delta,calls_ratio,last_use,last_use_before,at_least',
    );
    expect(lines.length).toBe(3);
    expect(lines[0]).toMatch(new RegExp(`^${IDP},acme,bob,[^,]*,assistant-at-wiki,41,0,41,,[^,]+Z,,$`));
    expect(lines.at(-1)).toMatch(/^,,,,,1,0,1,,/);
  });

  it('has all groups, also those that an answer leaves out', async () => {
    const { body } = await explore({ by: ['user', 'client'], from: FROM, limit: 1 });
    expect([body.items.length, body.groups]).toEqual([1, 3]);
    expect(
      (await explored({ by: ['user', 'client'], from: FROM, format: 'csv' })).text.trimEnd().split('\r\n').length,
    ).toBe(4);
  });

  it('takes no limit', async () => {
    const limited = await explore({ from: FROM, format: 'csv', limit: 5 });
    expect([limited.status, limited.body.code]).toEqual([400, 'inconsistent-request']);
  });
});

describe('POST /v1/explore', () => {
  it('counts uses by user and client, with their names', async () => {
    const { status, body } = await explore({
      by: ['user', 'client'],
      measures: ['calls', 'allowed', 'denied', 'records'],
      from: FROM,
    });
    expect([status, body.groups, body.as_of.index]).toEqual([200, 3, '15']);
    expect(
      body.items.map(({ group: { user, client }, values }: any) => [user?.sub, client?.client_id, values]),
    ).toEqual([
      ['bob', 'assistant-at-wiki', { calls: 41, allowed: 41, denied: 0, records: 7 }],
      ['alice', 'assistant-at-crm', { calls: 2, allowed: 1, denied: 1, records: 1 }],
      [undefined, undefined, { calls: 1, allowed: 1, denied: 0, records: 0 }],
    ]);
  });

  it('says what it read', async () => {
    const { body } = await explore({ from: FROM });
    expect(body.read).toEqual({ segments: 1, archived: 3, tail: 2, ms: expect.any(Number) });
  });

  it('finds a person under the names that events tie together', async () => {
    const { body } = await explore({ filter: { user: { equals: 'alice' } }, from: FROM });
    expect(body.items).toEqual([{ group: {}, values: { calls: 2 } }]);
  });

  it.each<[string, object, number]>([
    ['a resource', { resource: { equals: CRM } }, 3],
    ['the beginning of a resource', { resource: { prefix: 'https://' } }, 44],
    ['an operation', { operation: { equals: 'delete' } }, 1],
    ['a status', { status: { min: 400, max: 499 } }, 1],
    ['no status', { status: { missing: true } }, 40],
    ['a route', { route: { in: ['/contacts/{id}'] } }, 2],
    ['an address', { address: { equals: '203.0.113.7' } }, 1],
    ['the beginning of an address', { address: { prefix: '203.0.' } }, 1],
    ['a network', { address_prefix: { equals: '203.0.113.0/24' } }, 1],
    ['a type of agent', { agent_type: { equals: AGENT.type } }, 43],
    ['all but a source', { source: { not: ['crm'] } }, 41],
    ['a source by its beginning', { source: { prefix: 'wi' } }, 41],
    ['an hour', { hour: { equals: TIME } }, 44],
    ['a day', { day: { not: [TIME] } }, 0],
    ['two dimensions', { operation: { equals: 'read' }, outcome: { equals: 'allowed' } }, 42],
  ])('filters by %s', async (_what, filter, calls) => {
    const { status, body } = await explore({ filter, from: FROM });
    expect([status, body.items[0].values.calls]).toEqual([200, calls]);
  });

  it('compares with another window, what grew most first', async () => {
    const { body } = await explore({
      by: ['resource'],
      from: `@${T + 50}`,
      to: `@${T + 200}`,
      compare: { from: `@${T}`, to: `@${T + 50}` },
    });
    expect(
      body.items.map(({ group, values, before, delta, ratio }: any) => [
        group.resource?.uri,
        values.calls,
        before.calls,
        delta.calls,
        ratio.calls,
      ]),
    ).toEqual([
      [WIKI, 40, 1, 39, 40],
      [CRM, 1, 2, -1, 0.5],
    ]);
  });

  it('orders, limits and keeps groups by their measures', async () => {
    const body = { by: ['operation'], measures: ['calls', 'users'], from: FROM };
    const all = (await explore({ ...body, order: [{ by: 'calls', descending: false }] })).body.items;
    const calls = all.map(({ values }: any) => values.calls);
    expect(calls).toEqual([...calls].sort((one: number, other: number) => one - other));
    const one = (await explore({ ...body, limit: 1 })).body;
    expect([one.items.length, one.groups, one.items[0]]).toEqual([1, all.length, all.at(-1)]);
    const many = (await explore({ ...body, having: { calls: { min: 2 } } })).body;
    expect(many.items.map(({ values }: any) => values.calls)).toEqual([42]);
    const late = {
      ...body,
      measures: ['calls', 'last_use'],
      having: { last_use: { from: `@${T + 60}`, to: `@${T + 100}` } },
    };
    expect((await explore(late)).body.items.map(({ group }: any) => group.operation)).toEqual(['write']);
  });

  it('is for the role audit alone, and of one tenant', async () => {
    for (const role of ROLE_NAMES)
      expect([role, (await explore({}, `acme-${role}`)).status]).toEqual([role, role === 'audit' ? 200 : 403]);
    const { body } = await explore({ from: FROM }, 'globex-audit');
    expect(body.items).toEqual([{ group: {}, values: { calls: 0 } }]);
    expect((await explore({ filter: { user: { equals: 'alice' } } }, 'globex-audit')).body.code).toBe('not-found');
  });

  it.each<[string, unknown, string]>([
    ['an unknown member', { measure: ['calls'] }, 'invalid-request'],
    ['an unknown dimension', { by: ['usr'] }, 'invalid-request'],
    ['SQL in place of a dimension', { by: ["user'; DROP TABLE access; --"] }, 'invalid-request'],
    ['a dimension twice', { by: ['user', 'user'] }, 'invalid-request'],
    ['five groups', { by: ['user', 'client', 'agent', 'resource', 'route'] }, 'invalid-request'],
    ['an unknown measure', { measures: ['count(*)'] }, 'invalid-request'],
    ['a member of the prototype', { by: ['constructor'] }, 'invalid-request'],
    ['a filter without a condition', { filter: { user: {} } }, 'invalid-request'],
    ['a range of names', { filter: { user: { from: 'a' } } }, 'invalid-request'],
    ['a range of numbers as of times', { filter: { status: { from: 400 } } }, 'invalid-request'],
    ['an unknown operation', { filter: { operation: { equals: 'erase' } } }, 'invalid-request'],
    ['a status that is a text', { filter: { status: { equals: '200 OR 1=1' } } }, 'invalid-request'],
    ['a limit of more than a thousand', { limit: 1_001 }, 'invalid-request'],
    ['a time that is none', { from: 'yesterday' }, 'invalid-request'],
    ['a moment that is none', { as_of: "0'; --" }, 'invalid-request'],
    ['a moment beyond the ledger', { as_of: '16' }, 'as-of-out-of-range'],
    ['another century', { from: '1970-01-01' }, 'time-out-of-range'],
    ['an empty window', { from: TIME, to: TIME }, 'inconsistent-request'],
    ['an order by what is not asked for', { order: [{ by: 'records' }] }, 'inconsistent-request'],
    ['a condition on what is not asked for', { having: { records: { min: 1 } } }, 'inconsistent-request'],
    ['a difference without a comparison', { order: [{ by: 'calls', of: 'delta' }] }, 'inconsistent-request'],
    ['a name that nobody has', { filter: { user: { equals: 'nobody' } } }, 'not-found'],
    ['a beginning that no name has', { filter: { route: { prefix: '/nowhere' } } }, 'not-found'],
    ['a lone surrogate', '{"filter":{"user":{"equals":"\\ud800"}}}', 'lone-surrogate'],
    ['NUL', { filter: { user: { equals: 'a\0' } } }, 'nul'],
    ['a list', [], 'invalid-request'],
  ])('refuses %s', async (_what, body, code) => {
    const answer = await explore(body);
    expect([answer.body.code, answer.status]).toEqual([code, code === 'not-found' ? 404 : 400]);
  });

  it('says that too much is not archived', async () => {
    const strict = createExplore({
      pool: api.pool,
      log: testLog(),
      turns: createTurns({ atOnce: 1 }),
      sources: { find: () => undefined, all: () => [] },
      nameOfSource: () => null,
      archiveRoot: api.archiveRoot,
      home: api.archiveRoot,
      now: () => NOW,
      maxTailUses: 1,
    });
    try {
      await expect(strict.explore({ tenant: ACME, id: 'spec' }, {})).rejects.toMatchObject({ code: 'not-archived' });
    } finally {
      await strict.stop();
    }
  });
});

describe('hostile names', () => {
  const HOSTILE = [
    "' OR 1=1 --",
    "'); DROP TABLE tail_uses; --",
    '$1',
    '%',
    '_',
    '\\',
    '"',
    '../../etc/passwd',
    "read_text('/etc/passwd')",
    '{}',
    '🜚',
  ];
  const TEXTS = ['equals', 'in', 'not', 'prefix'] as const;

  it('are values in every field, never SQL', async () => {
    const before = (await explore({ from: FROM })).body.items;
    for (const name of DIMENSION_NAMES) {
      for (const member of TEXTS.filter((one) => filterMembersOf(dimensionOf(name)).includes(one))) {
        for (const text of HOSTILE) {
          const { status, body } = await explore({
            filter: { [name]: { [member]: member === 'in' || member === 'not' ? [text] : text } },
            from: FROM,
          });
          expect({ name, member, text, ok: [200, 400, 404].includes(status), code: body.code ?? '' }).toEqual({
            name,
            member,
            text,
            ok: true,
            code: expect.stringMatching(/^(?:|not-found|invalid-request)$/),
          });
          if (status === 200 && member !== 'not') expect(body.items).toEqual([{ group: {}, values: { calls: 0 } }]);
        }
      }
    }
    expect((await explore({ from: FROM })).body.items).toEqual(before);
  });
});

describe('POST /v1/explore/rows', () => {
  const all = async (body: object, limit: number) => {
    const pages = [(await rows({ ...body, limit })).body];
    while (pages.at(-1).next !== undefined)
      pages.push((await rows({ ...body, limit, cursor: pages.at(-1).next })).body);
    return pages;
  };
  const text = async (format: string) => {
    const response = await fetch(`${api.url}/v1/explore/rows`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secretOf('acme-audit')}`, 'content-type': 'application/json' },
      body: JSON.stringify({ format, from: FROM }),
    });
    return {
      status: response.status,
      type: response.headers.get('content-type')!.split(';')[0],
      text: await response.text(),
    };
  };

  it('pages through what /v1/access shows, newest first', async () => {
    const access = (await api.get(`/v1/access?from=${FROM}&limit=100`)).body.items;
    const pages = await all({ from: FROM }, 2);
    const items = pages.flatMap((page) => page.items);
    expect(pages.length).toBe(Math.ceil(access.length / 2));
    expect(items).toEqual(access);
  });

  it('shows the uses behind a group', async () => {
    const { body } = await rows({
      filter: { client: { equals: 'assistant-at-crm' }, outcome: { equals: 'denied' } },
      from: FROM,
    });
    expect(body.items.map(({ index }: any) => index)).toEqual(['4']);
  });

  it('writes all rows as JSON lines and CSV, in the order of the ledger', async () => {
    const { items } = (await rows({ from: FROM })).body;
    const ordered = [...items].sort((one: any, other: any) => Number(one.index) - Number(other.index));
    const lines = await text('jsonl');
    expect([
      lines.status,
      lines.type,
      lines.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ]).toEqual([200, 'application/x-ndjson', ordered]);
    const csv = await text('csv');
    expect([csv.status, csv.type]).toEqual([200, 'text/csv']);
    expect(
      csv.text
        .trim()
        .split('\r\n')
        .slice(1)
        .map((line) => line.split(',')[0]),
    ).toEqual(ordered.map(({ index }: any) => index));
    expect(csv.text).toContain(`${IDP},acme,bob`);
  });

  it.each<[string, unknown, string]>([
    ['a forged cursor', { cursor: '1.2' }, 'invalid-cursor'],
    ['a cursor that is SQL', { cursor: "1.2.3.4'; --" }, 'invalid-cursor'],
    ['a cursor beyond the ledger', { cursor: '999.1.1.1' }, 'as-of-out-of-range'],
    ['a cursor of a file', { format: 'csv', cursor: '1.2.3.4' }, 'inconsistent-request'],
    ['a format that is unknown', { format: 'xml' }, 'invalid-request'],
  ])('refuses %s', async (_what, body, code) => {
    const answer = await rows(body);
    expect([answer.status, answer.body.code]).toEqual([400, code]);
  });
});

it('knows tokens, sources and both names of a client', async () => {
  const { body } = await explore({ by: ['token', 'source'], filter: { client: { equals: 'assistant' } }, from: FROM });
  expect(body.items.map(({ group }: any) => [group.token.length, group.source])).toEqual([
    [22, { id: SOURCES.wiki.id, name: 'wiki' }],
    [22, { id: SOURCES.crm.id, name: 'crm' }],
  ]);
});

it('says that a file of the archive is missing, and answers what does not need it', async () => {
  const { body } = await explore({ from: FROM });
  expect(body.read.segments).toBe(1);
  const files = (await readdir(api.archiveRoot, { recursive: true })).filter((name) => /uses.*parquet$/.test(name));
  for (const name of files) await rename(join(api.archiveRoot, name), join(api.archiveRoot, `${name}.away`));
  const damaged = await explore({ from: FROM });
  expect([damaged.status, damaged.body.code]).toEqual([503, 'archive-damaged']);
  expect((await explore({ from: `@${T + 100_000}` })).status).toBe(200);
  for (const name of files) await rename(join(api.archiveRoot, `${name}.away`), join(api.archiveRoot, name));
  expect((await explore({ from: FROM })).body.items).toEqual(body.items);
});

it('takes uses out of the tail once they are archived, and counts each once', async () => {
  const before = (await explore({ from: FROM })).body;
  await api.pool.query('UPDATE entry SET arrival = arrival - 86400000 WHERE tenant = $1 AND ix < 15', [ACME]);
  while (await archiveNext({ pool: api.pool, root: api.archiveRoot, segmentEntries: 3n })) continue;
  const after = (await explore({ from: FROM })).body;
  expect([after.items, after.read.archived + after.read.tail]).toEqual([
    before.items,
    before.read.archived + before.read.tail,
  ]);
  expect(after.read.tail).toBeLessThan(before.read.tail);
}, 240_000);

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { EVENT_NAMES, eventSchema, eventType, PAYLOAD_MARK } from '../../../src/contracts/index.js';
import { dereference } from '../../support/dereference.js';
import { SOURCES, startQueryApi, ACME } from './history.js';
import { CRM_AS, STORY } from './story.js';

let api: Awaited<ReturnType<typeof startQueryApi>>;
let served: any;
/** The served document with its references resolved. */
let document: any;
beforeAll(async () => {
  api = await startQueryApi(STORY);
  served = (await api.get('/openapi.json', null)).body;
  document = dereference(served, served.components.schemas);
});
afterAll(() => api.stop());

describe('GET /schemas/{type}.json', () => {
  it.each(EVENT_NAMES)('%s, to everybody', async (name) => {
    const { status, type, body } = await api.get(`/schemas/${eventType(name)}.json`, null);
    expect([status, type]).toEqual([200, expect.stringMatching(/^application\/schema\+json/)]);
    expect(body).toEqual(eventSchema(name));
  });
});

describe('GET /', () => {
  it('links to the documents, for everybody, and every link works', async () => {
    const { status, type, body } = await api.get('/', null);
    expect([status, type]).toEqual([200, expect.stringMatching(/^application\/json/)]);
    const { next } = body as { next: { href: string }[] };
    expect(next.map(({ href }) => href)).toEqual([
      '/openapi.json',
      '/health/ready',
      '/schemas/dev.rescind.token.issued.v1.json',
    ]);
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(['/', '/openapi.json', '/health/ready', '/schemas/{file}']),
    );
    expect((await api.get('/openapi.json', null)).status).toBe(200);
    expect((await api.get('/schemas/dev.rescind.token.issued.v1.json', null)).status).toBe(200);
  });

  it('names nothing of a tenant, and is the same with a key as without', async () => {
    const [open, asked] = [await api.get('/', null), await api.get('/')];
    expect(asked).toEqual(open);
    expect(JSON.stringify(open.body)).not.toContain(ACME);
  });
});

/** Times of answers are in UTC, in whole seconds or in milliseconds. */
/** Our own keywords, which mark and demand nothing. */
const MARKS = Object.keys(PAYLOAD_MARK);
const FORMATS = {
  uuid: /^[0-9a-f-]{36}$/,
  'date-time': /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{3})?Z$/,
};
const PROTOCOL = ['/events', '/introspect', '/authorize-request', '/revoke'];
const QUESTIONS = [
  'connections',
  'grants',
  'access',
  'access/counts',
  'graph',
  'matrix',
  'changes',
  'tokens',
  'tokens/{id}',
  'entries/{index}',
  'quarantine',
  'sequences',
];
const MANAGEMENT = [...QUESTIONS, 'sources', 'callers', 'tenants'].map((path) => `/v1/${path}`);

describe('GET /openapi.json', () => {
  it('describes the management API and the protocol endpoints', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([...PROTOCOL, ...MANAGEMENT, '/schemas/{file}', '/openapi.json']),
    );
    expect(Object.keys(document.components.securitySchemes).sort()).toEqual(['basic', 'bearer']);
  });

  it('names each operation once, and secures every one of /v1', () => {
    const operations = Object.entries<Record<string, any>>(document.paths).flatMap(([path, item]) =>
      Object.values(item).map((operation) => ({ path, ...operation })),
    );
    const names = operations.map(({ operationId }) => operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { path, security } of operations.filter(({ path: one }) => one.startsWith('/v1/'))) {
      expect([path, security]).toEqual([path, expect.arrayContaining([{ bearer: [] }])]);
    }
  });

  it.each([
    ['/v1/connections', '/v1/connections'],
    ['/v1/connections?limit=1', '/v1/connections'],
    ['/v1/grants', '/v1/grants'],
    ['/v1/access?limit=2', '/v1/access'],
    ['/v1/access/counts?by=hour', '/v1/access/counts'],
    ['/v1/graph', '/v1/graph'],
    ['/v1/graph?fold=users', '/v1/graph'],
    ['/v1/matrix', '/v1/matrix'],
    [`/v1/tokens?iss=${CRM_AS}&jti=t1`, '/v1/tokens'],
    ['/v1/changes?since=1&limit=100', '/v1/changes'],
    [`/v1/tokens?iss=${CRM_AS}&jti=t4`, '/v1/tokens'],
    ['/v1/entries/3', '/v1/entries/{index}'],
    ['/v1/quarantine', '/v1/quarantine'],
    ['/v1/sequences', '/v1/sequences'],
  ])('describes the answer of %s member by member', async (url, path) => {
    await api.pool.query(
      `INSERT INTO quarantine (tenant, source, code, detail, door, mode, size, headers, bytes, whole, digest)
       VALUES ($1, $2, 'nul', '', 'http', 'structured', 0, '', '', false, '')`,
      [ACME, SOURCES.crm.id],
    );
    await api.pool.query(
      `INSERT INTO source_sequence (tenant, source, seen) VALUES ($1, $2, '{[0,3),[5,6)}') ON CONFLICT DO NOTHING`,
      [ACME, SOURCES.crm.id],
    );
    const { schema } = document.paths[path].get.responses[200].content['application/json'];
    const validate = new Ajv2020({ strict: true, allowUnionTypes: true, formats: FORMATS, keywords: MARKS }).compile(
      schema,
    );
    const { status, body } = await api.get(url);
    expect(status).toBe(200);
    expect([validate(body), validate.errors]).toEqual([true, null]);
  });

  it('has a valid example of each answer', () => {
    const shown = Object.entries<any>(document.paths).flatMap(([path, { get }]) => {
      const { schema, examples } = get?.responses[200]?.content?.['application/json'] ?? {};
      return examples === undefined ? [] : [{ path, schema, value: examples.seeded.value }];
    });
    expect(shown.length).toBeGreaterThanOrEqual(QUESTIONS.length);
    for (const { path, schema, value } of shown) {
      const validate = new Ajv2020({
        strict: true,
        keywords: MARKS,
        allowUnionTypes: true,
        formats: FORMATS,
      }).compile(schema);
      expect([path, validate(value), validate.errors]).toEqual([path, true, null]);
    }
  });
});

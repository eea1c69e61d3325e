import { describe, expect, it } from '@jest/globals';
import { answerText } from './answer-text.js';
import type { Schema } from './document.js';
import { columnsOf, listOf, valueAt } from './lists.js';
import { createLocalTime } from '../local-time.js';
import { createSchemas } from './schema.js';

const text: Schema = { type: 'string' };
const count: Schema = { type: 'integer', minimum: 0 };
const time: Schema = { type: 'string', format: 'date-time' };
const user: Schema = { type: 'object', properties: { entity: { type: 'integer' }, iss: text, sub: text } };
const point: Schema = { type: 'object', properties: { index: text, at: time } };
const item: Schema = {
  type: 'object',
  properties: {
    index: text,
    user: { anyOf: [{ $ref: '#/components/schemas/User' }, { type: 'null' }] },
    at: time,
    resource: { type: 'object', properties: { entity: { type: 'integer' }, uri: text } },
    scopes: { type: 'array', items: text },
    calls: count,
    note: text,
    since: point,
    disabled: { type: 'boolean' },
    gaps: { type: 'array', items: { type: 'object', properties: { from: count, to: count } } },
  },
};
const page: Schema = {
  type: 'object',
  properties: { as_of: point, items: { type: 'array', items: item }, next: text },
};
const schemas = createSchemas({ User: user });
const berlin = createLocalTime('Europe/Berlin');
const say = (answer: object, schema: Schema = page, width = 200) =>
  answerText(schemas, berlin, answer as Readonly<Record<string, unknown>>, schema, width);

const AS_OF = { index: '7', at: '2026-11-20T18:00:00Z' };
const row = (more: object) => ({
  index: '5',
  user: { entity: 1, iss: 'https://idp.example', sub: 'alice' },
  at: '2026-11-20T09:00:00.120Z',
  resource: { entity: 9, uri: 'https://api.chat.example' },
  scopes: ['a.read', 'b'],
  calls: 1_234_567,
  note: '',
  since: { index: '2', at: '2026-11-20T08:00:00Z' },
  disabled: false,
  gaps: [],
  ...more,
});

describe('an answer in text', () => {
  it('shows names before ids, times in local time with the zone, and no empty column', () => {
    expect(say({ as_of: AS_OF, items: [row({}), row({ index: '6', user: null, disabled: true })] }).text).toBe(
      `AT +01:00            USER   RESOURCE          SCOPES         CALLS  SINCE +01:00         DISABLED  INDEX
2026-11-20 10:00:00  alice  api.chat.example  a.read, b  1,234,567  2026-11-20 09:00:00  no        5
2026-11-20 10:00:00  -      api.chat.example  a.read, b  1,234,567  2026-11-20 09:00:00  yes       6

As of 2026-11-20T19:00:00+01:00 (ledger index 7).
`,
    );
  });

  it('shows the zone in every row if the clocks change in between', () => {
    const { text: said } = say({ items: [row({ at: '2026-10-24T09:00:00Z' }), row({ at: '2026-10-26T09:00:00Z' })] });
    expect(said).toMatch(/^AT {2}[^]*^2026-10-24T11:00:00\+02:00 [^]*^2026-10-26T10:00:00\+01:00 /m);
  });

  it('names the issuer where two have the same name', () => {
    const other = { entity: 2, iss: 'https://ras.example', sub: 'alice' };
    const { text: said } = say({ items: [row({}), row({ user: other })] });
    expect(said).toMatch(/alice @ idp\.example[^]*alice @ ras\.example/);
  });

  it.each([26, 40, 60, 80])('fits into %i columns, and says what it leaves out', (width) => {
    const items = [1, 2, 3, 4].map((at) =>
      row({ index: String(at), note: `${at} ${'long '.repeat(20)}`, scopes: [`scope-${at}`], calls: at }),
    );
    const { text: said, notes } = say({ items }, page, width);
    expect(Math.max(...said.split('\n').map((line) => line.length))).toBeLessThanOrEqual(width);
    expect(said.replaceAll('\n', ' ')).toMatch(/The same in every row: .*user alice/);
    expect(said).toContain('1 long');
    expect(notes.join(' ')).toContain('`…` stands for the rest of a value');
    if (width <= 26) expect(notes.join(' ')).toContain('Left out for lack of room: ');
  });

  it('shows no control characters of names from outside, and no name as a line of its own', () => {
    const sub = 'a\u001b[2J\nroot\u202e';
    const { text: said } = say({
      items: [
        row({
          user: { entity: 1, iss: 'https://idp.example', sub },
          note: 'n\u001b[2J',
          scopes: ['s\u0007'],
          'x\ny': 1,
        }),
      ],
    });
    for (const shown of ['a\\u{1b}[2J\\u{a}root\\u{202e}', 'n\\u{1b}[2J', 's\\u{7}']) expect(said).toContain(shown);
    expect(said.split('\n')).toHaveLength(3);
  });

  it('shows a few rows as blocks if they have no room in a table', () => {
    const items = [row({ note: 'x'.repeat(90) }), row({ index: '6', note: 'y' })];
    expect(say({ items }, page, 60).text).toMatch(
      /^index {5}5\nuser {6}alice @ idp\.example\n[^]*^note {6}x{90}\n[^]*\n\nindex {5}6\n/m,
    );
  });

  it('leads to the next question as a command', () => {
    const see = "/v1/access?client_iss=https%3A%2F%2Fidp.example&client_id=a%20'b";
    expect(
      say({
        items: [
          { calls: 1, see },
          { calls: 2, see: '/v1/entities/7' },
        ],
      }).text,
    ).toBe(
      `CALLS  SEE\n    1  ask access --client-iss https://idp.example --client-id 'a '\\''b'\n    2  ask entities 7\n`,
    );
  });

  it('says that a list is empty', () => {
    expect(say({ items: [] }).text).toBe('none\n');
  });

  it('shows one thing a line, and its lists after it', () => {
    const one: Schema = {
      properties: {
        id: text,
        owner: user,
        accesses: { properties: { count, first: time } },
        rules: page.properties!['items']!,
      },
    };
    const answer = {
      id: 'x',
      owner: { entity: 1, iss: 'https://idp.example', sub: 'alice' },
      accesses: { count: 2, first: null },
      rules: [{ index: '1', calls: 3 }],
    };
    expect(say(answer, one).text).toBe(`id              x
owner           alice @ idp.example
accesses count  2
accesses first  -

Rules:
CALLS  INDEX
    3  1
`);
  });

  it('puts names at the ends of the edges of a graph', () => {
    const graph: Schema = {
      properties: {
        nodes: { type: 'array', items: { properties: { id: text, type: text, name: text } } },
        edges: { type: 'array', items: { anyOf: [{ properties: { from: text, to: text, grants: count } }] } },
      },
    };
    const answer = {
      nodes: [
        { id: '1', type: 'client', name: 'wiki' },
        { id: '2', type: 'resource', name: 'https://api.example' },
      ],
      edges: [{ from: '1', to: '2', grants: 4 }],
    };
    expect(say(answer, graph).text).toMatch(/^Edges:\nFROM +TO +GRANTS\nclient wiki +resource api\.example +4\n$/m);
    expect(listOf(schemas, graph)).toBe('edges');
  });

  it('shows as it is what the document does not call a time, or what is none', () => {
    const odd: Schema = { properties: { at: time, said: text } };
    expect(say({ at: 'soon', said: '2026-11-20T09:00:00Z' }, odd).text).toBe(
      'at    soon\nsaid  2026-11-20T09:00:00Z\n',
    );
  });
});

describe('columns of lines', () => {
  it('are those of the schema, whatever a page holds', () => {
    expect(listOf(schemas, page)).toBe('items');
    const columns = columnsOf(schemas, item);
    expect(columns).toEqual([
      'index',
      'user.entity',
      'user.iss',
      'user.sub',
      'at',
      'resource.entity',
      'resource.uri',
      'scopes',
      'calls',
      'note',
      'since.index',
      'since.at',
      'disabled',
      'gaps',
    ]);
    expect(columns.map((column) => valueAt(row({ user: null, gaps: [{ from: 1, to: 2 }] }), column))).toEqual([
      '5',
      null,
      null,
      null,
      '2026-11-20T09:00:00.120Z',
      9,
      'https://api.chat.example',
      'a.read b',
      1_234_567,
      '',
      '2',
      '2026-11-20T08:00:00Z',
      'false',
      '[{"from":1,"to":2}]',
    ]);
  });
});

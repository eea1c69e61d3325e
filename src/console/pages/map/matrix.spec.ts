import { describe, expect, it } from '@jest/globals';
import { buildMatrix, type MatrixAnswer, type Part } from './matrix.js';
import { placeAfter, placeOf } from './places.js';

const iss = 'https://idp.example';
const client = (entity: number, client_id: string, team: string | null = null) => ({
  client: { entity, iss, client_id },
  team,
});
const agent = (entity: number, id: string, type: string | null) => ({ agent: { entity, iss, id }, type, team: null });
const resource = (entity: number, uri: string) => ({ resource: { entity, uri }, team: null });
const cell = (of: number, at: number, more: Partial<Part> = {}): Part => ({
  client: of,
  resource: at,
  agents: [],
  state: 'granted',
  connection: 'created',
  grants: 1,
  accesses: 0,
  allowed: 0,
  denied: 0,
  last_used: null,
  granted_scopes: ['read'],
  used_scopes: [],
  unused_scopes: ['read'],
  ...more,
});
const USED = { state: 'used', accesses: 3, allowed: 2, denied: 1, last_used: '2026-12-01T00:00:00Z' } as const;

const answerOf = (cells: Part[]): MatrixAnswer => ({
  as_of: { index: '1', at: '2026-12-01T00:00:00Z' },
  used_since: '2026-11-01T00:00:00Z',
  clients: [client(2, 'beta', 'sales'), client(1, 'alpha'), client(3, 'gamma', 'sales')],
  agents: [agent(8, 'helper', 'assistant'), agent(9, 'coder', null)],
  resources: [resource(12, 'https://wiki'), resource(11, 'https://crm')],
  cells,
  total: { cells: 0, used: 0, dormant: 0, denied: 0, granted: 0, grants: 0, accesses: 0 },
});
const NOW = answerOf([
  cell(1, 11, { ...USED, agents: [8], used_scopes: ['read'], unused_scopes: [] }),
  cell(2, 11, { agents: [8], granted_scopes: ['read', 'write'], unused_scopes: ['read', 'write'] }),
  cell(3, 12),
]);
const linesOf = ({ lines }: ReturnType<typeof buildMatrix>): string[] =>
  lines.map((line) => (line.kind === 'group' ? `[${line.name} ${line.rows}]` : `${line.row.id}:${line.row.cells}`));

describe('the matrix', () => {
  it('has rows by group and name, those without a group last, and columns by name', () => {
    const matrix = buildMatrix(NOW, NOW, {});
    expect(linesOf(matrix)).toEqual(['[assistant 2]', '1:1', '2:1', '[null 1]', '3:1']);
    expect(matrix.columns.map(({ id }) => id)).toEqual([11, 12]);
    expect(linesOf(buildMatrix(NOW, NOW, { group: 'team' }))).toEqual(['[sales 2]', '2:1', '3:1', '[null 1]', '1:1']);
  });

  it('adds up the connections through which an agent acts, and counts those without an agent', () => {
    const matrix = buildMatrix(NOW, NOW, { rows: 'agents' });
    expect(linesOf(matrix)).toEqual(['[assistant 1]', '8:1']);
    expect(matrix.without).toBe(1);
    const [only] = matrix.cells;
    expect(matrix.cells).toHaveLength(1);
    expect(only).toMatchObject({
      key: '8-11',
      state: 'used',
      grants: 2,
      allowed: 2,
      denied: 1,
      lastUsed: USED.last_used,
      granted: ['read', 'write'],
      used: ['read'],
      unused: ['write'],
    });
    expect(only!.parts).toHaveLength(2);
  });

  it('counts each state before the filter by state, and leaves rows and columns that the filters let through', () => {
    const used = buildMatrix(NOW, NOW, { state: ['used'] });
    expect(used.counts).toEqual({ used: 1, dormant: 0, granted: 2, denied: 0 });
    expect(linesOf(used)).toEqual(['[assistant 1]', '1:1']);
    expect(used.columns.map(({ id }) => id)).toEqual([11]);
    expect(linesOf(buildMatrix(NOW, NOW, { q: 'WIKI' }))).toEqual(['[null 1]', '3:1']);
    expect(linesOf(buildMatrix(NOW, NOW, { q: 'beta' }))).toEqual(['[assistant 1]', '2:1']);
  });

  it('keeps every place at another moment', () => {
    const then = buildMatrix(NOW, answerOf([cell(3, 12)]), {});
    expect(then.lines.map((line) => line.kind === 'row' && line.row.id)).toEqual(
      buildMatrix(NOW, NOW, {}).lines.map((line) => line.kind === 'row' && line.row.id),
    );
    expect(then.columns).toHaveLength(2);
    expect(then.cells.map(({ key }) => key)).toEqual(['3-12']);
    expect(then.counts).toMatchObject({ used: 0, granted: 1 });
  });
});

describe('the focus', () => {
  const matrix = buildMatrix(NOW, NOW, {});
  const first = { line: 1, column: 0 };

  it.each([
    ['ArrowDown', false, { line: 2, column: 0 }],
    ['ArrowUp', false, first],
    ['ArrowRight', false, { line: 1, column: 1 }],
    ['ArrowLeft', false, first],
    ['PageDown', false, { line: 4, column: 0 }],
    ['End', false, { line: 1, column: 1 }],
    ['End', true, { line: 4, column: 1 }],
    ['a', false, undefined],
  ])('is moved by %s (with Ctrl: %s)', (key, isWhole, place) => {
    expect(placeAfter(matrix, first, key, isWhole)).toEqual(place);
  });

  it('steps over the name of a group', () => {
    expect(placeAfter(matrix, { line: 2, column: 1 }, 'ArrowDown', false)).toEqual({ line: 4, column: 1 });
    expect(placeAfter(matrix, { line: 4, column: 1 }, 'Home', true)).toEqual(first);
  });

  it('finds the place of a cell', () => {
    expect(placeOf(matrix, 3, 12)).toEqual({ line: 4, column: 1 });
    expect(placeOf(matrix, 99, 12)).toBeUndefined();
  });
});

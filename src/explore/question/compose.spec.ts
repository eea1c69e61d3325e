import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createEngine, type Engine } from '../engine/engine.js';
import { testLog } from '../../../test/support/services.js';
import {
  composeExplore,
  composeRows,
  ROW_COLUMNS,
  type Found,
  type FoundCondition,
  type Lookups,
  type Selected,
} from './compose.js';
import { readExploreQuestion } from './read-question.js';
import { DIMENSION_NAMES, dimensionOf, MEASURE_NAMES, type DimensionName } from './vocabulary.js';

const TEXT = "'); DROP TABLE tail_uses; --";
const LOOKUP = { ids: [1], values: [TEXT] };
const LOOKUPS: Lookups = { agent_type: LOOKUP, address_prefix: LOOKUP, team: LOOKUP, owner: LOOKUP };
const WINDOW = { from: 0, to: 2_000_000_000 };

const selected = (conditions: readonly FoundCondition[] = []): Selected => ({
  index: 10n,
  at: 1_796_000_000,
  window: WINDOW,
  conditions,
  sources: { whole: [], cut: [], late: [], end: 0n, lookups: LOOKUPS },
});

function foundOf(name: DimensionName): Found {
  switch (dimensionOf(name).type) {
    case 'token':
      return { keys: ['00ff'] };
    case 'lookup':
    case 'source':
      return { texts: [TEXT] };
    default:
      return { ids: [1] };
  }
}

/** Every condition that a dimension can have. */
function conditionsOf(dimension: DimensionName): FoundCondition[] {
  const { type } = dimensionOf(dimension);
  const found = foundOf(dimension);
  return [
    { dimension, within: found },
    { dimension, not: found },
    { dimension, missing: true },
    { dimension, missing: false },
    ...(type === 'lookup' ? [{ dimension, prefixed: { prefix: TEXT } }] : []),
    ...(type === 'number' || type === 'time' ? [{ dimension, min: 1, max: 2, before: 3 }] : []),
  ];
}

let engine: Engine;
beforeAll(async () => {
  engine = createEngine({ log: testLog() });
  await engine.open('room', []);
}, 60_000);
afterAll(() => engine.stop());

describe('a statement', () => {
  it.each(DIMENSION_NAMES)('groups and filters by %s, with every measure', async (name) => {
    const question = readExploreQuestion({
      by: [name],
      measures: MEASURE_NAMES,
      compare: { from: '7d', to: '1d' },
      order: [
        { by: 'records', of: 'ratio' },
        { by: name, descending: false },
      ],
      having: { calls: { min: 1, max: 9 }, last_use: { from: '7d', to: '1d' } },
    });
    for (const condition of conditionsOf(name)) {
      const statement = composeExplore(selected([condition]), question, WINDOW);
      expect(statement.sql).not.toContain('DROP');
      expect(await engine.run('room', statement)).toEqual([]);
      const rows = composeRows(selected([condition]), { after: { at: 1n, ix: 1n }, limit: 3 });
      expect(rows.sql).not.toContain('DROP');
      expect(await engine.run('room', rows)).toEqual([]);
    }
  });

  it('counts nothing as one row without groups', async () => {
    const question = readExploreQuestion({ measures: ['calls', 'records', 'users', 'first_use'] });
    expect(await engine.run('room', composeExplore(selected(), question, undefined))).toEqual([[0n, 0n, 0n, null, 1n]]);
  });

  it('groups by several dimensions, and reads a range of rows', async () => {
    const question = readExploreQuestion({ by: ['user', 'owner', 'team', 'scope'], measures: ['calls'] });
    expect(await engine.run('room', composeExplore(selected(), question, undefined))).toEqual([]);
    expect(await engine.run('room', composeRows(selected(), { first: 0n, end: 10n }))).toEqual([]);
    expect(ROW_COLUMNS).toHaveLength(18);
  });
});

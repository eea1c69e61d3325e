import { describe, expect, it } from '@jest/globals';
import type { Item } from '../question/queries.js';
import type { ExploreSearch } from '../question/search.js';
import { drawingOf, MAX_BARS } from './chart-shape.js';

const item = (group: object, values: object, rest: object = {}): Item => ({ group, values, ...rest }) as Item;
const hour = (nth: number): string => `2026-11-24T${String(nth).padStart(2, '0')}:00:00Z`;
const draw = (search: ExploreSearch, items: Item[], compare?: { from: string; to: string }) =>
  drawingOf(search, search.measures?.[0] ?? 'calls', compare === undefined ? { items } : { items, compare });

describe('what is drawn', () => {
  it('is a bar a group, in the order of the answer', () => {
    const items = Array.from({ length: 15 }, (_, nth) => item({ team: `team ${nth}` }, { calls: 15 - nth }));
    const drawing = draw({ by: ['team'] }, items);
    expect(drawing).toMatchObject({ kind: 'bars', leftOut: 15 - MAX_BARS, series: [{ name: 'calls' }] });
    expect(drawing?.kind === 'bars' && drawing.labels.slice(0, 2)).toEqual(['team 0', 'team 1']);
  });

  it('is a bar beside the bar before it, if the question compares', () => {
    const items = [
      item({ team: 'a' }, { calls: 3 }, { before: { calls: 1 }, delta: { calls: 2 }, ratio: { calls: 3 } }),
    ];
    expect(draw({ by: ['team'] }, items, { from: '', to: '' })).toMatchObject({
      series: [
        { name: 'calls', values: [3] },
        { name: 'before', values: [1] },
      ],
    });
  });

  it('has no gap where an hour has no use', () => {
    const items = [
      item({ hour: hour(3), outcome: 'allowed' }, { calls: 5 }),
      item({ hour: hour(6), outcome: 'allowed' }, { calls: 1 }),
    ];
    expect(draw({ by: ['hour', 'outcome'] }, items)).toMatchObject({
      kind: 'time',
      stacked: true,
      series: [{ name: 'allowed', values: [5, 0, 0, 1] }],
    });
  });

  it('adds up series beyond eight if they can be, and else says that they are left out', () => {
    const items = Array.from({ length: 10 }, (_, nth) =>
      item({ hour: hour(1), team: `t${nth}` }, { calls: 20 - nth, users: 1 }),
    );
    const added = draw({ by: ['hour', 'team'] }, items);
    expect(added).toMatchObject({ leftOut: 0 });
    expect(added?.kind === 'time' && added.series.at(-1)).toEqual({ name: '2 others', values: [12 + 11] });
    expect(draw({ measures: ['users'], by: ['hour', 'team'] }, items)).toMatchObject({ leftOut: 2, stacked: false });
  });

  it('is a heat map of weekday and hour', () => {
    const items = [item({ weekday: 'tuesday', hour_of_day: 4 }, { calls: 9 })];
    expect(draw({ by: ['weekday', 'hour_of_day'] }, items)).toEqual({ kind: 'heat', cells: [[4, 1, 9]] });
  });

  it('shows what a name hides', () => {
    const drawing = draw({ by: ['team'] }, [
      item({ team: 'a\u202Eb' }, { calls: 1 }),
      item({ team: null }, { calls: 1 }),
    ]);
    expect(drawing?.kind === 'bars' && drawing.labels).toEqual(['a\\u{202e}b', 'no team']);
  });

  it('is nothing of a time, of one sum, or of no group', () => {
    expect(
      draw({ measures: ['last_use'], by: ['team'] }, [item({ team: 'a' }, { last_use: hour(1) })]),
    ).toBeUndefined();
    expect(draw({ by: [] }, [item({}, { calls: 1 })])).toBeUndefined();
    expect(draw({ by: ['team'] }, [])).toBeUndefined();
  });
});

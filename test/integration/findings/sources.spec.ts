import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { timeText } from '../../../src/contracts/index.js';
import { type Said } from '../query/history.js';
import { DAY, issued, MONDAY, startWorld, used, type World, many } from './world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

let clock = MONDAY;
const HOUR = 3_600;
/** Two days of its own for each spec. */
const later = (): number => (clock += 2 * DAY);
const inOrder = (...events: readonly Said[]): readonly Said[] => events.toSorted((one, other) => one.at - other.at);

describe('source-trouble', () => {
  it('finds a source whose events come late, not one whose events always do', async () => {
    const at = later();
    clock += 7 * DAY;
    const daily = (name: 'crm' | 'wiki', late: number) =>
      many(5, (day) =>
        many(12, (nth) => ({ ...used(`eva-${name}`, at + day * DAY + nth * 60, {}, name), late })),
      ).flat();
    const tell = async (events: readonly (Said & { late: number })[]) => {
      for (const { late, ...event } of events.toSorted((one, other) => one.at + one.late - other.at - other.late))
        await world.tellAt(event.at + late, event);
      await world.find();
    };
    const behind = async () =>
      (await world.list('&kind=source-trouble')).filter(({ details }) => details['how'] === 'behind');
    await tell([...daily('wiki', 1), ...daily('crm', HOUR)]);
    expect(await behind()).toEqual([]);
    await tell(many(12, (nth) => ({ ...used('eva-wiki', at + 5 * DAY + nth * 60, {}, 'wiki'), late: 2 * HOUR })));
    expect(await behind()).toMatchObject([{ state: 'open', source: { name: 'wiki' }, count: 12 }]);
    await tell(many(40, (nth) => ({ ...used('eva-wiki', at + 5 * DAY + 2 * HOUR + 700 + nth, {}, 'wiki'), late: 1 })));
    expect(await behind()).toMatchObject([{ state: 'resolved', count: 12 }]);
  });

  it('finds numbers that do not come in ten minutes, and closes itself when they come', async () => {
    const at = later();
    const numbered = (sequence: number, when: number) => used('zoe-1', when, { sequence } as never, 'wiki');
    const gaps = async (...events: readonly Said[]) =>
      (await world.after('source-trouble', ...events)).filter(({ details }) => details['how'] === 'gaps');
    const early = await gaps(
      issued('zoe-1', at, { user: 'zoe', client: 'mail', app: 'wiki' }),
      ...[1, 2, 5].map((sequence) => numbered(sequence, at + sequence)),
      numbered(6, at + 500),
    );
    expect(early).toEqual([]);
    const found = await gaps(numbered(7, at + 700));
    expect(found).toMatchObject([
      { state: 'open', source: { name: 'wiki' }, count: 2, first_seen: timeText(at + 6), stop: null },
    ]);
    const closed = await gaps(...[3, 4].map((sequence) => numbered(sequence, at + 800)));
    expect(closed).toMatchObject([{ state: 'resolved', count: 2, last_seen: timeText(at + 801) }]);
    expect(closed[0]!.closed_at).not.toBeNull();
    // It opens again, as the same finding.
    const again = await gaps(numbered(11, at + 900), numbered(12, at + 1_600));
    expect(again).toMatchObject([{ id: found[0]!.id, state: 'open', count: 3 }]);
    // A trouble that began and ended within a step is found all the same.
    const within = await gaps(...[8, 9, 10].map((sequence) => numbered(sequence, at + 1_700)));
    expect(within).toMatchObject([{ id: found[0]!.id, state: 'resolved' }]);
  });

  it('finds a source that is silent while the others go on, also if it speaks again within a step', async () => {
    const at = later();
    clock += 10 * DAY;
    const calls = (user: string, app: 'crm' | 'wiki', days: number, size: number) =>
      many(days, (day) => [
        issued(`${user}-${day}`, at + day * DAY, { user, client: 'mail', app }),
        ...many(size, (nth) => used(`${user}-${day}`, at + day * DAY + 10 + nth * 600, {}, app)),
      ]).flat();
    const silent = (found: Awaited<ReturnType<World['list']>>) =>
      found
        .filter(({ details, first_seen }) => details['how'] === 'silent' && first_seen > timeText(at))
        .map(({ source, state }) => [source?.name, state]);
    // Nobody speaks at night, which is no silence.
    const events = inOrder(...calls('abe', 'wiki', 5, 6), ...calls('bea', 'crm', 9, 30));
    expect(silent(await world.after('source-trouble', ...events))).toEqual([['wiki', 'open']]);
    expect(silent(await world.after('source-trouble', used('abe-4', at + 9 * DAY, {}, 'wiki')))).toEqual([
      ['wiki', 'resolved'],
    ]);
    await world.pool.query('TRUNCATE finding, finding_past, finding_cursor, finding_day, finding_memory');
    await world.find();
    expect(silent(await world.list('&kind=source-trouble'))).toEqual([['wiki', 'resolved']]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { timeText } from '../../../src/contracts/index.js';
import { say } from '../query/history.js';
import { DAY, issued, jag, MONDAY, named, startWorld, used, type World, many } from './world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

let clock = MONDAY;
const HOUR = 3_600;
/** Two days of its own for each spec. */
const later = (): number => (clock += 2 * DAY);

describe('lineage-trouble', () => {
  const kind = 'lineage-trouble';
  const of = (found: Awaited<ReturnType<World['list']>>) =>
    found
      .filter(({ details }) => details['how'] !== 'untold')
      .map(({ details, count }) => [details['how'], count])
      .sort();

  it('finds a token whose ID-JAG does not come in a day, if its IdP tells of the others', async () => {
    const at = later();
    const abe = { user: 'abe', client: 'mail' };
    const untold = async () =>
      (await world.list(`&kind=${kind}`))
        .filter(({ details }) => details['how'] === 'untold')
        .map(({ count }) => count);
    const told = (nth: number) => [jag(`abe-${nth}`, at + nth, abe), issued(`abe-${nth}`, at + nth, abe)];
    await world.after(kind, ...many(15, told).flat(), issued('abe-x', at + 20, abe), issued('abe-y', at + 21, abe));
    expect(await untold()).toEqual([]);
    // One ID-JAG comes after hours, the other never.
    await world.after(kind, { ...jag('abe-y', at + 21, abe), at: at + 9 * HOUR });
    await world.after(kind, issued('abe-z', at + 25 * HOUR, abe));
    expect(await untold()).toEqual([1]);
  });

  it('finds a contradicted token, and uses that are nobody’s after five hours, whether or not their token comes; not sooner', async () => {
    const at = later();
    const xia = { user: 'xia', client: 'mail' };
    await world.after(
      kind,
      issued('xia-1', at, xia),
      issued('xia-1', at + 10, xia, { exp: at + 9_999 }),
      used('xia-2', at + 20),
      used('xia-2', at + 25),
      issued('xia-3', at + 30, xia),
      used('xia-3', at + 40),
      used('xia-4', at + 50),
      say('crm', 'token.issued', at + 3 * HOUR, issued('xia-4', at + 45, xia).data as never),
    );
    expect(of(await world.list(`&kind=${kind}`))).toEqual([['contradicted', 1]]);
    const late = say('crm', 'token.issued', at + 6 * HOUR, issued('xia-2', at + 15, xia).data as never);
    const found = await world.after(kind, late);
    expect(of(found)).toEqual([
      ['contradicted', 1],
      ['nobody', 2],
    ]);
    expect(found.find(({ details }) => details['how'] === 'nobody')).toMatchObject({
      source: { name: 'crm' },
      first_seen: timeText(at + 20),
      details: { hours: 5 },
    });
  });

  it('finds a token that states another user than the IdP says of its ID-JAG, whichever comes first', async () => {
    const at = later();
    const yul = { user: 'yul', client: 'mail' };
    const states = (jti: string, sub: string) => ({ id_jag: { ...named(sub), jti: `jag-of-${jti}` } });
    const found = await world.after(
      kind,
      jag('yul-1', at, yul),
      issued('yul-1', at + 1, yul, states('yul-1', 'zac')),
      issued('yul-2', at + 10, yul, states('yul-2', 'zac')),
      jag('yul-2', at + 11, yul),
      jag('yul-3', at + 20, yul),
      issued('yul-3', at + 21, yul, states('yul-3', 'yul')),
    );
    const misstated = found.filter(({ details }) => details['how'] === 'misstated');
    expect(misstated.map(({ user, details }) => [user?.sub, details['stated']])).toEqual([
      ['yul', 'zac'],
      ['yul', 'zac'],
    ]);
  });
});

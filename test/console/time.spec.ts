import { afterEach, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { cleanUp } from '../support/cleanups.js';
import { askApi, consoleUrl, openConsole, orderBlock } from './open-console.js';

const cleanups = cleanUp(afterEach);
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

const timeOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
const ago = (ms: number): string => timeOf(Date.now() - ms);
const bar = (page: Page) => page.getByRole('region', { name: 'Time that is shown' });
const control = (page: Page) => page.getByRole('button', { name: /^Time: / });
const atOf = (url: string | URL): string | null => new URL(url).searchParams.get('at');

/** Moments of all questions that a page asks from now on. */
function momentsAsked(page: Page): Set<string | null> {
  const moments = new Set<string | null>();
  page.on('request', (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname.startsWith('/v1/')) moments.add(searchParams.get('as_of'));
  });
  return moments;
}

/** Makes a source of the spec's own. Returns a function that publishes changes of connections, one after the other. */
async function ownIdp(name: string): Promise<(event: string, resource: string, scope: string) => Promise<void>> {
  const uri = `https://${name}.example/events`;
  const iss = `https://idp.${name}.example`;
  const types = ['connection.created', 'connection.updated', 'connection.deleted'];
  await askApi('POST', '/v1/sources', { name, uri, types, issuers: [iss] });
  const { secret } = await askApi('POST', '/v1/callers', { id: `${name}-emit`, roles: { emit: { sources: [name] } } });
  let nth = 0;
  return async (event, resource, scope) => {
    nth += 1;
    const answer = await fetch(`${consoleUrl()}/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify({
        specversion: '1.0',
        id: `${name} ${nth}`,
        source: uri,
        type: typeOf(event),
        time: timeOf(Date.now()),
        datacontenttype: 'application/json',
        data: {
          iss,
          idp_client_id: `${name}-client`,
          aud: [`https://as.${name}.example`],
          client_id: `${name}-client-there`,
          resource: [`https://${resource}.${name}.example`],
          scope,
        },
      }),
    });
    if (answer.status !== 200) throw new Error(`${event}: ${answer.status} ${await answer.text()}`);
  };
}
const typeOf = (event: string): string => `dev.rescind.${event}.v1`;

/** The name of a user at the head of the list of a moment. */
const firstUser = async (at?: string): Promise<string> =>
  (await askApi('GET', `/v1/users?limit=1${at === undefined ? '' : `&as_of=${at}`}`)).items[0].user.sub;

describe('a moment', () => {
  it('is fixed when a page opens, the same for all its parts and the next pages, and for a colleague', async () => {
    const { page, search, faults } = await openConsole(cleanups, { path: '/nowhere' });
    const moments = momentsAsked(page);
    await page.goto(`${consoleUrl()}/console/users?at=5d`);
    await page.getByRole('table', { name: 'Users' }).waitFor();
    const at = search().get('at')!;
    expect(Math.abs(Date.now() - 5 * DAY_MS - Date.parse(at))).toBeLessThan(60_000);
    await page
      .getByRole('table')
      .getByText(await firstUser(at))
      .first()
      .waitFor();
    await page.getByRole('table').getByRole('link').first().click();
    await page.getByRole('table', { name: 'Timeline' }).waitFor();
    expect(search().get('at')).toBe(at);
    // The question who asks is always about now.
    expect([...moments].sort()).toEqual([null, at].sort());

    const { page: colleagues } = await openConsole(cleanups, {
      path: page.url().slice(`${consoleUrl()}/console`.length),
    });
    await colleagues.getByRole('table', { name: 'Timeline' }).waitFor();
    const shown = (one: Page) => one.getByRole('main').innerText();
    expect(await shown(colleagues)).toBe(await shown(page));
    expect(faults).toEqual([]);
  });

  it('is chosen in the header, said in a banner with its zone, and left by one click', async () => {
    const { page, search } = await openConsole(cleanups, { path: '/findings', width: 390 });
    await control(page).click();
    await page.getByText('A moment', { exact: true }).click();
    await page.getByLabel('Moment', { exact: true }).fill(ago(-DAY_MS).slice(0, 16));
    await page.getByRole('button', { name: 'Show this moment' }).click();
    await page.getByText('This moment lies ahead.').waitFor();
    const wanted = ago(4 * DAY_MS).slice(0, 16);
    await page.getByLabel('Moment', { exact: true }).fill(wanted);
    await page.getByRole('button', { name: 'Show this moment' }).click();
    await bar(page)
      .getByText(`${wanted.replace('T', ' ')}:00 UTC`)
      .waitFor();
    expect(search().get('at')).toBe(`${wanted}:00Z`);
    await bar(page).getByRole('button', { name: 'Back to now' }).click();
    await bar(page).waitFor({ state: 'detached' });
    expect(search().has('at')).toBe(false);
    expect(await control(page).evaluate('document.activeElement.id')).toBe('time');
  });

  it('is chosen by the keyboard', async () => {
    const { page, search } = await openConsole(cleanups, { path: '/rules' });
    await control(page).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('radio', { name: 'Now', exact: true }).focus();
    await page.keyboard.press('ArrowRight');
    await page.getByRole('button', { name: 'Yesterday' }).focus();
    await page.keyboard.press('Enter');
    await bar(page).waitFor();
    const yesterday = Date.parse(search().get('at')!);
    expect(Math.abs(Date.now() - DAY_MS - yesterday)).toBeLessThan(60_000);
    await page.getByRole('slider', { name: 'Moment in the week' }).focus();
    await page.keyboard.press('ArrowLeft');
    await page.waitForURL((url) => Date.parse(atOf(url)!) < yesterday);
    expect(yesterday - Date.parse(search().get('at')!)).toBeLessThanOrEqual(HOUR_MS);
  });

  it('is not asked for again when something happens, and what is of now says so', async () => {
    const at = ago(HOUR_MS);
    const { page } = await openConsole(cleanups, { path: `/?at=${at}`, fresh: true });
    await page.getByRole('region', { name: 'Open findings' }).locator('bdi').first().waitFor();
    await page.getByRole('region', { name: 'Rules in force' }).getByText('now, not').waitFor();
    await page.getByRole('region', { name: 'The service' }).getByText('hears of findings and rules at once').waitFor();
    const [finding] = (await askApi('GET', '/v1/findings?state=open&kind=token-from-two-networks&limit=1')).items;
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    // The rule comes after the finding on the stream: what follows it has heard both.
    cleanups.push(() => askApi('POST', `/v1/findings/${finding.id}`, { state: 'open' }));
    await askApi('POST', `/v1/findings/${finding.id}`, { state: 'acknowledged' });
    const rulesAgain = page.waitForRequest(/\/v1\/revocations\?/);
    await orderBlock(cleanups);
    await rulesAgain;
    expect(asked).not.toContain('/v1/findings');
    expect(asked).not.toContain('/v1/coverage');
  });

  it('before the first event is said calmly', async () => {
    const { page } = await openConsole(cleanups, { path: '/users?at=2020-01-01T00:00:00Z' });
    await page.getByText('Nothing is known of this moment').waitFor();
    await bar(page).getByRole('button', { name: 'Back to now' }).click();
    await page.getByRole('table', { name: 'Users' }).waitFor();
  });

  it('at which nobody had named an entity is told apart from an entity that there is not', async () => {
    const { items } = await askApi('GET', '/v1/agents?sort=first_seen&limit=1');
    const [{ agent, first_seen: first }] = items;
    const path = `/agents/${agent.entity}?at=${timeOf(Date.parse(first.at) - 1_000)}`;
    const { page } = await openConsole(cleanups, { path });
    await page.getByText('Not known at this moment').waitFor();
    await bar(page).getByRole('button', { name: 'Back to now' }).click();
    await page.getByRole('heading', { level: 1, name: agent.id }).waitFor();
  });

  it('before a finding is a click away', async () => {
    const { items } = await askApi('GET', '/v1/findings?kind=bulk-export&limit=1');
    const { page, search } = await openConsole(cleanups, { path: `/findings?finding=${items[0].id}` });
    await page.getByRole('dialog').getByRole('link', { name: 'the moment before' }).click();
    await bar(page).waitFor();
    expect(search().get('at')).toBe(timeOf(Date.parse(items[0].first_seen) - 1_000));
    expect(page.url()).toMatch(/\/console\/(?:agents|clients|users)\/\d+\?/);
  });
});

describe('orders on a page that shows the past', () => {
  it('say that they act now', async () => {
    const at = ago(HOUR_MS);
    const { items } = await askApi('GET', `/v1/findings?as_of=${at}&severity=high&limit=1`);
    const { page } = await openConsole(cleanups, { path: `/findings?finding=${items[0].id}&at=${at}` });
    await page.getByRole('dialog').getByText('A change acts now, not at').waitFor();
    await page.getByRole('dialog').getByRole('link', { name: 'Stop this… (now)' }).click();
    await page.getByText('An order acts now, not at').waitFor();
    await page.getByRole('region', { name: 'What it hits now' }).getByText('now, not').waitFor();
    await bar(page).getByRole('button', { name: 'Back to now' }).click();
    await page.getByText('An order acts now, not at').waitFor({ state: 'detached' });
  });
});

describe('the slider', () => {
  it('plays by days until now, and leaves no trail in the history', async () => {
    const { page, search } = await openConsole(cleanups, {
      path: `/rules?at=${ago(2.5 * DAY_MS)}`,
      motion: 'no-preference',
    });
    await bar(page).getByText('day', { exact: true }).click();
    const length = await page.evaluate('history.length');
    const seen: (string | null)[] = [];
    page.on('framenavigated', () => seen.push(search().get('at')));
    await bar(page).getByRole('button', { name: 'Play' }).click();
    await bar(page).waitFor({ state: 'detached' });
    expect(search().has('at')).toBe(false);
    const days = seen.filter((at) => at !== null).map((at) => Date.parse(at));
    expect(days).toHaveLength(2);
    expect(days.every((ms) => ms % HOUR_MS === 0 && ms < Date.now())).toBe(true);
    expect(days[1]! - days[0]!).toBe(DAY_MS);
    // The last step, to now, is one that the way back may undo.
    expect(Number(await page.evaluate('history.length')) - Number(length)).toBeLessThanOrEqual(1);
  });

  it('stands still when it is stopped', async () => {
    const { page, search } = await openConsole(cleanups, {
      path: `/rules?at=${ago(3 * DAY_MS)}`,
      motion: 'no-preference',
      fresh: true,
      before: (opened) => opened.clock.install(),
    });
    const first = search().get('at');
    await bar(page).getByRole('button', { name: 'Play' }).click();
    await page.waitForURL((url) => atOf(url) !== first);
    await bar(page).getByRole('button', { name: 'Pause' }).click();
    await bar(page).getByRole('button', { name: 'Play' }).waitFor();
    const stopped = search().get('at');
    await page.clock.runFor(10_000);
    expect(search().get('at')).toBe(stopped);
  });

  it('goes by steps where the system asks for little motion', async () => {
    const { page } = await openConsole(cleanups, { path: `/rules?at=${ago(DAY_MS)}` });
    await page.getByText('Your system asks for little motion').waitFor();
    expect(await bar(page).getByRole('button', { name: 'Play' }).count()).toBe(0);
    const before = page.url();
    await bar(page).getByRole('button', { name: 'One hour back' }).click();
    await page.waitForURL((url) => atOf(url)! < atOf(before)!);
  });
});

describe('the map', () => {
  const drawing = (page: Page): Promise<string> =>
    page.evaluate(`document.querySelector('[role="grid"] canvas').toDataURL()`);

  it('plays by itself, draws each moment, and stands still when it is paused', async () => {
    const { page, faults } = await openConsole(cleanups, {
      path: `/map?at=${ago(6 * DAY_MS)}`,
      motion: 'no-preference',
      fresh: true,
      before: (opened) => opened.clock.install(),
    });
    await page.getByRole('grid').locator('canvas').first().waitFor();
    await bar(page).getByText('day', { exact: true }).click();
    await bar(page).getByRole('button', { name: 'Play' }).click();
    const asked = momentsAsked(page);
    const seen = new Map<string | null, string>();
    for (let at = atOf(new URL(page.url())); seen.size < 3; at = atOf(new URL(page.url()))) {
      // Nobody touches anything: the page goes on when the answer about the moment has come and was drawn.
      await page.waitForURL((url) => atOf(url) !== at);
      seen.set(at, await drawing(page));
    }
    expect(new Set(seen.values()).size).toBeGreaterThan(1);
    await bar(page).getByRole('button', { name: 'Pause' }).click();
    await bar(page).getByRole('button', { name: 'Play' }).waitFor();
    // The answer about the last moment may still be on its way.
    while (!asked.has(atOf(page.url()))) await page.waitForEvent('request');
    await page.locator('[aria-busy="false"] [role="grid"] canvas').waitFor();
    const [stopped, still] = [page.url(), await drawing(page)];
    await page.clock.runFor(10_000);
    expect([page.url(), await drawing(page)]).toEqual([stopped, still]);
    expect(faults).toEqual([]);
  });
});

describe('two moments', () => {
  it.each(['user', 'agent'] as const)('show which grants of a %s are new, gone and grown', async (kind) => {
    const [most] = (await askApi('GET', `/v1/${kind}s?sort=grants&limit=1`)).items;
    const { entity } = most[kind];
    const grantsAt = async (moment: string): Promise<readonly any[]> =>
      (await askApi('GET', `/v1/grants?${kind}=${entity}&limit=100${moment}`)).items;
    const after = await grantsAt('');
    const firsts = after.map((grant) => Date.parse(grant.first_granted.at)).sort((one, other) => one - other);
    const against = timeOf(firsts[Math.floor(firsts.length / 2)]!);
    const before = await grantsAt(`&as_of=${against}`);
    const keyOf = (grant: any): string => `${grant.user.entity} ${grant.client.entity} ${grant.resource.entity}`;
    const earlier = new Map(before.map((grant) => [keyOf(grant), grant]));
    const said = (grant: any): string => JSON.stringify([grant.granted_scopes, grant.used_scopes, grant.agent?.entity]);
    const expected = {
      New: after.filter((grant) => !earlier.has(keyOf(grant))).length,
      Gone: before.filter((grant) => !after.some((one) => keyOf(one) === keyOf(grant))).length,
      'Grown or changed': after.filter(
        (grant) => earlier.has(keyOf(grant)) && said(grant) !== said(earlier.get(keyOf(grant))),
      ).length,
    };
    expect(expected.New).toBeGreaterThan(0);
    const { page, faults } = await openConsole(cleanups, { path: `/${kind}s/${entity}?against=${against}` });
    await page.getByRole('table', { name: 'New', exact: true }).waitFor();
    for (const [name, count] of Object.entries(expected))
      expect([name, await page.getByRole('region', { name, exact: true }).locator('tbody tr').count()]).toEqual([
        name,
        count,
      ]);
    const added = after.find((grant) => !earlier.has(keyOf(grant)));
    await page
      .getByRole('table', { name: 'New', exact: true })
      .getByText(added.resource.uri, { exact: true })
      .first()
      .waitFor();
    expect(faults).toEqual([]);
  });

  it('show what is new, gone and grown between them', async () => {
    const publish = await ownIdp('differs');
    const against = ago(1_000);
    await publish('connection.created', 'gone', 'read');
    await publish('connection.created', 'grown', 'read');
    await publish('connection.updated', 'grown', 'read write');
    await publish('connection.deleted', 'gone', 'read');
    const { items } = await askApi('GET', '/v1/clients?q=differs-client-there');
    const { page, faults } = await openConsole(cleanups, {
      path: `/clients/${items[0].client.entity}?against=${against}`,
    });
    const rows = (name: string) => page.getByRole('table', { name, exact: true }).getByRole('row');
    await rows('New').filter({ hasText: 'gone.differs.example' }).getByText('New connection').waitFor();
    await rows('New').filter({ hasText: 'grown.differs.example' }).getByText('New connection').waitFor();
    await rows('Gone').filter({ hasText: 'gone.differs.example' }).getByText('Connection is gone').waitFor();
    await rows('Grown or changed').filter({ hasText: 'grown.differs.example' }).getByText('write').waitFor();
    expect(await rows('Gone').filter({ hasText: 'grown.differs.example' }).count()).toBe(0);
    await page.getByText('This client is new').waitFor();
    expect(faults).toEqual([]);
  });

  it('are chosen in the header, earlier before later, and shown on home and in lists', async () => {
    const { page, search } = await openConsole(cleanups);
    await control(page).click();
    await page.getByText('Compare', { exact: true }).click();
    await page.getByLabel('Earlier moment').fill(ago(DAY_MS).slice(0, 16));
    await page.getByLabel('Later moment').fill(ago(2 * DAY_MS).slice(0, 16));
    await page.getByRole('button', { name: 'Show the difference' }).click();
    await page.getByText('The earlier moment is not before the later one.').waitFor();
    await page.getByLabel('Earlier moment').fill(ago(6 * DAY_MS).slice(0, 16));
    await page.getByRole('button', { name: 'Show the difference' }).click();
    const changed = page.getByRole('region', { name: 'What changed' });
    await changed.getByRole('table', { name: 'Grown or changed' }).waitFor();
    const [at, against] = [search().get('at'), search().get('against')];
    const { items } = await askApi(
      'GET',
      `/v1/changes?since=${against}&until=${at}&limit=1&kind=connection-changed,grants-grew,scopes-granted,scopes-used`,
    );
    await changed.getByText(items[0].client.client_id).first().waitFor();
    await page.getByRole('navigation', { name: 'Places' }).getByText('Users').click();
    await page.getByRole('table', { name: 'Users' }).waitFor();
    expect([search().get('at'), search().get('against')]).toEqual([at, against]);
    await bar(page).getByRole('button', { name: 'Do not compare' }).click();
    await page.waitForURL((url) => !url.searchParams.has('against') && atOf(url) === at);
  });
});

it.each([390, 1280])('the banner and its slider fit %d pixels', async (width) => {
  const { page } = await openConsole(cleanups, { path: '/users?at=3d&against=5d', width });
  await page.getByRole('table', { name: 'Users' }).waitFor();
  await page.getByRole('slider', { name: 'Moment in the week' }).waitFor();
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
});

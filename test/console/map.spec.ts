import { afterEach, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { cleanUp } from '../support/cleanups.js';
import { askApi, openConsole } from './open-console.js';

const cleanups = cleanUp(afterEach);
const GRID = { name: 'Clients and resources' } as const;
const grid = (page: Page) => page.getByRole('grid', GRID);
const focused = (page: Page): Promise<string> => grid(page).getByRole('gridcell').innerText();

interface Matrix {
  readonly clients: readonly any[];
  readonly resources: readonly any[];
  readonly cells: readonly any[];
  readonly total: Readonly<Record<string, number>>;
}
const matrix = (query = ''): Promise<Matrix> => askApi('GET', `/v1/matrix${query}`);

/** A client that is used at a resource, with its words. */
async function used() {
  const answer = await matrix();
  const cell = answer.cells.find(({ state, granted_scopes: scopes }) => state === 'used' && scopes.length > 0);
  const { client } = answer.clients.find((one) => one.client.entity === cell.client);
  const { resource } = answer.resources.find((one) => one.resource.entity === cell.resource);
  return { cell, client, resource, key: `${cell.client}-${cell.resource}` };
}

/** Looks whether the place of the page for answers was ever empty or loading. */
const watchLoading = (page: Page): Promise<unknown> =>
  page.evaluate(`{
    window.seenLoading = 0;
    new MutationObserver(() => {
      if (document.querySelector('[aria-label="Loading"]')) window.seenLoading += 1;
    }).observe(document.getElementById('main'), { childList: true, subtree: true });
  }`);

describe('the matrix', () => {
  it('counts all cells of the API by their state, and its legend filters them in the URL', async () => {
    const { total } = await matrix();
    const { page, search, faults } = await openConsole(cleanups, { path: '/map' });
    await page.getByText(`${total['cells']} connections`, { exact: false }).waitFor();
    for (const [state, words] of [
      ['used', 'used'],
      ['granted', 'granted, never used'],
      ['denied', 'denied only'],
    ])
      await page.getByRole('button', { name: `${words} ${total[state!]}`, exact: true }).waitFor();
    await page.getByRole('button', { name: `used ${total['used']}`, exact: true }).click();
    await page.waitForURL(/state=/);
    expect(JSON.parse(search().get('state')!)).toEqual(['used']);
    await page.getByText(`, ${total['used']} connections`).waitFor();
    expect(faults).toEqual([]);
  });

  it('is walked with the arrow keys, says each cell in words, and Enter opens it without losing the place', async () => {
    const { cell, client, resource, key } = await used();
    const { page, search, faults } = await openConsole(cleanups, { path: `/map?q=${client.client_id}` });
    await grid(page).focus();
    const words = (): Promise<string> => focused(page);
    const before = await words();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowLeft');
    expect(await words()).toBe(before);
    const rows = Number(await grid(page).getAttribute('aria-rowcount'));
    const columns = Number(await grid(page).getAttribute('aria-colcount'));
    const wanted = `${client.client_id} at ${resource.uri}: used;`;
    await page.keyboard.press('Control+Home');
    for (let row = 0; row < rows && !(await words()).startsWith(`${client.client_id} at`); row += 1)
      await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Home');
    for (let column = 0; column < columns && !(await words()).startsWith(wanted); column += 1)
      await page.keyboard.press('ArrowRight');
    const said = await words();
    expect(said).toContain(wanted);
    expect(said).toContain(`${cell.grants} user`);
    for (const scope of cell.granted_scopes) expect(said).toContain(scope);
    expect(await grid(page).getAttribute('aria-activedescendant')).toBe(
      await grid(page).getByRole('gridcell').getAttribute('id'),
    );
    await page.keyboard.press('Enter');
    const panel = page.getByRole('dialog', { name: 'Connection' });
    await panel.getByText(`${cell.grants} hold a grant`).waitFor();
    expect(JSON.parse(`"${search().get('cell')}"`)).toBe(key);
    expect(search().get('q')).toBe(client.client_id);
    const stop = new URL(
      (await panel.getByRole('link', { name: 'Stop this connection…' }).getAttribute('href'))!,
      page.url(),
    );
    expect(stop.searchParams.get('resource')).toBe(resource.uri);
    expect(JSON.parse(stop.searchParams.get('client')!)).toEqual({ iss: client.iss, client_id: client.client_id });
    expect(await panel.getByRole('link', { name: client.client_id }).getAttribute('href')).toContain(
      `/clients/${client.entity}`,
    );
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'hidden' });
    await page.waitForURL((url) => !url.searchParams.has('cell'));
    expect(await words()).toBe(said);
    expect(faults).toEqual([]);
  });

  it('shows the cell of a link, and says it to the pointer', async () => {
    const { client, key } = await used();
    const { page, faults } = await openConsole(cleanups, { path: `/map?zoom=3&cell=${key}` });
    await page.getByRole('dialog', { name: 'Connection' }).getByRole('link', { name: client.client_id }).waitFor();
    expect(await focused(page)).toContain(`${client.client_id} at`);
    const box = (await grid(page).boundingBox())!;
    await page.mouse.move(box.x + 14, box.y + 28 + 14);
    await page
      .locator('#main')
      .getByText(/^.+ at .+: (?:no connection|used|granted|dormant|denied)/)
      .first()
      .waitFor();
    expect(faults).toEqual([]);
  });

  it('is a table too, with the same cells', async () => {
    const { total } = await matrix();
    const { page } = await openConsole(cleanups, { path: '/map' });
    await page.getByRole('tab', { name: 'Table' }).click();
    await page.waitForURL(/show=table/);
    await page.locator(`table[aria-label="Connections"][aria-rowcount="${total['cells']}"]`).waitFor();
  });

  it('keeps its places and never goes blank while time goes by', async () => {
    const then = await matrix('?as_of=6d');
    const now = await matrix();
    expect(then.total['used']).toBeLessThan(now.total['used']!);
    const { page, faults } = await openConsole(cleanups, { path: '/map?at=6d' });
    const sizes = async () => [
      await grid(page).getAttribute('aria-rowcount'),
      await grid(page).getAttribute('aria-colcount'),
    ];
    const shows = ({ total }: Matrix) =>
      page.getByRole('button', { name: `used ${total['used']}`, exact: true }).waitFor();
    await shows(then);
    const places = await sizes();
    await grid(page).focus();
    await page.keyboard.press('ArrowDown');
    const at = (await focused(page)).split(':')[0];
    await watchLoading(page);
    await page.evaluate(
      `history.pushState({}, '', '/console/map?at=1d'); dispatchEvent(new PopStateEvent('popstate'))`,
    );
    const next = await matrix('?as_of=1d');
    await shows(next);
    expect(await sizes()).toEqual(places);
    expect((await focused(page)).split(':')[0]).toBe(at);
    expect(await page.evaluate('window.seenLoading')).toBe(0);
    expect(faults).toEqual([]);
  });

  it('offers no order in the past', async () => {
    const { cells } = await matrix('?as_of=1h');
    const { page } = await openConsole(cleanups, { path: `/map?at=1h&cell=${cells[0].client}-${cells[0].resource}` });
    await page.getByText('Orders are made in the present.').waitFor();
    expect(await page.getByRole('link', { name: 'Stop this connection…' }).count()).toBe(0);
  });

  it('shows hostile names for what they are', async () => {
    const answer = await matrix();
    const name = '<img src=x onerror=alert(1)>\u202Egnp';
    const hostile = {
      ...answer,
      clients: answer.clients.map((one) => ({
        ...one,
        client: { ...one.client, client_id: name, display_name: undefined },
      })),
    };
    const { page, faults } = await openConsole(cleanups, {
      path: '/map',
      before: (opened) => opened.route('**/v1/matrix*', (route) => route.fulfill({ json: hostile })),
    });
    await grid(page).focus();
    expect(await focused(page)).toContain('<img src=x onerror=alert(1)>\\u{202e}gnp at');
    expect(faults).toEqual([]);
  });
});

describe('the graph', () => {
  const nodes = (page: Page) => page.locator('.react-flow__node');

  it('is loaded when it is opened, folds users, and draws them when somebody asks', async () => {
    const { page, search, faults } = await openConsole(cleanups, { path: '/map', fresh: true });
    const loaded: string[] = [];
    page.on('request', (request) => loaded.push(request.url()));
    await grid(page).waitFor();
    expect(loaded.filter((url) => /elk|layered-graph/.test(url))).toEqual([]);
    await page.getByRole('tab', { name: 'Graph' }).click();
    await nodes(page).first().waitFor();
    expect(loaded.filter((url) => /elk-worker/.test(url))).toHaveLength(1);
    const fold = page.getByRole('button', { name: /folded\s*\+ \d+ users?$/ }).first();
    const count = Number(/\d+/.exec(await fold.innerText().then((text) => text.replace('folded', '')))![0]);
    const drawn = await page.getByRole('button', { name: /^user / }).count();
    // It may lie outside the frame: the keyboard brings it into sight.
    await fold.press('Enter');
    await page.waitForURL(/unfold=/);
    await page
      .getByRole('button', { name: /^user/ })
      .nth(drawn + count - 1)
      .waitFor();
    expect(await nodes(page).count()).toBeLessThanOrEqual(200);
    expect(search().get('show')).toBe('graph');
    expect(faults).toEqual([]);
  });

  it('makes the users of each team one node when somebody asks, with the numbers of the API in the table', async () => {
    const { items } = await askApi('GET', '/v1/users?sort=grants&limit=3');
    const entries = items.map(({ user: { iss, sub: id } }: any) => ({ kind: 'user', iss, id, team: 'Night watch' }));
    await askApi('POST', '/v1/directory/import', entries);
    for (const { iss, id } of entries)
      cleanups.push(() => askApi('DELETE', `/v1/directory/users/${id}?iss=${encodeURIComponent(iss)}`));
    const answer = await askApi('GET', '/v1/graph?fold=teams');
    const team = answer.nodes.find(({ name }: any) => name === 'Night watch');
    expect(team.users).toBe(3);
    const { page, search, faults } = await openConsole(cleanups, { path: '/map?show=graph&whole=true' });
    await page.getByRole('switch', { name: 'Users by team' }).press('Space');
    await nodes(page).filter({ hasText: 'Night watch' }).getByText('team, 3 users').waitFor();
    expect(search().get('teams')).toBe('true');
    await nodes(page).getByText('users without a team').waitFor();
    expect(await nodes(page).count()).toBeLessThanOrEqual(200);
    // From the users to the resources, every layer is in sight.
    const { x, width } = (await page.locator('.react-flow').boundingBox())!;
    const sides = await page.evaluate<{ left: number; right: number }[]>(
      `[...document.querySelectorAll('.react-flow__node')].map((node) => node.getBoundingClientRect().toJSON())`,
    );
    expect(Math.min(...sides.map(({ left }) => left))).toBeGreaterThanOrEqual(x);
    expect(Math.max(...sides.map(({ right }) => right))).toBeLessThanOrEqual(x + width);
    expect(await page.getByRole('button', { name: /folded\s*\+ \d+ users?$/ }).count()).toBe(0);
    // The table is as long as the edges that the API gave between drawn nodes.
    const drawn = answer.edges.filter(({ type, from }: any) => type === 'grant' && String(from).startsWith('team:'));
    expect(drawn.every(({ users }: any) => users > 0)).toBe(true);
    const table = page.getByRole('table', { name: 'Drawn connections' });
    expect(Number(await table.getAttribute('aria-rowcount'))).toBeGreaterThanOrEqual(drawn.length);
    await page.getByRole('switch', { name: 'Users by team' }).press('Space');
    await page.waitForURL((url) => !url.searchParams.has('teams'));
    expect(faults).toEqual([]);
  });

  it('is drawn around one entity by its URL, with the same as a table', async () => {
    const { client } = await used();
    const answer = await askApi('GET', `/v1/graph?expand=${client.entity}`);
    const resources = answer.nodes.filter(({ type }: any) => type === 'resource');
    const { page, search, faults } = await openConsole(cleanups, { path: `/map?show=graph&focus=${client.entity}` });
    for (const { name } of resources)
      await page.getByRole('button', { name: `resource ${name.replace('https://', '')}` }).waitFor();
    await page.locator(`table[aria-label="Drawn connections"][aria-rowcount="${answer.edges.length}"]`).waitFor();
    await page.getByRole('button', { name: `resource ${resources[0].name.replace('https://', '')}` }).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(new RegExp(`focus=${resources[0].id}`));
    await page.goBack();
    await page.waitForURL(new RegExp(`focus=${client.entity}`));
    expect(search().get('show')).toBe('graph');
    expect(faults).toEqual([]);
  });
});

describe('the lineage of a token', () => {
  it('is drawn from the sign-in to the uses, with the same as a list', async () => {
    const { items } = await askApi('GET', '/v1/findings?kind=second-hop&limit=1');
    const { items: accesses } = await askApi('GET', `/v1/access?client=${items[0].client.entity}&limit=100`);
    let token: any;
    for (const id of new Set(accesses.map((one: any) => one.token))) {
      const found = await askApi('GET', `/v1/tokens/${id}`);
      if (found.lineage.id_jags.length > 1) token = found;
    }
    expect(token).toBeDefined();
    const { page, faults } = await openConsole(cleanups, { path: `/tokens/${token.id}` });
    const drawing = page.locator('.react-flow__node');
    await drawing.filter({ hasText: 'this token' }).waitFor();
    expect(await drawing.filter({ hasText: 'ID-JAG' }).count()).toBe(token.lineage.id_jags.length);
    const uses = page.locator(`.react-flow__node[data-id="uses ${token.id}"]`);
    await uses.filter({ hasText: `${token.accesses.count} call` }).waitFor();
    const list = page.getByRole('table', { name: 'Steps of the lineage' }).locator('tbody tr');
    expect(await list.count()).toBe(2 + token.lineage.id_jags.length + token.lineage.tokens.length);
    const [parent] = token.lineage.tokens;
    // It may lie outside the frame: the keyboard brings it into sight.
    await page
      .getByRole('button', { name: /^token/ })
      .first()
      .press('Enter');
    await page.waitForURL(`**/tokens/${parent.id}`);
    await uses.filter({ hasText: `${token.accesses.count} call` }).waitFor();
    expect(faults).toEqual([]);
  });

  it('opens beside the tokens of an entity', async () => {
    const { items } = await askApi('GET', '/v1/clients?limit=20');
    let open: { entity: number; token: string } | undefined;
    for (const { client } of items) {
      const { tokens } = await askApi('GET', `/v1/blast-radius?client=${client.entity}&preview=false`);
      if (tokens.newest.length > 0) open ??= { entity: client.entity, token: tokens.newest[0].id };
    }
    const { page, search } = await openConsole(cleanups, { path: `/clients/${open!.entity}?show=reach` });
    await page.getByRole('button', { name: 'lineage' }).first().click();
    await page.getByRole('dialog').locator('.react-flow__node').filter({ hasText: 'this token' }).waitFor();
    expect(search().get('token')).toBe(open!.token);
  });
});

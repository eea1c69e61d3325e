import { afterEach, describe, expect, it } from '@jest/globals';
import { cleanUp } from '../support/cleanups.js';
import { askApi, openConsole } from './open-console.js';

const cleanups = cleanUp(afterEach);

const nameOf = (entity: any): string =>
  entity.display_name ?? entity.sub ?? entity.client_id ?? entity.id ?? entity.uri;

describe.each(['user', 'client', 'agent', 'resource'] as const)('the list of %ss', (kind) => {
  const label = `${kind[0]!.toUpperCase()}${kind.slice(1)}s`;

  it('has the numbers of the API, is sorted by its heads, and its URL says how', async () => {
    const { page, search, faults } = await openConsole(cleanups, { path: `/${kind}s` });
    const rows = page.getByRole('table', { name: label }).locator('tr[data-index]');
    await rows.first().waitFor();
    const [first] = (await askApi('GET', `/v1/${kind}s?limit=1`)).items;
    expect(await rows.first().innerText()).toMatch(new RegExp(`\\b${first.grants}\\b`));
    await page.getByRole('button', { name: 'Last use' }).click();
    await page.waitForURL(/sort=last_used/);
    const [latest] = (await askApi('GET', `/v1/${kind}s?limit=1&sort=last_used`)).items;
    await rows.first().getByText(nameOf(latest[kind]), { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Last use' }).click();
    await page.waitForURL(/order=asc/);
    expect(await page.locator('th[aria-sort]').getAttribute('aria-sort')).toBe('ascending');
    expect(search().get('sort')).toBe('last_used');
    expect(faults).toEqual([]);
  });

  it('leads to the page of each, which shows the same numbers and leads to the stop', async () => {
    const [first] = (await askApi('GET', `/v1/${kind}s?limit=1`)).items;
    const { page, faults } = await openConsole(cleanups, { path: `/${kind}s` });
    await page.getByRole('table', { name: label }).getByRole('link').first().click();
    await page.waitForURL(`**/console/${kind}s/${first[kind].entity}`);
    await page.getByRole('heading', { level: 1, name: nameOf(first[kind]) }).waitFor();
    await page.getByRole('table', { name: 'Timeline' }).locator('tr[data-index]').first().waitFor();
    const stop = new URL((await page.getByRole('link', { name: 'Stop…' }).getAttribute('href'))!, page.url());
    const { entity: _id, display_name: _name, ...selector } = first[kind];
    const given = stop.searchParams.get(kind)!;
    if (kind === 'resource') expect(given).toBe(selector.uri);
    else expect(JSON.parse(given)).toEqual(selector);
    expect(faults).toEqual([]);
  });
});

it('filters by name, in the URL', async () => {
  const [first] = (await askApi('GET', '/v1/users?limit=1')).items;
  const { page, search } = await openConsole(cleanups, { path: '/users' });
  await page.getByRole('textbox', { name: 'Name' }).fill(first.user.sub);
  await page.waitForURL(/q=/);
  expect(search().get('q')).toBe(first.user.sub);
  const { items } = await askApi('GET', `/v1/users?q=${first.user.sub}`);
  await page.locator(`table[aria-rowcount="${items.length}"]`).waitFor();
});

describe('the page of an entity', () => {
  it('shows what lies in the span that somebody draws over the uses', async () => {
    const [{ agent }] = (await askApi('GET', '/v1/agents?limit=1')).items;
    const { page, search, faults } = await openConsole(cleanups, { path: `/agents/${agent.entity}` });
    const chart = page.getByRole('img', { name: /Uses by the/ });
    await chart.locator('path').first().waitFor();
    await chart.scrollIntoViewIfNeeded();
    const { x, y, width, height } = (await chart.boundingBox())!;
    await page.mouse.move(x + width * 0.4, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.5, y + height / 2, { steps: 5 });
    await page.mouse.move(x + width * 0.6, y + height / 2, { steps: 5 });
    await page.mouse.up();
    await page.waitForURL(/from=/);
    const [from, to] = [search().get('from')!, search().get('to')!];
    expect(Date.parse(from)).toBeLessThan(Date.parse(to));
    const { items } = await askApi('GET', `/v1/timeline?agent=${agent.entity}&from=${from}&to=${to}&limit=100`);
    if (items.length === 0) await page.getByText('Nothing happened').waitFor();
    else await page.locator(`table[aria-label="Timeline"][aria-rowcount="${items.length}"]`).waitFor();
    expect(faults).toEqual([]);
  });

  it('shows granted and unused scopes, the blast radius, its tokens and the rule that stops it', async () => {
    const [{ client }] = (await askApi('GET', '/v1/clients?limit=1')).items;
    const { page, faults } = await openConsole(cleanups, { path: `/clients/${client.entity}` });
    await page.getByRole('tab', { name: 'Connections' }).click();
    const [connection] = (await askApi('GET', `/v1/connections?client=${client.entity}&limit=1`)).items;
    const row = page.getByRole('table', { name: 'Connections' }).locator('tbody tr').first();
    for (const scope of connection.granted_scopes) await row.getByText(scope, { exact: true }).waitFor();
    expect(await row.getByTitle('never used').count()).toBe(connection.unused_scopes.length);
    await page.getByRole('tab', { name: 'Blast radius' }).click();
    await page.waitForURL(/show=reach/);
    const reach = await askApi('GET', `/v1/blast-radius?client=${client.entity}&preview=false`);
    await page.getByText(`stops ${reach.rules[0].live_tokens} live tokens`).waitFor();
    expect(faults).toEqual([]);
  });

  it('lists all grants of a client, of which only those in sight are in the page', async () => {
    const [{ client, grants }] = (await askApi('GET', '/v1/clients?limit=1')).items;
    const { page, faults } = await openConsole(cleanups, { path: `/clients/${client.entity}?show=grants` });
    const table = page.getByRole('table', { name: 'Grants' });
    const rows = table.locator('tr[data-index]');
    await rows.first().waitFor();
    expect(grants).toBeGreaterThan(30);
    const last = table.locator(`tr[data-index="${grants - 1}"]`);
    while ((await last.count()) === 0) await page.evaluate('scrollTo(0, document.body.scrollHeight)');
    expect(await rows.count()).toBeLessThan(30);
    expect(faults).toEqual([]);
  });

  it('says so where there is none', async () => {
    const { page } = await openConsole(cleanups, { path: '/users/999999999' });
    await page.getByRole('alert').getByText('not-found').waitFor();
  });
});

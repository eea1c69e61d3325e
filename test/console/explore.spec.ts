import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { cleanUp } from '../support/cleanups.js';
import { askApi, consoleUrl, openConsole } from './open-console.js';

const cleanups = cleanUp(afterEach);
const count = (value: number): string => new Intl.NumberFormat('en').format(value);

/** A path of Explore with a question in its URL. */
const pathOf = (question: object): string =>
  `/explore?${Object.entries(question)
    .map(([name, value]) => `${name}=${encodeURIComponent(typeof value === 'string' ? value : JSON.stringify(value))}`)
    .join('&')}`;

const EXPORTS = {
  measures: ['records', 'calls'],
  by: ['user', 'resource'],
  filter: { operation: { equals: 'export' } },
};
const groups = (page: Page) => page.getByRole('table', { name: 'Groups' }).locator('tr[data-index]');

let viewer: string;
beforeAll(async () => {
  const roles = { audit: { payloads: false } };
  ({ secret: viewer } = await askApi('POST', '/v1/callers', { id: 'explore-viewer', roles }));
});

describe('the question builder', () => {
  it('begins with questions, and a chosen one is asked and stands in the URL', async () => {
    const { page, search, faults } = await openConsole(cleanups, { path: '/explore' });
    await page.getByRole('link', { name: 'Who exported most?' }).click();
    await groups(page).first().waitFor();
    expect(JSON.parse(search().get('by')!)).toEqual(['user', 'resource']);
    const { items } = await askApi('POST', '/v1/explore', { ...EXPORTS, from: search().get('from') });
    expect(await groups(page).first().innerText()).toContain(count(items[0].values.records));
    await page.getByRole('img', { name: 'records, drawn' }).locator('canvas').first().waitFor();
    expect(faults).toEqual([]);
  });

  it('is used by the keyboard: a measure, a group, a filter, an order', async () => {
    const { page, search } = await openConsole(cleanups, { path: pathOf({ measures: ['calls'] }) });
    await page.getByRole('group', { name: 'Sums' }).waitFor();
    await page.getByRole('combobox', { name: 'Grouped by' }).focus();
    await page.keyboard.type('client');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL(/by=/);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: '+ Filter' }).focus();
    await page.keyboard.press('Enter');
    const form = page.getByRole('form', { name: 'A condition' });
    await form.getByRole('combobox', { name: 'Value' }).focus();
    await page.keyboard.press('ArrowDown');
    await page.getByRole('option', { name: 'export' }).waitFor();
    for (let nth = 0; nth < 4; nth += 1) await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await form.getByRole('button', { name: 'Add' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/filter=/);
    const filter = JSON.parse(search().get('filter')!);
    expect(Object.keys(filter)).toEqual(['operation']);
    await groups(page).first().waitFor();
    await page.getByRole('button', { name: 'calls', exact: false }).last().focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/order=/);
    expect(JSON.parse(search().get('order')!)).toEqual([{ by: 'calls', of: 'value', descending: false }]);
  });

  it('says what the API says, beside the field that is at fault', async () => {
    const { page } = await openConsole(cleanups, {
      path: pathOf({ measures: ['calls'], by: ['user'], filter: { user: { equals: 'nobody-at-all' } } }),
    });
    await page.getByText('no `user` of this name has been seen').waitFor();
    expect(await page.getByRole('button', { name: 'Filter: user is', exact: true }).getAttribute('aria-invalid')).toBe(
      'true',
    );
    await page.getByRole('button', { name: 'Remove: Filter: user is' }).click();
    await groups(page).first().waitFor();
  });

  it('compares with the window before, and draws hours without a gap', async () => {
    const compared = { measures: ['calls'], by: ['outcome'], from: '4d', compare: { from: '8d', to: '4d' } };
    const { page } = await openConsole(cleanups, { path: pathOf(compared) });
    const { items } = await askApi('POST', '/v1/explore', compared);
    await groups(page).first().waitFor();
    const cells = await groups(page).first().locator('td').allInnerTexts();
    const { before, delta } = items[0];
    expect(cells.slice(2, 4)).toEqual([count(before.calls), `${delta.calls > 0 ? '+' : ''}${count(delta.calls)}`]);
    expect(await page.getByRole('combobox', { name: 'Compared with' }).inputValue()).toBe('The window before');
  });
});

/** Reports uses of a person by a name that events tie to the IdP's, and by the same name alone. */
async function reportTwoOfOneName(sub: string): Promise<void> {
  const [as, api, idp] = ['https://as.drill.example', 'https://api.drill.example', 'https://idp.drill.example'];
  const uri = 'https://drill.example/events';
  const types = ['token.issued', 'access.allowed'];
  await askApi('POST', '/v1/sources', { name: 'drill', uri, types, issuers: [as, idp], resources: [api] });
  const { secret } = await askApi('POST', '/v1/callers', { id: 'drill-emit', roles: { emit: { sources: ['drill'] } } });
  const iat = Math.floor(Date.now() / 1_000) - 60;
  const token = { kind: 'access', iss: as, sub, client_id: 'drill', aud: [api], scope: 'read', iat, exp: iat + 600 };
  const jag = { iss: idp, jti: 'drill-jag', sub, client_id: 'drill' };
  const use = (jti: string) => ['access.allowed', { token: { iss: as, jti }, operation: 'read', status: 200 }] as const;
  const events = [
    ['token.issued', { ...token, jti: 'tied', id_jag: jag }],
    ['token.issued', { ...token, jti: 'alone' }],
    use('tied'),
    use('tied'),
    use('alone'),
  ] as const;
  const answer = await fetch(`${consoleUrl()}/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/cloudevents-batch+json' },
    body: JSON.stringify(
      events.map(([type, data], nth) => ({
        specversion: '1.0',
        id: `drill ${nth}`,
        source: uri,
        type: `dev.rescind.${type}.v1`,
        time: new Date((iat + nth) * 1_000).toISOString(),
        datacontenttype: 'application/json',
        data,
      })),
    ),
  });
  expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)]);
}

describe('from a group', () => {
  it('one comes to its uses, and to an entry with its evidence, and back', async () => {
    const { page, search, faults } = await openConsole(cleanups, { path: pathOf(EXPORTS) });
    const { items } = await askApi('POST', '/v1/explore', { ...EXPORTS, limit: 1 });
    await page.getByRole('link', { name: 'Uses behind row 1', exact: true }).click();
    const uses = page.getByRole('table', { name: 'Uses' }).locator('tr[data-index]');
    await uses.first().waitFor();
    const { user, resource } = items[0].group;
    const rows = await askApi('POST', '/v1/explore/rows', {
      filter: { ...EXPORTS.filter, user: { entity: user.entity }, resource: { equals: resource.entity } },
    });
    expect(JSON.parse(search().get('rows')!)).toEqual({
      user: { entity: user.entity },
      resource: { equals: resource.entity },
    });
    const [first] = rows.items;
    await page.getByRole('link', { name: `Entry ${first.index}`, exact: true }).click();
    const entry = await askApi('GET', `/v1/entries/${first.index}`);
    const dialog = page.getByRole('dialog');
    for (const shown of [entry.leaf_hash, entry.commitment, entry.payload.salt])
      await dialog.getByText(shown, { exact: true }).waitFor();
    await dialog.getByText('Recomputed in this page: the bytes give the commitment').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Back to the groups' }).click();
    await groups(page).first().waitFor();
    expect(faults).toEqual([]);
  });

  it('has as many uses as it counts, also beside another person of the same name', async () => {
    await reportTwoOfOneName('two-of-one-name');
    const question = { measures: ['calls'], by: ['user'], filter: { user: { equals: 'two-of-one-name' } } };
    const { items } = await askApi('POST', '/v1/explore', question);
    expect(items.map(({ values }: any) => values.calls).sort()).toEqual([1, 2]);
    const { page } = await openConsole(cleanups, { path: pathOf(question) });
    for (const [nth, { values }] of items.entries()) {
      await page.getByRole('link', { name: `Uses behind row ${nth + 1}`, exact: true }).click();
      await page.getByText(`${values.calls} in all`).waitFor();
      expect(await page.getByRole('table', { name: 'Uses' }).locator('tr[data-index]').count()).toBe(values.calls);
      await page.getByRole('link', { name: 'Back to the groups' }).click();
    }
  });

  it('an entry has an address of its own, and tells a viewer that evidence is for investigators', async () => {
    const { items } = await askApi('POST', '/v1/explore/rows', { limit: 1 });
    const { page } = await openConsole(cleanups, { path: `/entries/${items[0].index}`, key: viewer });
    await page.getByText('Your role does not show what this event said').waitFor();
    expect(await page.getByRole('region', { name: 'Evidence' }).count()).toBe(0);
  });

  it('evidence that contradicts itself is told', async () => {
    const { items } = await askApi('POST', '/v1/explore/rows', { limit: 1 });
    const { page } = await openConsole(cleanups, {
      path: `/entries/${items[0].index}`,
      before: (opened) =>
        opened.route('**/v1/entries/*', async (route) => {
          const response = await route.fetch();
          const body = await response.json();
          body.payload.bytes = Buffer.from('{}').toString('base64');
          await route.fulfill({ response, json: body });
        }),
    });
    await page.getByText('The evidence contradicts itself').waitFor();
  });
});

describe('exports', () => {
  const chosen = async (page: Page, name: string): Promise<Buffer> => {
    await page.getByRole('button', { name: 'Export' }).click();
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name }).click()]);
    const parts: Buffer[] = [];
    for await (const part of await file.createReadStream()) parts.push(part as Buffer);
    return Buffer.concat(parts);
  };

  it('hold all groups as CSV, the chart as PNG, and Markdown for a ticket', async () => {
    const { page, faults } = await openConsole(cleanups, { path: pathOf({ ...EXPORTS, limit: 10 }) });
    await page.getByRole('img').locator('canvas').first().waitFor();
    const { groups: all } = await askApi('POST', '/v1/explore', EXPORTS);
    const lines = (await chosen(page, 'All groups as CSV')).toString().trimEnd().split('\r\n');
    expect(lines.length).toBe(all + 1);
    const png = await chosen(page, 'Chart as PNG');
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    await page.getByRole('button', { name: 'Export' }).click();
    await page.getByRole('menuitem', { name: 'Markdown for a ticket' }).click();
    const text = await page.getByRole('textbox', { name: 'Markdown' }).inputValue();
    expect(text).toContain('- operation is `export`');
    expect(text).toContain(`<${page.url()}>`);
    expect(faults).toEqual([]);
  });

  it('are for investigators', async () => {
    const { page } = await openConsole(cleanups, { path: pathOf(EXPORTS), key: viewer });
    await groups(page).first().waitFor();
    await page.getByRole('button', { name: 'Export' }).click();
    await page.getByText('Exports are for investigators.').waitFor();
    expect(await page.getByRole('menuitem', { disabled: true }).count()).toBe(3);
  });
});

describe('saved views', () => {
  it('keep the address of a page under a name, are changed, and removed', async () => {
    const name = `Exports ${Date.now()}`;
    const { page, faults } = await openConsole(cleanups, { path: pathOf(EXPORTS) });
    await groups(page).first().waitFor();
    const { search } = new URL(page.url());
    await page.getByRole('button', { name: 'Saved views' }).click();
    await page.getByRole('menuitem', { name: 'Save this view' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill(name);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const { views } = await askApi('GET', '/v1/views');
    expect(views.find((view: { name: string }) => view.name === name)).toMatchObject({
      page: '/explore',
      search: search.slice(1),
      shared: false,
    });

    await page.getByRole('button', { name: 'Saved views' }).click();
    await page.getByRole('menuitem', { name: 'All views' }).click();
    await page.getByRole('button', { name: `Change ${name}` }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill(`${name} shared`);
    await page.getByRole('checkbox', { name: 'Shared with everybody' }).check();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });

    const { page: other } = await openConsole(cleanups, { path: '/', key: viewer });
    await other.getByRole('button', { name: 'Saved views' }).click();
    await other.getByRole('menuitem', { name: `${name} shared` }).click();
    await groups(other).first().waitFor();
    expect(new URL(other.url()).search).toBe(search);

    await page.getByRole('button', { name: `Remove ${name} shared` }).click();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('link', { name: `${name} shared` }).waitFor({ state: 'detached' });
    expect(faults).toEqual([]);
  });
});

import { afterEach, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { cleanUp } from '../support/cleanups.js';
import { askApi, consoleUrl, openConsole } from './open-console.js';

const cleanups = cleanUp(afterEach);

/** Registers a source in the page. Returns what the first event needs. */
async function connect(
  page: Page,
  name: string,
): Promise<{ readonly key: string; readonly event: Record<string, unknown> }> {
  await page.getByRole('button', { name: 'Connect a source' }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Short name').fill(name);
  await form.getByLabel('URI of the source').fill(`https://${name}.example/events`);
  await form.getByLabel('Issuers it speaks for').fill(`https://as.${name}.example`);
  await page.keyboard.press('Enter');
  await form.getByLabel('Its resource identifiers').fill(`https://api.${name}.example`);
  await page.keyboard.press('Enter');
  await form.getByRole('button', { name: 'Register it' }).click();
  const command = (await form.locator('pre').textContent())!;
  const [, key] = /Bearer (\S+)'/.exec(command) ?? [];
  const [, event] = /-d '(.+)' http/.exec(command) ?? [];
  return { key: key!, event: JSON.parse(event!) as Record<string, unknown> };
}

const post = (key: string, event: object) =>
  fetch(`${consoleUrl()}/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify(event),
  });

describe('sources', () => {
  it('are listed with what came, and what is not seen is said', async () => {
    const { page, faults } = await openConsole(cleanups, { path: '/sources' });
    await page.getByRole('table', { name: 'Sources' }).getByRole('link', { name: 'analytics' }).waitFor();
    const { findings } = await askApi('GET', '/v1/coverage');
    await page
      .getByRole('button', { name: /^\d+ sources? / })
      .first()
      .click();
    await page.getByText(findings[0].says).first().waitFor();
    expect(faults).toEqual([]);
  });

  it('say in the past that they are those of now, and that connecting one acts now', async () => {
    const { page } = await openConsole(cleanups, { path: '/sources?at=2d' });
    const heading = page.getByRole('heading', { level: 1, name: 'Sources' }).locator('..');
    await heading.getByText('which sources there are, and what was refused: now, not').waitFor();
    await page.getByText('Connecting a source acts now, not at').waitFor();
    await page.getByRole('button', { name: 'Back to now' }).click();
    await heading.getByText('now, not').waitFor({ state: 'detached' });
  });

  it('are connected step by step, and the first event is seen to arrive', async () => {
    const { page, faults } = await openConsole(cleanups, { path: '/sources' });
    const { key, event } = await connect(page, 'connected');
    await page.getByRole('link', { name: 'See it arrive' }).click();
    await page.getByText('No event has come yet.').waitFor();
    expect((await post(key, event)).status).toBe(200);
    await page
      .getByRole('table', { name: 'Last events' })
      .getByText('dev.rescind.token.denied.v1')
      .or(page.getByRole('table', { name: 'Last events' }).getByText('token.denied'))
      .first()
      .waitFor();
    expect(faults).toEqual([]);
  });

  it('show what was refused and why, and take it in again after a fix', async () => {
    const { page } = await openConsole(cleanups, { path: '/sources' });
    const { key, event } = await connect(page, 'refused');
    const elsewhere = { ...event, data: { ...(event['data'] as object), iss: 'https://elsewhere.example' } };
    expect((await post(key, elsewhere)).status).toBe(400);
    await page.getByRole('link', { name: 'See it arrive' }).click();
    const refused = page.getByRole('table', { name: 'Refused events' });
    await refused.getByText('wrong-issuer').waitFor();
    const id = new URL(page.url()).pathname.split('/').at(-1)!;
    const source = await askApi<Record<string, unknown>>('GET', `/v1/sources/${id}`);
    const {
      id: _,
      tenant: __,
      name: ___,
      uri: ____,
      topic: _____,
      profile: ______,
      audience: _______,
      ...rest
    } = source;
    const fixed = { ...rest, issuers: [...(source['issuers'] as string[]), 'https://elsewhere.example'] };
    await askApi('PUT', `/v1/sources/${id}`, fixed);
    await refused.getByRole('button', { name: 'Take it in again' }).click();
    await page.getByText(/^Taken in, as entry \d+/).waitFor();
    await refused.getByText('wrong-issuer').waitFor({ state: 'detached' });
  });
});

import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { cleanUp } from '../support/cleanups.js';
import { askApi, openConsole } from './open-console.js';

const cleanups = cleanUp(afterEach);

/** Opens the search, and collects the addresses and bodies of all requests from then on. */
async function openSearch(): Promise<{
  readonly page: Page;
  readonly sent: string[];
  readonly faults: readonly string[];
}> {
  const { page, faults } = await openConsole(cleanups, { path: '/findings' });
  await page.getByRole('table', { name: 'Findings' }).waitFor();
  const sent: string[] = [];
  page.on('request', (request) => sent.push(decodeURIComponent(request.url()) + (request.postData() ?? '')));
  await page.keyboard.press('Control+k');
  // Without the focus, the first letters would go to the page.
  await page.getByRole('textbox', { name: 'Search' }).and(page.locator(':focus')).waitFor();
  return { page, sent, faults };
}

/** Finds a token that was used and came from an ID-JAG; other specs let tokens be used that did not. */
async function tokenOfIdJag(): Promise<string> {
  const { items } = await askApi('GET', '/v1/access?limit=100');
  for (const { token } of items) {
    const { lineage } = await askApi('GET', `/v1/tokens/${token}`);
    if (lineage.id_jags.length > 0) return token;
  }
  throw new Error('no use of a token that came from an ID-JAG');
}

describe('the search', () => {
  it('finds by name and leads to a token, by keyboard alone', async () => {
    const id = await tokenOfIdJag();
    const { page, faults } = await openSearch();
    await page.keyboard.type(id);
    await page.getByRole('button', { name: /^token/ }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Where it comes from' }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/console/tokens/${id}`);
    await page.getByText('ID-JAG').first().waitFor();
    expect(faults).toEqual([]);
  });

  it('shows what a name stands for', async () => {
    const { page } = await openSearch();
    await page.keyboard.type('leon');
    await page
      .getByRole('button', { name: /^user leon/ })
      .first()
      .waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('textbox', { name: 'Search' }).waitFor({ state: 'detached' });
  });

  it('never sends a token that was pasted', async () => {
    const opaque = 'q9ZkVx2rT8mLw4Hn6Jp1Yc3Bd7Fs5Ga0Ue-Ri_Ot';
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const jwt = `${part({ alg: 'ES256' })}.${part({ iss: 'https://as.example', jti: 'one' })}.c2lnbmF0dXJl`;
    const { page, sent } = await openSearch();
    const isAsked = () => page.waitForResponse((response) => response.url().includes('/v1/search'));
    const first = isAsked();
    await page.keyboard.insertText(opaque);
    await first;
    await page.getByText('This looks like a token.').waitFor();
    const second = isAsked();
    await page.getByRole('textbox', { name: 'Search' }).fill(jwt);
    await second;
    await page.getByText('A token. It was asked for by').waitFor();
    const searches = sent.filter((one) => one.includes('/v1/search'));
    expect(searches.some((one) => one.includes(createHash('sha256').update(opaque).digest('base64url')))).toBe(true);
    expect(searches.some((one) => one.includes('iss=https://as.example') && one.includes('jti=one'))).toBe(true);
    for (const one of sent) for (const secret of [opaque, jwt, 'c2lnbmF0dXJl']) expect(one).not.toContain(secret);
  });
});

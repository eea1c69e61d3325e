import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from '@jest/globals';
import { cleanUp } from '../support/cleanups.js';
import { consoleUrl, openConsole } from './open-console.js';

const cleanups = cleanUp(afterAll);
const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${consoleUrl()}${path}`, { headers, redirect: 'manual' });

/** Sends the path as it is, where `fetch` would resolve its dots. */
async function statusOf(path: string): Promise<number | undefined> {
  const { hostname, port } = new URL(consoleUrl());
  const sent = request({ hostname, port, path }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  expect(await text(answer)).not.toContain('"engines"');
  return answer.statusCode;
}

describe('the page', () => {
  it('lets in scripts of this address alone, and styles by a nonce that is fresh each time', async () => {
    const [one, other] = [await get('/console/'), await get('/console/findings')];
    const policy = one.headers.get('content-security-policy')!;
    const [, nonce] = /style-src 'self' 'nonce-([\w-]{22})'/.exec(policy)!;
    expect(policy.replace(nonce!, 'NONCE').split('; ').sort()).toEqual([
      "base-uri 'none'",
      "connect-src 'self'",
      "default-src 'none'",
      "font-src 'self'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "img-src 'self' data:",
      "script-src 'self'",
      "style-src 'self' 'nonce-NONCE'",
      "worker-src 'self'",
    ]);
    const html = await one.text();
    expect(html).toContain(`nonce="${nonce}"`);
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style|__NONCE__/);
    expect(other.headers.get('content-security-policy')).not.toContain(nonce);
    expect(Object.fromEntries(one.headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'text/html; charset=utf-8',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
  });

  it('asks no other host, and its policy refuses nothing of its own', async () => {
    const { page, faults } = await openConsole(cleanups, { path: '/findings' });
    await page.getByRole('table', { name: 'Findings' }).getByRole('link').first().click();
    await page.getByRole('dialog').getByText('Next step').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByRole('textbox', { name: 'Search' }).waitFor();
    expect(faults).toEqual([]);
  });

  it('runs no script that was written into it', async () => {
    const { page } = await openConsole(cleanups);
    await page.getByRole('table').waitFor();
    await page.evaluate(`{
      const script = document.createElement('script');
      script.textContent = 'window.ran = true';
      document.body.append(script);
    }`);
    expect(await page.evaluate('window.ran')).toBeUndefined();
  });

  it('is where a browser is sent from `/`; a program gets links', async () => {
    const sent = await get('/', { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' });
    expect([sent.status, sent.headers.get('location')]).toEqual([302, '/console/']);
    expect(((await (await get('/')).json()) as { name: string }).name).toBe('Rescind');
    const short = await get('/console');
    expect([short.status, short.headers.get('location')]).toEqual([302, '/console/']);
  });
});

describe('files', () => {
  const assets = readdirSync('dist/console/assets');

  it('with a digest in their name are kept for ever', async () => {
    const { status, headers } = await get(`/console/assets/${assets.find((name) => name.endsWith('.js'))}`);
    expect([status, Object.fromEntries(headers)]).toEqual([
      200,
      expect.objectContaining({
        'cache-control': 'public, max-age=31536000, immutable',
        'content-type': 'text/javascript; charset=utf-8',
        'x-content-type-options': 'nosniff',
      }),
    ]);
  });

  it.each([
    '/console/../package.json',
    '/console/%2e%2e/%2e%2e/package.json',
    '/console/..%2f..%2fpackage.json',
    '/console/..\\..\\package.json',
    '/console/%00',
  ])('%s leads out of them to nothing', async (path) => {
    expect([200, 400, 404]).toContain(await statusOf(path));
  });

  it.each([
    '/console/assets/../../package.json',
    '/console/assets/..%2f..%2f..%2fpackage.json',
    '/console/assets/gone.js',
  ])('%s is not found', async (path) => expect(await statusOf(path)).toBe(404));

  it('are React for users: its development code is slower and larger', () => {
    const scripts = readdirSync('dist/console/assets').filter((name) => name.endsWith('.js'));
    expect(scripts.length).toBeGreaterThan(10);
    const inDevelopment = scripts.filter((name) =>
      readFileSync(`dist/console/assets/${name}`, 'utf8').includes('react_stack_bottom_frame'),
    );
    expect(inDevelopment).toEqual([]);
  });

  it('of the first load are at most 350 KB of compressed JavaScript', async () => {
    const html = await (await get('/console/')).text();
    const scripts = [...html.matchAll(/\/console\/(assets\/[^"]+\.js)/g)].map(([, name]) => name!);
    expect(scripts.length).toBeGreaterThan(0);
    const bytes = scripts.map((name) => gzipSync(readFileSync(`dist/console/${name}`)).length);
    expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(350 * 1024);
  });
});

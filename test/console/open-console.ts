import { chromium, type Browser, type Page } from 'playwright-core';
import type { Cleanups } from '../support/cleanups.js';

export const consoleUrl = (): string => process.env['TEST_CONSOLE_URL']!;
export const consoleKey = (): string => process.env['TEST_CONSOLE_KEY']!;

/** Directory of the service, which has its PostgreSQL. */
export const consoleHome = (): string => process.env['TEST_CONSOLE_HOME']!;

/** Asks the API as somebody who may do everything. Rejects unless it answers 2xx. */
export async function askApi<T = any>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${consoleUrl()}${path}`, {
    method,
    headers: { authorization: `Bearer ${consoleKey()}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Makes a link, as `rescind sign-in` does. Returns what follows `/console`. */
export async function signInPath(): Promise<string> {
  const { url } = await askApi<{ url: string }>('POST', '/v1/sign-in-links', {});
  return url.slice(`${consoleUrl()}/console`.length);
}

export interface OpenOptions {
  /** Below `/console`. */
  readonly path?: string;
  readonly width?: number;
  readonly colours?: 'light' | 'dark';
  /** Default: what opens is there at once, and nothing plays by itself. */
  readonly motion?: 'reduce' | 'no-preference';
  readonly signedIn?: boolean;
  /** Key of the caller that looks. Default: the administrator's. */
  readonly key?: string;
  /** Default: the service of all specs. */
  readonly url?: string;
  /** Called before the page is loaded. */
  readonly before?: (page: Page) => Promise<unknown>;
}

export interface OpenedConsole {
  readonly page: Page;
  /** Errors of the page, refusals by its policy, and requests to another host. */
  readonly faults: readonly string[];
  /** The search of the URL. */
  search(): URLSearchParams;
}

/** Opens the console in a context of its own, as somebody who may do everything. */
export async function openConsole(
  cleanups: Pick<Cleanups, 'push'>,
  {
    path = '/',
    width = 1280,
    colours = 'light',
    motion = 'reduce',
    signedIn = true,
    key = consoleKey(),
    url = consoleUrl(),
    before,
  }: OpenOptions = {},
): Promise<OpenedConsole> {
  const browser: Browser = await chromium.connect(process.env['TEST_BROWSER']!);
  cleanups.push(() => browser.close());
  const context = await browser.newContext({
    viewport: { width, height: 800 },
    colorScheme: colours,
    timezoneId: 'UTC',
    reducedMotion: motion,
    ...(signedIn ? { extraHTTPHeaders: { authorization: `Bearer ${key}` } } : {}),
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    // An error status is logged too, and is for the page to tell.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      faults.push(message.text());
  });
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== 'data:' && origin !== url) faults.push(`request to ${request.url()}`);
  });
  await before?.(page);
  await page.goto(`${url}/console${path}`);
  return { page, faults, search: () => new URL(page.url()).searchParams };
}

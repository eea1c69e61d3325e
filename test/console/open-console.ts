import { randomUUID } from 'node:crypto';
import type { Browser, BrowserContext, Page } from 'playwright-core';
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

/** Blocks a user whom nobody has seen. The rule is lifted after the test, by this test alone. Returns its id. */
export async function orderBlock(cleanups: Pick<Cleanups, 'push'>): Promise<string> {
  const selector = { user: { iss: 'https://idp.corp.example', sub: `nobody ${randomUUID()}` } };
  const { id } = await askApi<{ id: string }>('POST', '/v1/revocations', {
    effect: 'block',
    selector,
    reason: 'tried',
  });
  cleanups.push(() => askApi('POST', `/v1/revocations/${id}/lift`, { reason: 'tried' }));
  return id;
}

/** Makes a link, as `rescind sign-in` does. Returns what follows `/console`. */
export async function signInPath(): Promise<string> {
  const { url } = await askApi<{ url: string }>('POST', '/v1/sign-in-links', {});
  return url.slice(`${consoleUrl()}/console`.length);
}

/** Height of every page. */
export const HEIGHT_PX = 800;

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
  /** Called before the path is opened. */
  readonly before?: (page: Page) => Promise<unknown>;
  /** Whether the page is loaded anew, after `before`: for what depends on the load, or changes the frame, which stays from page to page. */
  readonly fresh?: boolean;
}

export interface OpenedConsole {
  readonly page: Page;
  /** Errors of the page, refusals by its policy, and requests to another host. */
  readonly faults: readonly string[];
  /** The search of the URL. */
  search(): URLSearchParams;
}

/** Shared by the specs of this folder in one worker of jest (`environment.ts`). */
export interface BrowserOfWorker {
  connect(): Promise<Browser>;
  /** The page of a caller, which tests take in turn: loading one costs several times what most tests do. */
  kept: Page | undefined;
}
declare global {
  var browserOfWorker: BrowserOfWorker | undefined;
}

let isTaken = false;

/**
 * Opens the console as somebody who may do everything. Unless a test needs a page of its own, it gets the one of its worker, emptied of
 * what the test before left.
 */
export async function openConsole(cleanups: Pick<Cleanups, 'push'>, options: OpenOptions = {}): Promise<OpenedConsole> {
  const { path = '/', signedIn = true, url = consoleUrl(), before, fresh = false } = options;
  const shared = globalThis.browserOfWorker;
  const mayShare = signedIn && !fresh && url === consoleUrl();
  const worker = mayShare && !isTaken ? shared : undefined;
  if (worker) {
    isTaken = true;
    cleanups.push(() => (isTaken = false));
  }
  if (worker?.kept && (await empty(worker.kept, options))) {
    const page = worker.kept;
    const heard = hear(page, url);
    await before?.(page);
    await page.evaluate(`__TSR_ROUTER__.history.push(${JSON.stringify(`/console${path}`)})`);
    return heard;
  }
  const browser = await (shared?.connect() ?? ownConnection());
  const context = await newContext(browser, options);
  const page = await context.newPage();
  if (worker) worker.kept = page;
  else cleanups.push(() => (shared ? context : browser).close());
  const heard = hear(page, url);
  await before?.(page);
  await page.goto(`${url}/console${path}`);
  return heard;
}

async function ownConnection(): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  return chromium.connect(process.env['TEST_BROWSER']!);
}

const newContext = (
  browser: Browser,
  { width = 1280, colours = 'light', motion = 'reduce', signedIn = true, key = consoleKey() }: OpenOptions,
): Promise<BrowserContext> =>
  browser.newContext({
    viewport: { width, height: HEIGHT_PX },
    colorScheme: colours,
    timezoneId: 'UTC',
    reducedMotion: motion,
    ...(signedIn ? { extraHTTPHeaders: { authorization: `Bearer ${key}` } } : {}),
  });

const HEARD = ['pageerror', 'console', 'request'] as const;

function hear(page: Page, url: string): OpenedConsole {
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
  return { page, faults, search: () => new URL(page.url()).searchParams };
}

/**
 * Leaves what a test left open, and forgets the answers and what the browser stored. Says whether nothing lies above the page any more. Runs
 * in the page.
 */
const EMPTY = `(async () => {
  localStorage.clear();
  sessionStorage.clear();
  await __TSR_ROUTER__.navigate({ to: '/nowhere', search: {} });
  const root = document.getElementById('root');
  const container = Object.keys(root).find((name) => name.startsWith('__reactContainer$'));
  const clientIn = (node) =>
    node && (node.memoizedProps?.client?.resetQueries ? node.memoizedProps.client : clientIn(node.child) ?? clientIn(node.sibling));
  await clientIn(root[container].stateNode.current).resetQueries();
  return document.querySelector('[role="dialog"], [role="menu"], [role="listbox"]') === null;
})()`;

/** Prepares the page for the next test. Closes it and resolves with false where a test has left what only a load ends, such as an open search. */
async function empty(
  page: Page,
  { width = 1280, colours = 'light', motion = 'reduce', key = consoleKey() }: OpenOptions,
): Promise<boolean> {
  if (page.isClosed()) return false;
  for (const event of HEARD) page.removeAllListeners(event);
  await page.unrouteAll();
  await page.emulateMedia({ colorScheme: colours, reducedMotion: motion });
  await page.setViewportSize({ width, height: HEIGHT_PX });
  await page.setExtraHTTPHeaders({ authorization: `Bearer ${key}` });
  if (await page.evaluate<boolean>(EMPTY)) return true;
  await page.context().close();
  return false;
}

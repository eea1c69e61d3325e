import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';

/** Paths of all pages, as `router.ts` lists them, so that a spec that visits every page cannot forget one. */
export const routesOf = (page: Page): Promise<readonly string[]> =>
  page.evaluate<string[]>('Object.keys(__TSR_ROUTER__.routesByPath)');

/** Asks the API. */
export type Get = <T>(path: string) => Promise<T>;
const TABS = ['timeline', 'connections', 'reach'];

const entities =
  (kind: 'user' | 'client' | 'agent' | 'resource') =>
  async (get: Get): Promise<readonly string[]> => {
    const { items } = await get<{ items: readonly Record<string, { entity: number }>[] }>(`/v1/${kind}s?limit=100`);
    return items.map((one, nth) => `/${kind}s/${one[kind]!.entity}?show=${TABS[(nth + kind.length) % TABS.length]}`);
  };

/** Finds the places of a page that shows one thing. A new page of this kind says here how its things are found. */
const THINGS: Readonly<Record<string, (get: Get) => Promise<readonly string[]>>> = {
  '/users/$entity': entities('user'),
  '/clients/$entity': entities('client'),
  '/agents/$entity': entities('agent'),
  '/resources/$entity': entities('resource'),
  '/entries/$index': async () => ['/entries/0', '/entries/1', '/entries/2'],
  '/rules/$id': async (get) => {
    const { revocations } = await get<{ revocations: readonly { id: string }[] }>('/v1/revocations?limit=50');
    return revocations.map(({ id }) => `/rules/${id}`);
  },
  '/tokens/$id': async (get) => {
    const { items } = await get<{ items: readonly { token: string | null }[] }>('/v1/access?limit=100');
    const tokens = new Set(items.flatMap(({ token }) => token ?? []));
    return [...tokens].map((token) => `/tokens/${token}`);
  },
  '/sources/$id': async (get) => {
    const { items } = await get<{ items: readonly { source: { id: string } }[] }>('/v1/coverage?limit=100');
    return items.map(({ source }) => `/sources/${source.id}`);
  },
};

/** Returns the places of a route: itself, or one for each thing that its page can show. */
export async function placesOf(route: string, get: Get): Promise<readonly string[]> {
  if (!route.includes('$')) return [route];
  const find = THINGS[route];
  if (find === undefined) throw new Error(`test/console/routes.ts does not say which places ${route} has`);
  return find(get);
}

/** Visits places, one after the other in each of the pages, and in several pages at once. */
export async function visitIn(
  pages: readonly Page[],
  places: readonly string[],
  look: (page: Page, path: string) => Promise<void>,
): Promise<void> {
  const left = places.values();
  await Promise.all(
    pages.map(async (page) => {
      for (const path of left) {
        await goTo(page, path);
        await look(page, path);
      }
    }),
  );
}

/** Goes to another page without loading the console anew, and waits until it has its answers. */
export async function goTo(page: Page, path: string): Promise<void> {
  await page.evaluate(`__TSR_ROUTER__.history.push(${JSON.stringify(`/console${path}`)})`);
  await settled(page);
}

/** The policy of the page forbids what `waitForFunction` does with a text. */
const SETTLED = `(async () => {
  const isSettled = () => __TSR_ROUTER__.state.status === 'idle' && document.querySelector('h1, [role="alert"]') !== null &&
    document.querySelector('[aria-label="Loading"]') === null;
  while (!isSettled()) await new Promise((resolve) => setTimeout(resolve, 20));
})()`;

/** Waits until the page is there, and none of its questions waits for the first answer. */
export const settled = (page: Page): Promise<void> => page.evaluate<undefined>(SETTLED);

/** Compares a page with answers of the API until both agree: other specs and the service change what both tell, and the page follows. */
export async function untilHolds(compare: () => Promise<void>): Promise<void> {
  for (const end = Date.now() + 15_000; ; await delay(100)) {
    try {
      return await compare();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Pool } from 'pg';
import type { Locator, Page } from 'playwright-core';
import { findEmbeddedPostgres } from '../../src/platform/embedded/index.js';
import { createGuard } from '../../src/guard/index.js';
import { cleanUp } from '../support/cleanups.js';
import { askApi, consoleHome, consoleUrl, openConsole, signInPath, type OpenedConsole } from './open-console.js';
import { goTo, placesOf, routesOf } from './routes.js';

const cleanups = cleanUp(afterEach);
const EVERY_PAGE_MS = 120_000;
const IDP = 'https://idp.corp.example';

let database: Pool;
beforeAll(async () => {
  database = new Pool({ connectionString: (await findEmbeddedPostgres(join(consoleHome(), 'postgres')))!, max: 1 });
});
afterAll(() => database.end());

/** Opens the console as a person who has these roles alone. */
async function openAs(...roles: readonly string[]): Promise<OpenedConsole> {
  const [, code] = (await signInPath()).split('#');
  return openConsole(cleanups, {
    signedIn: false,
    async before(page) {
      const headers = { 'x-rescind-console': '1' };
      const { request } = page.context();
      const answer = await request.post(`${consoleUrl()}/console/link`, { headers, form: { code: code! } });
      expect(answer.status()).toBe(204);
      await giveRoles(page, roles);
    },
  });
}

async function giveRoles(page: Page, roles: readonly string[]): Promise<void> {
  const [cookie] = await page.context().cookies();
  const id = createHash('sha256').update(cookie!.value).digest();
  await database.query('UPDATE person_session SET roles = $2 WHERE id = $1', [id, roles]);
}

const stopUrl = (sub: string): string => `/stop?${new URLSearchParams({ user: JSON.stringify({ iss: IDP, sub }) })}`;

describe('a person with the role', () => {
  it.each([
    ['viewer', ['viewer'], { order: false, change: false, connect: false, channels: false }],
    ['investigator', ['investigator'], { order: false, change: false, connect: false, channels: false }],
    ['responder', ['responder'], { order: true, change: true, connect: false, channels: false }],
    ['admin', ['admin'], { order: true, change: true, connect: true, channels: true }],
  ] as const)(
    '%s is offered what the API lets them do, and reads why not the rest',
    async (_, roles, may) => {
      const { page, faults } = await openAs(...roles);
      const refused: string[] = [];
      page.on('response', (answer) => {
        if (answer.status() === 403) refused.push(`${page.url()}: ${answer.url()}`);
      });
      // The viewer may do least, so a page that asks too much is refused here.
      for (const route of roles[0] === 'viewer' ? await routesOf(page) : []) {
        if (route === '/welcome') continue;
        const [path] = await placesOf(route, (asked) => askApi('GET', asked));
        await goTo(page, path!);
      }

      const button = (name: string): Locator => page.getByRole('button', { name }).first();
      const shows = async (path: string, offered: Locator, why: string, isOffered: boolean): Promise<void> => {
        await goTo(page, path);
        const reason = page.getByText(why).first();
        await (isOffered ? offered : reason).waitFor();
        expect([(await offered.isVisible()) && (await offered.isEnabled()), await reason.isVisible()]).toEqual([
          isOffered,
          !isOffered,
        ]);
      };
      await shows(stopUrl('nadia.rossi'), page.getByLabel('Reason'), 'You may look, and not order a rule', may.order);
      const { items } = await askApi('GET', '/v1/findings?state=open&limit=1');
      await shows(`/findings?finding=${items[0].id}`, button('Acknowledge'), 'You may look at findings', may.change);
      await shows('/sources', button('Connect a source'), 'Administrators connect sources', may.connect);
      await shows('/channels', button('Add a channel'), 'You may not see channels', may.channels);
      expect([refused, faults]).toEqual([[], []]);
    },
    EVERY_PAGE_MS,
  );

  it('responder who loses it while the form is open is told that nothing was ordered', async () => {
    const { page } = await openAs('responder');
    await goTo(page, stopUrl('nadia.rossi'));
    const reason = `spec ${randomUUID()}`;
    await page.getByLabel('Reason').fill(reason);
    await giveRoles(page, ['viewer']);
    await page.getByRole('button', { name: 'Order it' }).click();
    const alert = page.getByRole('alert').filter({ hasText: 'You may not do this' });
    await alert.getByText('Nothing was changed. Somebody with the role responder or admin can do it.').waitFor();
    const { revocations } = await askApi('GET', '/v1/revocations?limit=50');
    expect(revocations.filter((one: { reason: string }) => one.reason === reason)).toEqual([]);
  });
});

describe('an order while a guard runs', () => {
  it('shows the guard as it confirms, and counts it', async () => {
    const issuer = 'https://login.crm.corp.example';
    const caller = `guarded-${randomUUID()}`;
    const roles = { guard: { resources: ['https://api.crm.corp.example'], issuers: [issuer] } };
    const { secret } = await askApi('POST', '/v1/callers', { id: caller, roles });
    const guard = createGuard({ rescind: consoleUrl(), credentials: { id: caller, secret } });
    cleanups.push(() => guard.stop());
    guard.start();
    expect(await guard.ready).toBe(true);

    const { page, search } = await openConsole(cleanups, {
      path: `/stop?${new URLSearchParams({ user: JSON.stringify({ iss: issuer, sub: caller }) })}`,
    });
    await page.getByLabel('Reason').fill('with a guard');
    await page.getByRole('button', { name: 'Order it' }).click();
    await page.getByText(/^In force on 1 node and 1 guard, \d+ ms after it was stored\.$/).waitFor();
    const row = page.getByRole('table', { name: 'Confirmations' }).getByRole('row').filter({ hasText: caller });
    await row.getByText('confirmed').waitFor();
    expect(await row.innerText()).toMatch(new RegExp(`guard \\S+ of ${caller}\\s+confirmed\\s+\\d+ ms`));
    await askApi('POST', `/v1/revocations/${search().get('rule')!}/lift`, { resume: true });
  });
});

import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Pool } from 'pg';
import type { Page } from 'playwright-core';
import { findEmbeddedPostgres } from '../../src/platform/embedded/index.js';
import { cleanUp } from '../support/cleanups.js';
import { askApi, consoleHome, consoleUrl, openConsole, orderBlock, signInPath } from './open-console.js';
import { goTo } from './routes.js';

const cleanups = cleanUp(afterEach);
const IDP = 'https://idp.corp.example';
const CRM = {
  as: 'https://login.crm.corp.example',
  api: 'https://api.crm.corp.example',
  events: 'https://crm.corp.example/events',
};

interface Rule {
  readonly id: string;
  readonly reason: string;
  readonly state: string;
}
const rulesOf = async (reason: string): Promise<readonly Rule[]> =>
  (await askApi<{ revocations: readonly Rule[] }>('GET', '/v1/revocations?limit=50')).revocations.filter(
    (one) => one.reason === reason,
  );

const stopUrl = (selector: object): string =>
  `/stop?${new URLSearchParams(Object.entries(selector).map(([name, value]): [string, string] => [name, typeof value === 'string' ? value : JSON.stringify(value)]))}`;
const userUrl = (sub: string): string => stopUrl({ user: { iss: IDP, sub } });

/** Enters a reason of its own, by which the rule is found. */
async function giveReason(page: Page): Promise<string> {
  const reason = `spec ${randomUUID()}`;
  await page.getByLabel('Reason').fill(reason);
  return reason;
}
const orderIt = (page: Page) => page.getByRole('button', { name: 'Order it' }).click();
/** Another spec may have a guard meanwhile. */
const inForce = (page: Page) =>
  page.getByText(/^In force on 1 node and \d+ guards?, \d+ ms after it was stored\.$/).waitFor();

let database: Pool;
beforeAll(async () => {
  database = new Pool({ connectionString: (await findEmbeddedPostgres(join(consoleHome(), 'postgres')))!, max: 2 });
});
afterAll(() => database.end());

/** The CRM: its authorization server tells of a token, and its API asks whether the token is good. */
describe('an incident', () => {
  let secret: string;
  beforeAll(async () => {
    ({ secret } = await askApi<{ secret: string }>('POST', '/v1/callers', {
      id: 'crm-spec',
      roles: { emit: { sources: ['crm'] }, introspect: { resources: [CRM.api], issuers: [CRM.as] } },
    }));
  });

  async function say(type: string, data: object): Promise<void> {
    const answer = await fetch(`${consoleUrl()}/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify({
        specversion: '1.0',
        id: randomUUID(),
        source: CRM.events,
        type: `dev.rescind.${type}.v1`,
        time: new Date().toISOString(),
        data,
      }),
    });
    expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)]);
  }

  async function isActive(token: string): Promise<boolean> {
    const answer = await fetch(`${consoleUrl()}/introspect`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`crm-spec:${secret}`).toString('base64')}` },
      body: new URLSearchParams({ token }),
    });
    return ((await answer.json()) as { active: boolean }).active;
  }

  it('is seen, stopped, refused and ended in the browser', async () => {
    const token = randomUUID();
    const identity = { sha256: createHash('sha256').update(token).digest('base64url') };
    const now = Math.floor(Date.now() / 1000);
    const clientId = 'report-writer-at-crm';
    await say('token.issued', {
      kind: 'access',
      ...identity,
      scope: 'crm.export',
      iss: CRM.as,
      sub: 'tariq.lindgren',
      client_id: clientId,
      aud: [CRM.api],
      iat: now,
      exp: now + 600,
      id_jag: { iss: IDP, jti: randomUUID(), sub: 'tariq.lindgren', client_id: clientId },
    });
    expect(await isActive(token)).toBe(true);

    const { page, search, faults } = await openConsole(cleanups, { path: '/findings?kind=bulk-export' });
    const ofTariq = page.getByRole('row').filter({ hasText: 'tariq.lindgren' });
    await ofTariq.getByRole('link', { name: 'bulk-export' }).first().click();
    await page.getByRole('dialog').getByRole('link', { name: 'Stop this…' }).click();
    await page.waitForURL(/\/console\/stop\?/);
    expect(JSON.parse(search().get('user')!)).toEqual({ iss: IDP, sub: 'tariq.lindgren' });
    await page.getByRole('row', { name: 'users 1' }).waitFor();
    await page.getByRole('row', { name: 'live tokens 1' }).first().waitFor();

    const reason = await giveReason(page);
    await orderIt(page);
    await inForce(page);
    expect(await isActive(token)).toBe(false);
    expect(await rulesOf(reason)).toMatchObject([{ id: search().get('rule'), state: 'live' }]);

    await nextSecond();
    await say('access.denied', { token: identity, operation: 'read', route: 'GET /deals', status: 401 });
    await page.reload();
    await page.getByText('1 call refused, as resources reported').waitFor();
    await page.getByRole('table', { name: 'Confirmations' }).getByText('confirmed').waitFor();

    await page.getByRole('button', { name: 'Lift…' }).click();
    await page.getByLabel('Why it is lifted').fill('it was a drill');
    await page.getByText('What was granted before stays revoked.').waitFor();
    await page.getByLabel('What was granted before works again, too').check();
    await page.getByText('All of it works again').waitFor();
    await page.getByRole('button', { name: 'Lift it' }).click();
    await page.getByText('It was lifted. It stops nothing any more.').waitFor();
    expect(await isActive(token)).toBe(true);
    expect(faults).toEqual([]);
  });
});

describe('an order', () => {
  it('that hits many needs its number, which somebody types', async () => {
    const { page } = await openConsole(cleanups, {
      path: stopUrl({ issuer: IDP }),
      // The page learns of it from the refusal alone.
      before: (opened) =>
        opened.route('**/v1/revocations/preview', async (route) => {
          const response = await route.fetch();
          const { confirm: _, ...preview } = (await response.json()) as { confirm: number };
          await route.fulfill({ response, json: preview });
        }),
    });
    const { users } = await askApi<{ users: number }>('POST', '/v1/revocations/preview', { selector: { issuer: IDP } });
    const reason = await giveReason(page);
    await orderIt(page);
    await page.getByText(`It hits ${users} users`).waitFor();
    expect(await rulesOf(reason)).toEqual([]);
    const button = page.getByRole('button', { name: 'Order it' });
    await page.getByLabel('The number').fill('1');
    expect(await button.isDisabled()).toBe(true);
    await page.getByLabel('The number').fill(String(users));
    await button.click();
    await inForce(page);
    const [rule] = await rulesOf(reason);
    await askApi('POST', `/v1/revocations/${rule!.id}/lift`, { resume: true });
  });

  it('of somebody who signed in long ago leads to a new sign-in, and back to what was entered', async () => {
    const { page } = await openConsole(cleanups, { path: await signInPath(), signedIn: false });
    await page.getByRole('button', { name: 'Open the console as the administrator' }).click();
    await page.getByRole('button', { name: 'Account' }).waitFor();
    await database.query('UPDATE person_session SET authenticated_at = authenticated_at - 301000');
    await page.goto(`${consoleUrl()}/console${stopUrl({ issuer: IDP })}`);
    const reason = await giveReason(page);
    const { users } = await askApi<{ users: number }>('POST', '/v1/revocations/preview', { selector: { issuer: IDP } });
    await page.getByLabel('The number').fill(String(users));
    await orderIt(page);
    const link = page.getByRole('link', { name: 'Sign in again' });
    const { pathname, searchParams } = new URL((await link.getAttribute('href'))!, consoleUrl());
    expect([pathname, searchParams.get('anew')]).toEqual(['/console/sign-in', 'true']);
    await page.goto(`${consoleUrl()}${searchParams.get('return_to')!}`);
    expect(await page.getByLabel('Reason').inputValue()).toBe(reason);
    expect(await rulesOf(reason)).toEqual([]);
  });

  it('is written, given and lifted with the keyboard alone', async () => {
    const { page, search } = await openConsole(cleanups, { path: '/stop' });
    const reach = async (role: 'textbox' | 'button' | 'combobox', name: string): Promise<void> => {
      const wanted = page.getByRole(role, { name, exact: true });
      await wanted.waitFor();
      for (let presses = 0; presses < 80; presses++) {
        if (await wanted.evaluate((element) => element === element.ownerDocument.activeElement)) return;
        await page.keyboard.press('Tab');
      }
      throw new Error(`the keyboard does not reach ${name}`);
    };
    await reach('combobox', 'Name');
    await page.keyboard.type('nadia.rossi');
    await page
      .getByRole('option', { name: /nadia\.rossi/ })
      .first()
      .waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL(/user=/);
    expect(JSON.parse(search().get('user')!)).toMatchObject({ sub: 'nadia.rossi' });
    await reach('textbox', 'Reason');
    const reason = `spec ${randomUUID()}`;
    await page.keyboard.type(reason);
    await reach('button', 'Order it');
    await page.keyboard.press('Enter');
    await inForce(page);
    await reach('button', 'Lift…');
    await page.keyboard.press('Enter');
    await reach('textbox', 'Why it is lifted');
    await page.keyboard.type('enough');
    await reach('button', 'Lift it');
    await page.keyboard.press('Space');
    await page.getByText(/stays revoked\. What is granted later works\./).waitFor();
    expect(await rulesOf(reason)).toMatchObject([{ state: 'lifted' }]);
  });

  it('is not for somebody who may only look, who sees everything else and why', async () => {
    const { secret } = await askApi<{ secret: string }>('POST', '/v1/callers', { id: 'looker', roles: { audit: {} } });
    const { page } = await openConsole(cleanups, { path: userUrl('nadia.rossi'), key: secret });
    await page.getByText('You may look, and not order a rule').waitFor();
    await page.getByRole('table', { name: 'What it hits' }).waitFor();
    expect(await page.getByRole('button', { name: 'Order it' }).count()).toBe(0);
    await goTo(page, `/rules/${await orderBlock(cleanups)}`);
    await page.getByText('You may look, and not lift a rule').waitFor();
    expect(await page.getByRole('button', { name: 'Lift…' }).count()).toBe(0);
  });

  it('of a name that nobody has seen says so', async () => {
    const { page } = await openConsole(cleanups, { path: userUrl('nadia.rosi') });
    await page.getByText('This name was never seen').waitFor();
  });
});

describe('the list of rules', () => {
  it('keeps its filters in the URL, and leads to each rule', async () => {
    const { page, search } = await openConsole(cleanups, { path: '/rules' });
    await page.getByRole('table', { name: 'Rules' }).waitFor();
    await page.getByLabel('Effect').first().click();
    await page.getByRole('option', { name: 'revoke' }).click();
    await page.waitForURL(/effect=revoke/);
    expect(search().get('effect')).toBe('revoke');
    const { revocations } = await askApi<{ revocations: readonly Rule[] }>(
      'GET',
      '/v1/revocations?effect=revoke&limit=50',
    );
    await page.locator(`table[aria-rowcount="${revocations.length}"]`).waitFor();
    await page.getByRole('table', { name: 'Rules' }).getByRole('link').first().click();
    await page.waitForURL(`${consoleUrl()}/console/rules/${revocations[0]!.id}`);
    await page.getByText(revocations[0]!.reason, { exact: true }).waitFor();
    await page.getByText('refused, as resources reported').waitFor();
  });
});

/** Times are whole seconds: a call in the second of an order may have come before it. */
async function nextSecond(): Promise<void> {
  const second = (): number => Math.floor(Date.now() / 1_000);
  for (const before = second(); second() === before; ) await delay(20);
}

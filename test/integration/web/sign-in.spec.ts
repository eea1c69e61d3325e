import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { authorName } from '../../../src/contracts/index.js';
import { bindLoopback, createBrowser, startSandbox, type Browser, type Sandbox } from '../../../src/sandbox/index.js';
import { until } from '../control/control-fixture.js';
import { startRescind } from '../../../src/main.js';
import { readConfig } from '../../../src/platform/config/index.js';
import { createCleanups } from '../../support/cleanups.js';
import { startOwnRescind, type OwnRescind } from '../../support/rescind.js';
import { testLog } from '../../support/services.js';

const cleanups = createCleanups();
let own: OwnRescind;
let sandbox: Sandbox;
let url: string;

beforeAll(async () => {
  const idpServer = await bindLoopback();
  cleanups.push(() => idpServer.stop());
  const clientSecret = randomUUID();
  own = await startOwnRescind(cleanups, {
    env: {
      OIDC_ISSUER: idpServer.origin,
      OIDC_CLIENT_ID: 'rescind',
      OIDC_CLIENT_SECRET: clientSecret,
      OIDC_ROLES: 'viewer=staff,responder=security',
      FRESH_SIGN_IN_USERS: '0',
    },
  });
  url = own.rescind.url;
  sandbox = await startSandbox({
    rescindUrl: url,
    adminKey: own.rescind.adminKey!,
    brokers: null,
    log: testLog(),
    console: { idpServer, clientId: 'rescind', clientSecret },
  });
  cleanups.push(() => sandbox.stop());
});
afterAll(() => cleanups.run());

/** Signs the analyst in, as a browser does. Resolves to the page where the sign-in ended. */
async function signIn(browser: Browser, path = '/console/sign-in', user = sandbox.analyst) {
  const first = await browser.open(`${url}${path}`);
  const { login, password } = user;
  return first.html.includes('name="password"') ? browser.submit(first, { login, password }) : first;
}

const OWN = () => ({ origin: new URL(url).origin, 'x-rescind-console': '1', 'content-type': 'application/json' });

async function call(
  browser: Browser,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = OWN(),
) {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { cookie: browser.cookiesFor(`${url}/`), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

async function signedIn(): Promise<Browser> {
  const browser = createBrowser();
  await signIn(browser);
  expect(await call(browser, 'GET', '/v1/me')).toMatchObject({ status: 200 });
  return browser;
}

const order = (sub: string) => ({
  selector: { user: { iss: sandbox.idp.issuer, sub } },
  effect: 'block',
  reason: 'a person may order this',
});

describe('people who sign in', () => {
  it('have the rights of their roles, and their issuer and subject stand in the ledger', async () => {
    const browser = await signedIn();
    const me = await call(browser, 'GET', '/v1/me');
    expect(me.body).toMatchObject({
      tenant: 'default',
      person: { iss: sandbox.idp.issuer, sub: 'dana', name: 'Dana Diaz', roles: ['responder'] },
      may: { look: true, investigate: false, stop: true, administer: false },
    });
    const ordered = await call(browser, 'POST', '/v1/revocations', order('bob'));
    expect(ordered.status).toBe(201);
    const rule = await call(browser, 'GET', `/v1/revocations/${ordered.body.id}`);
    expect(rule.body.author).toEqual({
      caller: `person:${sandbox.idp.issuer}#dana`,
      person: { iss: sandbox.idp.issuer, sub: 'dana' },
    });
    expect(authorName(rule.body.author)).toBe('dana');
    expect((await call(browser, 'GET', '/v1/callers')).status).toBe(403);
    expect((await call(browser, 'POST', `/v1/revocations/${ordered.body.id}/lift`, { reason: 'again' })).status).toBe(
      200,
    );
  });

  it('save views of the console as persons, as callers do', async () => {
    const [browser, again] = [await signedIn(), await signedIn()];
    const view = { name: 'mine', page: '/explore', search: 'by=user' };
    expect(await call(browser, 'POST', '/v1/views', view, { 'content-type': 'application/json' })).toMatchObject({
      status: 403,
    });
    const { body } = await call(browser, 'POST', '/v1/views', view);
    expect(body).toMatchObject({ owner: `person:${sandbox.idp.issuer}#dana`, mine: true, may_change: true });
    expect((await call(again, 'GET', '/v1/views')).body.views).toEqual([body]);
    expect(await call(again, 'DELETE', `/v1/views/${body.id}`)).toMatchObject({ status: 200 });
  });

  it.each<[string, Record<string, string>]>([
    ['another origin', { origin: 'https://evil.example', 'x-rescind-console': '1' }],
    ['no origin', { 'x-rescind-console': '1' }],
    ['no header', { origin: 'own' }],
  ])('change nothing from %s', async (_, headers) => {
    const browser = await signedIn();
    const sent = { ...headers, ...(headers['origin'] === 'own' ? { origin: new URL(url).origin } : {}) };
    const answer = await call(browser, 'POST', '/v1/revocations', order('nobody'), {
      ...sent,
      'content-type': 'application/json',
    });
    expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });

  it('get in with no role that is configured: never', async () => {
    const browser = createBrowser();
    const page = await signIn(browser, '/console/sign-in', sandbox.users.alice);
    expect(page.url.href).toBe(`${url}/console/welcome?problem=forbidden`);
    expect(browser.cookiesFor(`${url}/`)).not.toContain('rescind-session');
  });

  it('come back to the page from which they came, and to no other site', async () => {
    const page = await signIn(
      createBrowser(),
      `/console/sign-in?return_to=${encodeURIComponent('/console/rules?a=1')}`,
    );
    expect(page.url.href).toBe(`${url}/console/rules?a=1`);
    for (const elsewhere of [
      'https://evil.example/console/',
      '//evil.example/console/',
      '/console/../v1/me',
      '/v1/me',
    ]) {
      const other = await signIn(createBrowser(), `/console/sign-in?return_to=${encodeURIComponent(elsewhere)}`);
      expect(other.url.href).toBe(`${url}/console/`);
    }
  });

  it('need a sign-in of this browser to answer a callback', async () => {
    const browser = createBrowser();
    const page = await browser.open(`${url}/console/callback?code=abc&state=def`);
    expect(page.url.href).toBe(`${url}/console/welcome?problem=sign-in-failed`);
  });

  it('sign in anew before they stop many', async () => {
    const browser = await signedIn();
    await own.database.pool.query('UPDATE person_session SET authenticated_at = authenticated_at - 301000');
    await sandbox.signIn('alice', 'atlas');
    await sandbox.clients.atlas.redeem('crm', await sandbox.clients.atlas.exchange('alice', 'crm'));
    const wide = { selector: { issuer: sandbox.idp.issuer }, effect: 'block', reason: 'many' };
    const all = { selector: { all: true }, reason: 'everything', confirm: true };
    expect(await call(browser, 'POST', '/v1/revocations', wide)).toMatchObject({
      status: 401,
      body: { code: 'sign-in-again', max_age: 300 },
    });
    // A responder may not stop everything at all.
    expect(await call(browser, 'POST', '/v1/revocations', all)).toMatchObject({
      status: 403,
      body: { code: 'selector-too-wide' },
    });
    await signIn(browser, '/console/sign-in?anew=true');
    const ordered = await call(browser, 'POST', '/v1/revocations', wide);
    expect(ordered.status).toBe(201);
    await call(browser, 'POST', `/v1/revocations/${ordered.body.id}/lift`, { reason: 'enough', resume: true });
  });

  it('are out when they sign out', async () => {
    const browser = await signedIn();
    const cookie = browser.cookiesFor(`${url}/`);
    const response = await fetch(`${url}/console/sign-out`, { method: 'POST', headers: { cookie } });
    expect(response.status).toBe(204);
    expect(response.headers.get('set-cookie')).toContain('Max-Age=0');
    expect((await call(browser, 'GET', '/v1/me')).status).toBe(401);
  });

  it('are out after an idle hour, and after twelve hours', async () => {
    const idle = await signedIn();
    await own.database.pool.query('UPDATE person_session SET used_at = used_at - 3600001');
    expect((await call(idle, 'GET', '/v1/me')).status).toBe(401);
    const old = await signedIn();
    await own.database.pool.query('UPDATE person_session SET ends_at = began_at');
    expect((await call(old, 'GET', '/v1/me')).status).toBe(401);
  });
});

describe('a link', () => {
  const make = async (headers: Record<string, string>) => fetch(`${url}/v1/sign-in-links`, { method: 'POST', headers });
  const use = (code: string, headers: Record<string, string> = { 'x-rescind-console': '1' }) =>
    fetch(`${url}/console/link`, { method: 'POST', headers, body: new URLSearchParams({ code }), redirect: 'manual' });

  it('signs an administrator in once', async () => {
    const made = await make({ authorization: `Bearer ${own.rescind.adminKey!}` });
    expect(made.status).toBe(201);
    const { url: link } = (await made.json()) as { url: string };
    expect(link.startsWith(`${url}/console/welcome#`)).toBe(true);
    const code = link.split('#')[1]!;
    expect((await use(code, {})).status).toBe(403);
    const first = await use(code);
    expect(first.status).toBe(204);
    const cookie = first.headers.get('set-cookie')!;
    expect(cookie).toMatch(
      /^__Host-rescind-session=[\w-]{43}; Max-Age=43200; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
    );
    const me = await fetch(`${url}/v1/me`, { headers: { cookie: cookie.split(';')[0]! } });
    expect(await me.json()).toMatchObject({ person: { sub: 'admin', roles: ['admin'] }, may: { administer: true } });
    expect((await use(code)).status).toBe(401);
  });

  it('is made by administrators alone, and is good for an hour', async () => {
    const viewer = await signedIn();
    expect((await call(viewer, 'POST', '/v1/sign-in-links')).status).toBe(403);
    const made = await make({ authorization: `Bearer ${own.rescind.adminKey!}` });
    const { url: link } = (await made.json()) as { url: string };
    await own.database.pool.query('UPDATE sign_in_link SET ends_at = ends_at - 3600001');
    expect((await use(link.split('#')[1]!)).status).toBe(401);
  });
});

describe('a session', () => {
  const rows = async (): Promise<number> =>
    Number((await own.database.pool.query('SELECT count(*) FROM person_session')).rows[0].count);

  it('ends when the identity provider says by the back channel that it ended there', async () => {
    const browser = await signedIn();
    const before = await rows();
    const page = await browser.open(`${sandbox.idp.issuer}/session/end?client_id=rescind`);
    await browser.submit(page, { logout: 'yes' });
    expect(await rows()).toBe(before - 1);
    expect((await call(browser, 'GET', '/v1/me')).status).toBe(401);
  });

  it.each([
    ['no form', { body: '{}', headers: { 'content-type': 'application/json' } }, 400],
    ['no token', { body: new URLSearchParams({ logout_token: 'abc' }) }, 401],
    ['another method', { method: 'GET' }, 405],
  ])('is not ended by %s', async (_, init, status) => {
    const answer = await fetch(`${url}/console/back-channel-logout`, { method: 'POST', ...init });
    expect(answer.status).toBe(status);
  });

  it('outlives a restart', async () => {
    const browser = await signedIn();
    const other = await startRescind(
      readConfig({
        RESCIND_HOME: own.home,
        PORT: '0',
        DATABASE_URL: own.database.url,
        KAFKA_BROKERS: 'none',
        LOG_LEVEL: 'silent',
      }),
      { log: testLog() },
    );
    cleanups.push(() => other.stop());
    const answer = await fetch(`${other.url}/v1/me`, { headers: { cookie: browser.cookiesFor(`${url}/`) } });
    expect(answer.status).toBe(200);
  });

  it('is used by what a person does, and not by what an open page asks by itself', async () => {
    const browser = await signedIn();
    const { pool } = own.database;
    const usedBefore = async (): Promise<number> => {
      const { rows: found } = await pool.query('SELECT max(used_at) AS at FROM person_session');
      return Date.now() - Number(found[0].at);
    };
    await pool.query('UPDATE person_session SET used_at = used_at - 1800000');
    await call(browser, 'GET', '/v1/me', undefined, { 'x-rescind-unattended': '1' });
    const cookie = browser.cookiesFor(`${url}/`);
    const stream = await fetch(`${url}/v1/stream`, { headers: { cookie } });
    await stream.body!.cancel();
    expect(await usedBefore()).toBeGreaterThanOrEqual(1_800_000);
    await call(browser, 'GET', '/v1/me');
    expect(await usedBefore()).toBeLessThan(60_000);
  });

  it('of a person in a network is told in the ledger once', async () => {
    const browser = await signedIn();
    await call(browser, 'GET', '/v1/me');
    const SAID =
      "SELECT said FROM caller_network WHERE said ? 'person' AND entry IS NOT NULL AND said #>> '{person,sub}' = 'dana'";
    await until('the entry is written', async () => (await own.database.pool.query(SAID)).rowCount === 1);
    expect((await own.database.pool.query(SAID)).rows[0].said).toEqual({
      caller: `person:${sandbox.idp.issuer}#dana`,
      person: { iss: sandbox.idp.issuer, sub: 'dana' },
      network: '127.0.0.0/8',
      first: true,
      shared: expect.any(Boolean),
    });
  });

  it('that loses the right to payloads ends its streams that told them', async () => {
    const browser = await signedIn();
    const { pool } = own.database;
    const roles = (to: readonly string[]) =>
      pool.query("UPDATE person_session SET roles = $1 WHERE sub = 'dana'", [to]);
    await roles(['viewer', 'investigator']);
    const cookie = browser.cookiesFor(`${url}/`);
    const investigates = await fetch(`${url}/v1/stream`, { headers: { cookie } });
    await roles(['viewer']);
    expect(await investigates.text()).toContain('"reason":"no-right"');
  });

  it('that ends also ends its streams', async () => {
    const browser = await signedIn();
    const stream = await fetch(`${url}/v1/stream`, { headers: { cookie: browser.cookiesFor(`${url}/`) } });
    expect(stream.status).toBe(200);
    await call(browser, 'POST', '/console/sign-out');
    const text = await stream.text();
    expect(text).toContain('"reason":"no-right"');
  });

  it('ends when the identity provider disables the person, for good', async () => {
    const browser = await signedIn();
    const isIn = async () => (await call(browser, 'GET', '/v1/me')).status === 200;
    await sandbox.idp.disableUser('dana');
    await until('the session ends', async () => !(await isIn()));
    await sandbox.idp.enableUser('dana');
    expect(await isIn()).toBe(false);
  });
});

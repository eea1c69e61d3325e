import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCli } from '../registry/cli-fixture.js';
import { namesOf, ROLES, startTwoTenants } from '../query/two-tenants.js';
import { tablesWith } from './erasure-fixture.js';

let world: Awaited<ReturnType<typeof startTwoTenants>>;
beforeAll(async () => {
  world = await startTwoTenants();
});
afterAll(() => world.stop());

const database = () => ({
  rows: async <R extends object>(sql: string, values: readonly unknown[] = []): Promise<R[]> =>
    (await world.pool.query<R>(sql, [...values])).rows,
});
const { idp, user } = namesOf('acme');
const globex = namesOf('globex');

describe('the API of erasures', () => {
  it('lets nobody but administrators in', async () => {
    for (const role of ROLES) {
      const key = world.planted.acme.keys[role];
      const body = JSON.stringify({ user: { iss: idp, sub: user } });
      const statuses = [
        (await world.ask('POST', '/v1/erasures/preview', key, body)).status,
        (await world.ask('POST', '/v1/erasures', key, '{}')).status,
        (await world.ask('GET', '/v1/erasures', key)).status,
      ];
      expect({ role, statuses }).toEqual({ role, statuses: role === 'admin' ? [200, 400, 200] : [403, 403, 403] });
    }
    expect((await world.ask('GET', '/v1/erasures', null)).status).toBe(401);
  });

  it('refuses what is malformed, and knows no erasure of another tenant', async () => {
    const key = world.planted.acme.keys.admin;
    const asked = (body: unknown) => world.ask('POST', '/v1/erasures', key, JSON.stringify(body));
    for (const body of [{}, { user: { sub: user }, reason: 'r' }, { user: { iss: idp, sub: user } }])
      expect(await asked(body)).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    expect(await asked({ user: { iss: idp, sub: user }, reason: `for ${user}` })).toMatchObject({ status: 400 });
    expect(await world.ask('GET', '/v1/erasures/00000000-0000-4000-8000-000000000000', key)).toMatchObject({
      status: 404,
      body: { code: 'not-found' },
    });
  });

  it('erases in the tenant of the caller alone', async () => {
    const refused = {
      specversion: '1.0',
      type: 'dev.rescind.user.disabled.v1',
      source: `${globex.idp}/events`,
      id: 'refused-too',
      time: new Date().toISOString(),
      data: { iss: 'https://not-ours.example', sub: globex.user },
    };
    await world.ask('POST', '/events', world.planted.globex.keys.emit, JSON.stringify(refused));
    const before = await tablesWith(database(), globex.user);
    expect(before['quarantine']).toBeGreaterThan(0);
    expect(Object.keys(before).length).toBeGreaterThan(3);
    const cli = createCli('/nowhere');
    // An administrator of acme names a user of globex.
    const said = await cli(`erase user ${globex.user} --iss ${globex.idp} --reason 'request 1' --json`, {
      url: world.url,
      key: world.planted.acme.keys.admin,
    });
    expect(said).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(said.out)).toMatchObject({ state: 'done', entries: { erased: 0, kept: 0 } });
    expect(await tablesWith(database(), globex.user)).toEqual(before);
    const { body } = await world.ask('GET', '/v1/erasures', world.planted.globex.keys.admin);
    expect(body).toEqual({ erasures: [] });
  });

  it('is used by the command line: a preview, a question, the erasure, the list', async () => {
    const cli = createCli('/nowhere');
    const as = { url: world.url, key: world.planted.acme.keys.admin };
    const preview = await cli(`erase user ${user} --iss ${idp} --preview`, as);
    expect(preview).toMatchObject({ code: 0, err: '' });
    expect(preview.out).toMatch(new RegExp(`^Names that go: ${user} at ${idp}`));
    expect(preview.out).toMatch(/^Entries that lose their payload: [1-9]/m);
    expect(preview.out).toMatch(/^- backups of the database/m);
    const declined = await cli(`erase user ${user} --iss ${idp} --reason 'request 2'`, {
      ...as,
      terminal: true,
      stdin: 'no\n',
    });
    expect(declined).toMatchObject({ code: 1, err: expect.stringContaining('Nothing was erased.') });
    expect((await tablesWith(database(), user))['payload']).toBeGreaterThan(0);
    expect(await cli(`erase user ${user} --iss ${idp}`, as)).toMatchObject({ code: 2 });

    const erased = await cli(`erase user ${user} --iss ${idp} --reason 'request 2'`, {
      ...as,
      terminal: true,
      stdin: 'erase\n',
    });
    expect(erased).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Erased\. The person is now shown as erased person \S{8}\./),
    });
    // The session of a refused token and the like may name a thing; the person is nowhere.
    expect(await tablesWith(database(), user)).toEqual({});
    expect(await cli('erase list', as)).toMatchObject({ code: 0, out: expect.stringContaining('request 2') });
    for (const path of ['/v1/grants', '/v1/search?q=erased', '/v1/directory'])
      expect((await world.ask('GET', path, world.planted.acme.keys.audit)).text).not.toContain(user);
    const grants = await world.ask('GET', '/v1/grants', world.planted.acme.keys.audit);
    expect(grants.body.items[0].user).toMatchObject({
      iss: idp,
      display_name: expect.stringMatching(/^erased person \S{8}$/),
    });
    // The shown name is one that questions take.
    const { sub } = grants.body.items[0].user as { sub: string };
    const found = await world.ask(
      'GET',
      `/v1/grants?user_iss=${encodeURIComponent(idp)}&user_sub=${encodeURIComponent(sub)}`,
      world.planted.acme.keys.audit,
    );
    expect(found.body.items).toHaveLength(grants.body.items.length);
  });

  it('goes on in the service when nobody waits, with the entry in the ledger', async () => {
    const key = world.planted.globex.keys.admin;
    const body = JSON.stringify({ user: { iss: globex.idp, sub: globex.user }, reason: 'request 3' });
    const begun = await world.ask('POST', '/v1/erasures', key, body);
    expect(begun).toMatchObject({ status: 202, body: { entry: null, done_at: null } });
    let one = begun;
    for (const until = Date.now() + 30_000; one.body.state !== 'done' && Date.now() < until; await delay(50))
      one = await world.ask('GET', `/v1/erasures/${begun.body.id}`, key);
    expect(one.body).toMatchObject({ state: 'done', step: 'done', author: { caller: expect.any(String) } });
    const entry = await world.ask('GET', `/v1/entries/${one.body.entry}`, world.planted.globex.keys.audit);
    expect(entry).toMatchObject({ status: 200, body: { type: 'dev.rescind.person.erased.v1' } });
    expect(entry.text).not.toContain(globex.user);
    expect(await tablesWith(database(), globex.user)).toEqual({});
  });
});

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startOrganisation, type Organisation } from './rescind-fixture.js';

let organisation: Organisation;
beforeAll(async () => {
  organisation = await startOrganisation('kafka');
});
afterAll(() => organisation.stop());

it('no log line at any level holds a password, a secret, an access token or an ID-JAG', async () => {
  const { sandbox, service } = organisation;
  const planted = new Map<string, string>([['admin key', service.adminKey]]);
  for (const [party, { secret }] of sandbox.registered.parties) planted.set(`secret of ${party}`, secret);
  planted.set('secret of the analyst', sandbox.registered.analyst.secret);
  for (const user of Object.values(sandbox.users)) planted.set(`password of ${user.login}`, user.password);

  // Served, refused and failing steps: an error path is where a value slips into a message.
  await sandbox.signIn('alice', 'atlas');
  for (const app of ['crm', 'files'] as const) {
    const { atlas } = sandbox.clients;
    const idJag = await atlas.exchange('alice', app);
    const { accessToken } = await atlas.redeem(app, idJag);
    planted.set(`ID-JAG for ${app}`, idJag);
    planted.set(`access token of ${app}`, accessToken);
    await atlas.call(app, accessToken, 'GET', '/nothing');
    await atlas.redeem(app, idJag).catch(() => undefined);
    await atlas.redeem(app, accessToken).catch(() => undefined);
    await atlas.redeem(app === 'crm' ? 'files' : 'crm', idJag).catch(() => undefined);
    for (const [token, secret] of [
      [accessToken, 'wrong'],
      [`${accessToken}x`, sandbox.registered.parties.get(app)!.secret],
    ] as const) {
      await fetch(new URL('/introspect', service.url), {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}` },
        body: new URLSearchParams({ token }),
      });
    }
    // A producer that sends the token itself instead of its identity.
    await fetch(new URL('/events', service.url), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${sandbox.registered.parties.get(app)!.secret}`,
        'content-type': 'application/cloudevents+json',
      },
      body: JSON.stringify({
        specversion: '1.0',
        type: 'dev.rescind.access.denied.v1',
        source: sandbox.registered.parties.get(app)!.uri,
        id: `leak-${app}`,
        time: new Date().toISOString(),
        data: { token: { sha256: accessToken }, operation: 'read', reason: idJag },
      }),
    });
  }

  expect(service.logLines.length).toBeGreaterThan(0);
  const log = service.logLines.join('');
  const found = [...planted].filter(([, value]) => log.includes(value)).map(([what]) => what);
  expect(found).toEqual([]);
  // Halves of a token are as good as the whole where the rest can be guessed: no signature either.
  const signatures = [...planted.values()]
    .filter((value) => value.split('.').length === 3)
    .map((value) => value.split('.')[2]!);
  expect(signatures.filter((signature) => log.includes(signature))).toEqual([]);
});

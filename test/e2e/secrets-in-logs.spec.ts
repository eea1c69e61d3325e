import { setTimeout as delay } from 'node:timers/promises';
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

it('no log line at any level holds a secret of a channel, whether it is set, refused, tried or rotated', async () => {
  const { service } = organisation;
  const call = async (method: string, path: string, body: object) => {
    const response = await fetch(new URL(`/v1/channels/${path}`, service.url), {
      method,
      headers: { authorization: `Bearer ${service.adminKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as any };
  };
  const planted = {
    webhook: { address: 'https://127.0.0.1:1/hook/planted-webhook-path' },
    slack: { address: 'https://127.0.0.1:1/services/T0/B0/planted-slack-path' },
    teams: { address: 'https://127.0.0.1:1/workflows/planted?sig=planted-teams-signature' },
    pagerduty: { routing_key: 'plantedRoutingKey000000000000000', address: 'https://127.0.0.1:1/planted-enqueue' },
  };
  const secrets = new Set([
    'planted-webhook-path',
    'planted-slack-path',
    'planted-teams-signature',
    'plantedRoutingKey000000000000000',
    'planted-enqueue',
  ]);
  for (const [kind, settings] of Object.entries(planted)) {
    const set = await call('PUT', `secret-${kind}`, { kind, ...settings });
    expect({ kind, status: set.status }).toEqual({ kind, status: 200 });
    expect((await call('PUT', 'refused', { kind, ...settings, ghost: 1 })).status).toBe(400);
    expect((await call('PUT', 'refused', { kind: 'ghost', ...settings })).status).toBe(400);
    expect((await call('POST', `secret-${kind}/try`, {})).body).toMatchObject({ delivered: false });
    if (kind !== 'webhook') continue;
    const rotated = await call('POST', 'secret-webhook/rotate', {});
    for (const { body } of [set, rotated]) {
      expect(body.secret).toMatch(/^whsec_/);
      secrets.add(body.secret);
      secrets.add(body.secret.slice('whsec_'.length));
    }
  }
  // A finding, whose deliveries fail.
  await fetch(new URL('/v1/callers', service.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${service.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ id: 'second-admin', roles: { admin: {} } }),
  });
  const attempts = async (kind: string): Promise<number> => {
    const response = await fetch(new URL(`/v1/channels/secret-${kind}/deliveries`, service.url), {
      headers: { authorization: `Bearer ${service.adminKey}` },
    });
    return ((await response.json()) as any).items[0]?.attempts ?? 0;
  };
  for (const kind of Object.keys(planted)) while ((await attempts(kind)) === 0) await delay(100);
  const log = service.logLines.join('');
  expect([...secrets].filter((value) => log.includes(value))).toEqual([]);
}, 60_000);

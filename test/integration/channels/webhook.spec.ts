import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cleanUp } from '../../support/cleanups.js';
import { CRM, IDP } from '../findings/world.js';
import { startPushing, type Pushing } from './pushing.js';
import { startReceiver, until, type Arrived, type Receiver } from './receiver.js';

const cleanups = cleanUp(afterAll);
let pushing: Pushing;
beforeAll(async () => {
  pushing = await startPushing(cleanups);
  cleanups.push(
    (
      (deliverer) => () =>
        deliverer.stop()
    )(pushing.startDelivering()),
  );
});

async function receiver(options?: Parameters<typeof startReceiver>[0]): Promise<Receiver> {
  const started = await startReceiver(options);
  cleanups.push(() => started.stop());
  return started;
}

/** Verifies as a receiver does that has read Standard Webhooks and nothing of ours. */
function isSignedBy(secret: string, { headers, text }: Arrived): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${text}`;
  const expected = createHmac('sha256', key).update(signed).digest('base64');
  return String(headers['webhook-signature']).split(' ').includes(`v1,${expected}`);
}

describe('a webhook', () => {
  it('gets a new finding as the API answers it, signed, over TLS, once', async () => {
    const { url, arrived } = await receiver({ isTls: true });
    const made = await pushing.ok('PUT', '/first', { kind: 'webhook', address: url });
    expect(made).toMatchObject({
      name: 'first',
      kind: 'webhook',
      enabled: true,
      severity: 'info',
      updated_by: 'acme-admin',
    });
    expect(made.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const id = await pushing.makeFinding('ann');
    const [message] = await until('the message', () => arrived.length > 0 && arrived);
    expect(message!.body).toEqual({
      type: 'finding.opened',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      data: (await pushing.get(`/v1/findings/${id}`)).body,
      link: `https://rescind.example/v1/findings/${id}`,
    });
    expect(message!.headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': expect.stringMatching(/^msg_[a-z0-9_]+$/),
    });
    expect(Math.abs(Number(message!.headers['webhook-timestamp']) * 1_000 - Date.now())).toBeLessThan(60_000);
    expect(isSignedBy(made.secret, message!)).toBe(true);
    expect(isSignedBy(`whsec_${Buffer.alloc(32).toString('base64')}`, message!)).toBe(false);
    const [delivery] = await until('the delivery', async () => {
      const items = await pushing.deliveries('first', '?state=delivered');
      return items.length > 0 && items;
    });
    expect(delivery).toMatchObject({
      id: message!.headers['webhook-id'],
      finding: id,
      type: 'finding.opened',
      state: 'delivered',
      attempts: 1,
      status: 200,
      problem: null,
      next_at: null,
    });
    await pushing.find();
    await pushing.makeFinding('ben');
    await until('the second message', () => arrived.length > 1);
    expect(arrived).toHaveLength(2);
    expect(arrived[1]!.headers['webhook-id']).not.toBe(message!.headers['webhook-id']);
  });

  it('gets the same message again until it takes it', async () => {
    const { url, arrived } = await receiver({ answer: (_, nth) => ({ status: nth < 3 ? 500 : 204 }) });
    await pushing.ok('PUT', '/again', { kind: 'webhook', address: url });
    await pushing.makeFinding('cid');
    const [delivery] = await until('the delivery', async () => {
      const items = await pushing.deliveries('again', '?state=delivered');
      return items.length > 0 && items;
    });
    expect(delivery).toMatchObject({ attempts: 3, status: 204 });
    expect(new Set(arrived.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(arrived).toHaveLength(3);
  });

  it('is dead after its attempts, is shown so, and is replayed under the same id', async () => {
    let status = 503;
    const { url, arrived } = await receiver({ answer: () => ({ status }) });
    await pushing.ok('PUT', '/dead', { kind: 'webhook', address: url });
    await pushing.makeFinding('dan');
    const [dead] = await until('the death', async () => {
      const items = await pushing.deliveries('dead', '?state=dead');
      return items.length > 0 && items;
    });
    expect(dead).toMatchObject({ attempts: 15, status: 503, problem: 'status 503', next_at: null });
    expect(arrived).toHaveLength(15);
    expect(await pushing.ok('GET', '/dead')).toMatchObject({ waiting: 0, dead: 1 });
    status = 200;
    expect(await pushing.ok('POST', '/dead/replay', { delivery: dead.id })).toEqual({ replayed: 1 });
    await until('the replayed message', () => arrived.length > 15);
    await until('its end', async () => (await pushing.deliveries('dead', '?state=delivered')).length === 1);
    expect(arrived.at(-1)!.headers['webhook-id']).toBe(dead.id);
    expect(await pushing.ok('GET', '/dead')).toMatchObject({ waiting: 0, dead: 0 });
    expect(await pushing.ok('POST', '/dead/replay', { state: 'dead' })).toEqual({ replayed: 0 });
    expect(
      (await pushing.call('POST', '/dead/replay', { delivery: 'msg_00000000000000000000000000000000_1' })).status,
    ).toBe(404);
    expect((await pushing.call('POST', '/dead/replay', {})).body.code).toBe('inconsistent-request');
  });

  it('of 410 is dead at once', async () => {
    const { url, arrived } = await receiver({ answer: () => ({ status: 410 }) });
    await pushing.ok('PUT', '/gone', { kind: 'webhook', address: url });
    await pushing.makeFinding('eve');
    await until('the death', async () => (await pushing.deliveries('gone', '?state=dead')).length === 1);
    expect(arrived).toHaveLength(1);
  });

  it('carries a signature of each secret while one is replaced, and of the new one alone after that', async () => {
    const { url, arrived } = await receiver();
    const { secret: old } = await pushing.ok('PUT', '/rotating', { kind: 'webhook', address: url });
    const turned = await pushing.ok('POST', '/rotating/rotate', { keep_seconds: 3_600 });
    expect(turned.secret).not.toBe(old);
    expect(Date.parse(turned.old_secret_until)).toBeGreaterThan(Date.now() + 3_500_000);
    await pushing.ok('POST', '/rotating/try');
    expect([old, turned.secret].map((secret) => isSignedBy(secret, arrived.at(-1)!))).toEqual([true, true]);
    const last = await pushing.ok('POST', '/rotating/rotate', { keep_seconds: 0 });
    expect(last.old_secret_until).toBeNull();
    await pushing.ok('POST', '/rotating/try');
    expect([old, turned.secret, last.secret].map((secret) => isSignedBy(secret, arrived.at(-1)!))).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe('a channel', () => {
  it('gets what its filters let through, and no other, and nothing while it is off', async () => {
    const { url, arrived } = await receiver();
    await pushing.ok('PUT', '/critical', { kind: 'webhook', address: `${url}/critical`, severity: 'critical' });
    await pushing.ok('PUT', '/kinds', { kind: 'webhook', address: `${url}/kinds`, kinds: ['refusals'] });
    await pushing.ok('PUT', '/news', { kind: 'webhook', address: `${url}/news`, news: ['resolved'] });
    await pushing.ok('PUT', '/off', { kind: 'webhook', address: `${url}/off`, enabled: false });
    await pushing.ok('PUT', '/all', {
      kind: 'webhook',
      address: `${url}/all`,
      severity: 'high',
      kinds: ['token-from-two-networks'],
    });
    await pushing.makeFinding('fay');
    await until('the message', () => arrived.length > 0);
    // A second finding, so that the first one has gone wherever it goes.
    await pushing.ok('PUT', '/off', { kind: 'webhook' });
    await pushing.makeFinding('gus');
    await until('the second messages', () => arrived.length >= 3);
    expect(arrived.map(({ path, body }) => `${path} ${body.data.user.sub}`).sort()).toEqual([
      '/hook/all fay',
      '/hook/all gus',
      '/hook/off gus',
    ]);
    for (const name of ['critical', 'kinds', 'news']) expect(await pushing.deliveries(name)).toEqual([]);
  });

  it('with tags gets what is about whom or what the directory tags so, as it is when the news are read', async () => {
    const { url, arrived } = await receiver();
    const put = async (path: string, body: object) =>
      expect((await pushing.send('PUT', `/v1/directory/${path}`, 'acme-admin', body)).status).toBe(200);
    const user = (sub: string) => `users/${sub}?iss=${encodeURIComponent(IDP)}&tenant=acme`;
    await put(user('hal'), { userName: 'hal', tags: ['vip', 'other'] });
    const made = await pushing.ok('PUT', '/tagged', {
      kind: 'webhook',
      address: `${url}/tagged`,
      tags: ['vip', 'sensitive'],
    });
    expect(made).toMatchObject({ tags: ['vip', 'sensitive'] });
    await pushing.ok('PUT', '/every', { kind: 'webhook', address: `${url}/every` });
    for (const sub of ['hal', 'ian']) await pushing.makeFinding(sub);
    await until('the first messages', () => arrived.length >= 3);
    await put(`resources/${encodeURIComponent(CRM)}`, { tags: ['sensitive'] });
    await pushing.makeFinding('jan');
    await until('the messages', () => arrived.length >= 5);
    expect(arrived.map(({ path, body }) => `${path} ${body.data.user.sub}`).sort()).toEqual([
      '/hook/every hal',
      '/hook/every ian',
      '/hook/every jan',
      '/hook/tagged hal',
      '/hook/tagged jan',
    ]);
    expect(await pushing.deliveries('tagged')).toHaveLength(2);
    expect(await pushing.ok('PUT', '/tagged', { kind: 'webhook' })).toMatchObject({ tags: null });
    for (const tags of [[], ['Vip'], ['vip', 'vip'], 'vip'])
      expect((await pushing.call('PUT', '/tagged', { kind: 'webhook', tags })).status).toBe(400);
  });

  it('is of its tenant, and of administrators', async () => {
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['GET', '/first', undefined],
      ['PUT', '/first', { kind: 'webhook' }],
      ['DELETE', '/first', undefined],
      ['POST', '/first/try', undefined],
      ['POST', '/first/rotate', undefined],
      ['POST', '/first/replay', { state: 'dead' }],
      ['GET', '/first/deliveries', undefined],
    ] as const) {
      expect((await pushing.call(method, path, body, null)).status).toBe(401);
      expect((await pushing.call(method, path, body, 'acme-audit')).status).toBe(403);
      const { status, body: said } = await pushing.call(method, path, body, 'globex-admin');
      if (path === '') expect(said).toEqual({ channels: [] });
      else expect([method, path, status]).toEqual([method, path, method === 'PUT' ? 400 : 404]);
    }
  });

  it('shows no secret: neither address, nor key, nor what signs', async () => {
    const hidden = 'T00000000/B00000000/very-hidden';
    const routing = 'abcdefghijklmnopqrstuvwxyz012345';
    await pushing.ok('PUT', '/slack-one', { kind: 'slack', address: `https://hooks.slack.com/services/${hidden}` });
    await pushing.ok('PUT', '/pd', { kind: 'pagerduty', routing_key: routing });
    const { secret } = await pushing.ok('PUT', '/signed', {
      kind: 'webhook',
      address: 'https://example.com/?token=hidden',
    });
    const shown = JSON.stringify([
      await pushing.ok('GET', ''),
      await pushing.ok('GET', '/slack-one'),
      await pushing.ok('GET', '/pd'),
      await pushing.ok('GET', '/signed'),
      await pushing.ok('PUT', '/signed', { kind: 'webhook', severity: 'low' }),
    ]);
    for (const one of [hidden, routing, 'hidden', secret]) expect(shown).not.toContain(one);
    expect(await pushing.ok('GET', '/pd')).toMatchObject({ target: 'https://events.pagerduty.com/…' });
    expect(await pushing.ok('GET', '/slack-one')).toMatchObject({ target: 'https://hooks.slack.com/…' });
    for (const name of ['slack-one', 'pd', 'signed']) {
      await pushing.ok('DELETE', `/${name}`);
      expect((await pushing.call('GET', `/${name}`)).status).toBe(404);
    }
  });

  it.each([
    ['no kind', { address: 'https://example.com' }],
    ['an unknown kind', { kind: 'pigeon', address: 'https://example.com' }],
    ['no address', { kind: 'webhook' }],
    ['an address that is none', { kind: 'webhook', address: 'https://' }],
    ['another scheme', { kind: 'webhook', address: 'ftp://example.com' }],
    ['a user in the address', { kind: 'webhook', address: 'https://a:b@example.com' }],
    ['a fragment', { kind: 'webhook', address: 'https://example.com/#a' }],
    ['a member of another kind', { kind: 'slack', address: 'https://example.com', routing_key: 'a' }],
    ['a malformed key', { kind: 'pagerduty', routing_key: 'a b' }],
    ['an unknown severity', { kind: 'webhook', address: 'https://example.com', severity: 'dire' }],
    ['no kinds of findings', { kind: 'webhook', address: 'https://example.com', kinds: [] }],
    ['a list as its body', []],
  ])('is refused with %s', async (_, body) => {
    expect(await pushing.call('PUT', '/refused', body)).toMatchObject({
      status: 400,
      body: { code: 'invalid-request' },
    });
  });

  it('is refused under a name that is none, as another kind, and beyond twenty', async () => {
    const { url } = await receiver();
    expect((await pushing.call('PUT', '/Upper', { kind: 'webhook', address: url })).status).toBe(400);
    expect((await pushing.call('PUT', '/first', { kind: 'slack', address: url })).body.detail).toContain('remove it');
    const { channels } = await pushing.ok('GET', '');
    for (let nth = channels.length; nth < 20; nth++)
      await pushing.ok('PUT', `/more-${nth}`, { kind: 'webhook', address: url, enabled: false });
    expect((await pushing.call('PUT', '/one-too-many', { kind: 'webhook', address: url })).body.detail).toContain('20');
  });
});

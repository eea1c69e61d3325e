import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RescindError } from '../../../src/contracts/index.js';
import { createAuthenticator, createRegistry } from '../../../src/registry/index.js';
import { CHAT_SOURCE, IDP_SOURCE, startControl, type ControlFixture } from './control-fixture.js';

const codeOf = async (work: Promise<unknown>): Promise<string | undefined> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error !== undefined && !(error instanceof RescindError)) throw error;
  return error?.code;
};

describe('the registry on PostgreSQL', () => {
  let control: ControlFixture;

  beforeAll(async () => {
    control = await startControl();
  });
  afterAll(() => control.stop());

  it('registers a source: topic created, profile over the defaults, one record', async () => {
    const topics: string[] = [];
    const registry = createRegistry({ ...control, createTopic: async (topic) => void topics.push(topic) });
    const source = await registry.createSource(control.admin, { ...IDP_SOURCE, profile: { skew: 30 } });
    expect(source).toMatchObject({
      name: 'idp',
      topic: 'rescind.events.idp',
      disabled: false,
      profile: { skew: 30, lineage: { id_jag: 'stated', other: 'stated' }, typ: ['at+jwt'], identity: ['jti'] },
    });
    expect(topics).toEqual(['rescind.events.idp']);
    expect(control.follower.state.sourceByUri(IDP_SOURCE.uri)?.id).toBe(source.id);
    const records = await control.controlLog.readSubject(source.id);
    expect(records.map(({ kind, body }) => [kind, body])).toMatchObject([
      ['source.changed', { author: { caller: 'admin' }, change: 'created' }],
    ]);
    await registry.createSource(control.admin, CHAT_SOURCE);
  });

  it.each<[string, string, object]>([
    ['a name with other characters', 'invalid-request', { name: 'CRM' }],
    ['no name', 'invalid-request', { name: undefined }],
    ['a relative URI', 'invalid-request', { uri: '/crm' }],
    ['a URI over 512 bytes', 'invalid-request', { uri: `urn:${'ä'.repeat(300)}` }],
    ['an unknown member', 'invalid-request', { tenant: 'other' }],
    ['an unknown type', 'invalid-request', { types: ['everything'] }],
    ["one of Rescind's own types", 'invalid-request', { types: ['revocation.ordered'] }],
    ['no issuer where its types need one', 'invalid-request', { types: ['id-jag.issued'], issuers: [] }],
    ['no resource where its types need one', 'invalid-request', { types: ['token.issued'], resources: [] }],
    ['a topic outside the events', 'invalid-request', { topic: 'rescind.control' }],
    ['an algorithm that is refused', 'invalid-request', { profile: { algorithms: ['HS256'] } }],
    ['an empty list of algorithms', 'invalid-request', { profile: { algorithms: [] } }],
    ["an ID-JAG's typ for access tokens", 'invalid-request', { profile: { typ: 'application/OAuth-ID-JAG+jwt' } }],
    [
      'keys inline and by URI',
      'invalid-request',
      { jwks: { keys: [{ kty: 'EC' }] }, jwks_uri: 'https://a.example/jwks' },
    ],
    ['keys by http', 'invalid-jwks', { jwks_uri: 'http://a.example/jwks' }],
    ['keys by a URL with a password', 'invalid-jwks', { jwks_uri: 'https://u:p@a.example/jwks' }],
    ['a key that is none', 'invalid-jwks', { jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }],
    ['a taken name', 'already-exists', { name: 'idp' }],
    ['a taken URI', 'already-exists', { uri: IDP_SOURCE.uri }],
  ])('refuses a source with %s', async (_, code, members) => {
    const input = {
      name: 'crm',
      uri: 'urn:crm',
      types: ['access.allowed'],
      issuers: ['https://crm.example'],
      resources: ['https://api.crm.example'],
      ...members,
    };
    expect(await codeOf(control.registry.createSource(control.admin, JSON.parse(JSON.stringify(input))))).toBe(code);
    expect(control.follower.state.sourceByName('crm')).toBeUndefined();
  });

  it('does not register a source whose topic could not be created', async () => {
    const registry = createRegistry({
      ...control,
      createTopic: () => Promise.reject(new RescindError('kafka-unavailable')),
    });
    expect(
      await codeOf(registry.createSource(control.admin, { ...CHAT_SOURCE, name: 'later', uri: 'urn:later' })),
    ).toBe('kafka-unavailable');
    expect(control.follower.state.sourceByName('later')).toBeUndefined();
  });

  it('lets a tenant claim only issuers that the operator gave it, or any free issuer without such a list', async () => {
    const { registry, admin, follower } = control;
    await registry.createTenant(admin, { name: 'bounded', issuers: ['https://idp.bounded.example'] });
    await registry.createTenant(admin, { name: 'unbounded' });
    const actor = (name: string) => ({ id: `${name}-admin`, tenant: follower.state.tenantByName(name)!.id });
    const source = (name: string, issuer: string) => ({
      name,
      uri: `urn:${name}`,
      types: ['access.allowed'],
      issuers: [issuer],
      resources: [`https://api.${name}.example`],
    });
    expect(
      await codeOf(registry.createSource(actor('bounded'), source('b-1', 'https://accounts.foreign.example'))),
    ).toBe('forbidden');
    expect(
      await codeOf(registry.createSource(actor('bounded'), source('b-2', 'https://idp.bounded.example'))),
    ).toBeUndefined();
    expect(
      await codeOf(
        registry.updateSource(actor('bounded'), 'b-2', {
          types: ['access.allowed'],
          issuers: ['https://accounts.foreign.example'],
          resources: ['https://api.b-2.example'],
        }),
      ),
    ).toBe('forbidden');
    expect(
      await codeOf(registry.createSource(actor('unbounded'), source('u-1', 'https://accounts.foreign.example'))),
    ).toBeUndefined();
    expect(registry.getTenant(admin, 'bounded')).toMatchObject({ issuers: ['https://idp.bounded.example'] });
  });

  it('decides a waiting edit at its turn: a key that was withdrawn meanwhile gives no right', async () => {
    const { registry, follower, admin } = control;
    const created = await registry.createCaller(admin, { id: 'second-admin', roles: { admin: {} } });
    const key = follower.state.caller('second-admin')!.secrets[0]!.id;
    const actor = { id: 'second-admin', tenant: admin.tenant, key };
    expect(created.secret).toBeDefined();
    expect(await codeOf(registry.createCaller(actor, { id: 'while-it-may', roles: { audit: {} } }))).toBeUndefined();
    let release: () => void = () => undefined;
    const topic = new Promise<void>((resolve) => (release = resolve));
    const slow = createRegistry({ ...control, createTopic: () => topic });
    // The first edit of the line takes its time; behind it stand the removal and what the removed one still asks for.
    const first = slow.createSource(admin, { ...CHAT_SOURCE, name: 'slow', uri: 'urn:slow' });
    const removal = slow.disableCaller(admin, 'second-admin');
    const late = codeOf(slow.createCaller(actor, { id: 'too-late', roles: { admin: {} } }));
    const later = codeOf(slow.createCaller(actor, { id: 'too-late-2', roles: { admin: {} } }));
    release();
    await Promise.all([first, removal]);
    // Callers take turns, so its first edit may have come before the removal; none does after it.
    const codes = [await late, await later];
    expect(codes[1]).toBe('unauthenticated');
    expect(follower.state.caller('too-late-2')).toBeUndefined();
  });

  it('lets no caller fill the queue: one edit too many is refused, and another caller waits for one edit at most', async () => {
    let release: () => void = () => undefined;
    const topic = new Promise<void>((resolve) => (release = resolve));
    const { admin } = control;
    const slow = createRegistry({ ...control, createTopic: () => topic });
    const order: string[] = [];
    const greedy = { id: 'greedy', tenant: admin.tenant };
    const edits = Array.from({ length: 20 }, (_, nth) =>
      slow
        .createSource(greedy, { ...CHAT_SOURCE, name: `greedy-${nth}`, uri: `urn:greedy:${nth}` })
        .then(() => order.push('greedy')),
    );
    expect(await codeOf(slow.createSource(greedy, { ...CHAT_SOURCE, name: 'greedy-20', uri: 'urn:greedy:20' }))).toBe(
      'too-many-requests',
    );
    const modest = slow.createCaller(admin, { id: 'modest', roles: { audit: {} } }).then(() => order.push('modest'));
    release();
    await Promise.all([...edits, modest]);
    expect(order.indexOf('modest')).toBeLessThanOrEqual(2);
  });

  it('keeps names, URIs and caller ids unique when two processes create at once', async () => {
    const other = await control.startProcess();
    for (let round = 0; round < 10; round++) {
      const source = (name: string, uri: string) => ({ ...CHAT_SOURCE, name, uri });
      const settled = await Promise.allSettled([
        control.registry.createSource(control.admin, source(`race-${round}`, `urn:race:${round}:a`)),
        other.registry.createSource(control.admin, source(`race-${round}`, `urn:race:${round}:b`)),
        control.registry.createSource(control.admin, source(`race-${round}-c`, `urn:race:${round}:c`)),
        other.registry.createSource(control.admin, source(`race-${round}-d`, `urn:race:${round}:c`)),
        control.registry.createCaller(control.admin, { id: `race-${round}`, roles: { audit: {} } }),
        other.registry.createCaller(control.admin, { id: `race-${round}`, roles: { admin: {} } }),
      ]);
      for (const [one, two] of [settled.slice(0, 2), settled.slice(2, 4), settled.slice(4, 6)]) {
        expect([one!.status, two!.status].sort()).toEqual(['fulfilled', 'rejected']);
        const rejected = [one!, two!].find(({ status }) => status === 'rejected') as PromiseRejectedResult;
        expect(rejected.reason).toMatchObject({ code: 'already-exists' });
      }
    }
    await other.follower.whenApplied(control.follower.state.head);
    const all = (process: typeof other) =>
      [...process.follower.state.sources()].map(({ name, uri }) => `${name} ${uri}`).sort();
    expect(all(other)).toEqual(all(control));
    expect(other.follower.state.registryVersion).toBe(control.follower.state.registryVersion);
  });

  it('refuses nothing because of records that another process has just made', async () => {
    const other = await control.startProcess();
    for (let round = 0; round < 10; round++) {
      await control.registry.createCaller(control.admin, { id: `made-${round}`, roles: { audit: {} } });
      await other.registry.addSecret(control.admin, `made-${round}`, {});
    }
  });

  it('loses no change between two administrators, and keeps two secrets at most', async () => {
    const other = await control.startProcess();
    const created = await control.registry.createCaller(control.admin, { id: 'rotated', roles: { audit: {} } });
    const settled = await Promise.allSettled([
      control.registry.addSecret(control.admin, 'rotated', {}),
      other.registry.addSecret(control.admin, 'rotated', {}),
      control.registry.addSecret(control.admin, 'rotated', {}),
    ]);
    const added = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(added).toHaveLength(1);
    expect(
      settled.filter((one) => one.status === 'rejected').map((one) => (one as PromiseRejectedResult).reason.code),
    ).toEqual(['too-many-secrets', 'too-many-secrets']);

    const authenticate = createAuthenticator({ state: () => control.follower.state });
    const accepted = (secret: string) =>
      authenticate({ authorization: `Bearer ${secret}`, remoteAddress: '' }).caller?.id;
    expect([created.secret, added[0]!.secret].map(accepted)).toEqual(['rotated', 'rotated']);
    await control.registry.removeSecret(control.admin, 'rotated', created.secrets[0]!.id);
    expect([created.secret, added[0]!.secret].map(accepted)).toEqual([undefined, 'rotated']);
    await control.registry.disableCaller(control.admin, 'rotated');
    expect(accepted(added[0]!.secret)).toBeUndefined();
    await control.registry.updateCaller(control.admin, 'rotated', { roles: { audit: {} }, disabled: false });
    expect(accepted(added[0]!.secret)).toBe('rotated');
  });

  it('drops secrets that have expired when another is added', async () => {
    const created = await control.registry.createCaller(control.admin, { id: 'expiring', roles: { audit: {} } });
    await control.registry.addSecret(control.admin, 'expiring', { expires_at: Math.floor(Date.now() / 1000) + 60 });
    const later = createRegistry({ ...control, now: () => Date.now() + 61_000 });
    const added = await later.addSecret(control.admin, 'expiring', {});
    expect(control.registry.getCaller(control.admin, 'expiring').secrets.map(({ id }) => id)).toEqual([
      created.secrets[0]!.id,
      added.id,
    ]);
  });

  it.each<[string, object]>([
    ['a source that is not registered', { emit: { sources: ['nobody'] } }],
    [
      'an issuer that is not registered',
      { introspect: { resources: ['https://api.chat.example/mcp'], issuers: ['https://evil.example'] } },
    ],
    [
      'a resource that is not registered',
      { introspect: { resources: ['https://evil.example'], issuers: ['https://login.chat.example'] } },
    ],
    [
      'a pair of an issuer that is not registered',
      { 'revoke-own': { clients: [{ iss: 'https://evil.example', client_id: 'a' }] } },
    ],
    ['nothing to revoke', { revoke: { issuers: [], resources: [] } }],
  ])('refuses a role bound to %s', async (_, roles) => {
    expect(await codeOf(control.registry.createCaller(control.admin, { id: 'bound', roles }))).toBe('invalid-bound');
  });

  it.each<[string, object]>([
    ['an unknown role', { root: {} }],
    ['an introspect role without bounds', { introspect: {} }],
    ['an introspect role with an empty bound', { introspect: { resources: [], issuers: [] } }],
    ['a revoke role for half a tenant', { revoke: { tenant: false } }],
    ['a member in a role without any', { admin: { everything: true } }],
  ])('refuses %s', async (_, roles) => {
    expect(await codeOf(control.registry.createCaller(control.admin, { id: 'shape', roles }))).toBe('invalid-request');
  });

  it('accepts every role with bounds that are registered', async () => {
    const roles = {
      emit: { sources: ['chat'] },
      introspect: {
        resources: ['https://api.chat.example/mcp', 'https://login.chat.example'],
        issuers: ['https://login.chat.example'],
        wait: true,
      },
      guard: { resources: ['https://api.chat.example/mcp'], issuers: ['https://login.chat.example'] },
      'revoke-own': { clients: [{ iss: 'https://login.chat.example', client_id: 'wiki-at-chat' }] },
      revoke: { issuers: ['https://idp.acme.example'], resources: [] },
      audit: {},
    };
    const caller = await control.registry.createCaller(control.admin, { id: 'all-roles', roles });
    expect(caller.roles).toEqual(roles);
  });

  it('shows a secret once, and its digest never', async () => {
    const { secret, ...rest } = await control.registry.createCaller(control.admin, {
      id: 'shown',
      roles: { audit: {} },
    });
    expect(secret).toMatch(/^rsk_[A-Za-z0-9_-]{43}$/);
    const shown = JSON.stringify([
      rest,
      control.registry.getCaller(control.admin, 'shown'),
      control.registry.listCallers(control.admin),
    ]);
    expect(shown).not.toContain(secret);
    expect(shown).not.toContain('sha256');
    const { rows } = await control.database.pool.query<{ text: string }>('SELECT body::text AS text FROM control_log');
    expect(rows.some(({ text }) => text.includes(secret))).toBe(false);
  });

  it('keeps the name and the URI of a source', async () => {
    const { name: _, uri: __, ...update } = CHAT_SOURCE;
    expect(await codeOf(control.registry.updateSource(control.admin, 'chat', { ...update, name: 'talk' }))).toBe(
      'inconsistent-request',
    );
    expect(await codeOf(control.registry.updateSource(control.admin, 'chat', { ...update, uri: 'urn:talk' }))).toBe(
      'inconsistent-request',
    );
    const updated = await control.registry.updateSource(control.admin, 'chat', {
      ...update,
      profile: { lineage: 'confirmed' },
    });
    expect(updated).toMatchObject({
      name: 'chat',
      uri: CHAT_SOURCE.uri,
      profile: { lineage: { id_jag: 'confirmed', other: 'confirmed' } },
    });
    const disabled = await control.registry.disableSource(control.admin, updated.id);
    expect(disabled.disabled).toBe(true);
    expect((await control.registry.updateSource(control.admin, 'chat', { ...update, disabled: false })).disabled).toBe(
      false,
    );
  });
});

describe('tenants', () => {
  let control: ControlFixture;

  beforeAll(async () => {
    control = await startControl();
    await control.registry.createSource(control.admin, IDP_SOURCE);
  });
  afterAll(() => control.stop());

  it('refuses to lose the only administrator, by any way', async () => {
    const [secret] = control.registry.getCaller(control.admin, 'admin').secrets;
    expect(await codeOf(control.registry.disableCaller(control.admin, 'admin'))).toBe('last-admin');
    expect(await codeOf(control.registry.updateCaller(control.admin, 'admin', { roles: { audit: {} } }))).toBe(
      'last-admin',
    );
    expect(await codeOf(control.registry.removeSecret(control.admin, 'admin', secret!.id))).toBe('last-admin');
  });

  it('gives each its own sources and callers, and never an issuer or a topic to two', async () => {
    const { registry, follower } = control;
    const { admin: created } = await registry.createTenant(control.admin, { name: 'globex' });
    expect(created.id).toBe('globex-admin');
    const globex = follower.state.caller('globex-admin')!;
    expect(registry.listSources(globex)).toEqual([]);
    expect(registry.listCallers(globex).map(({ id }) => id)).toEqual(['globex-admin']);
    expect(() => registry.getSource(globex, 'idp')).toThrow(expect.objectContaining({ code: 'not-found' }));
    expect(() => registry.getCaller(globex, 'admin')).toThrow(expect.objectContaining({ code: 'not-found' }));
    expect(await codeOf(registry.disableSource(globex, 'idp'))).toBe('not-found');
    expect(await codeOf(registry.disableCaller(globex, 'admin'))).toBe('not-found');

    const source = (members: object) => codeOf(registry.createSource(globex, { ...CHAT_SOURCE, ...members }));
    expect(await source({ issuers: IDP_SOURCE.issuers })).toBe('already-exists');
    expect(await source({ topic: 'rescind.events.idp' })).toBe('already-exists');
    expect(await source({ name: 'idp' })).toBe('already-exists');
    expect(await source({ topic: 'rescind.events.shared' })).toBeUndefined();
    expect(
      await codeOf(registry.createSource(control.admin, { ...IDP_SOURCE, name: 'shared', uri: 'urn:shared' })),
    ).toBe('already-exists');
    expect(
      await codeOf(registry.createCaller(control.admin, { id: 'emitter', roles: { emit: { sources: ['chat'] } } })),
    ).toBe('invalid-bound');

    expect(await codeOf(registry.createTenant(globex, { name: 'initech' }))).toBe('forbidden');
    expect(registry.listTenants(globex).map(({ name }) => name)).toEqual(['globex']);
    expect(registry.listTenants(control.admin).map(({ name }) => name)).toEqual(['default', 'globex']);
    expect(JSON.stringify(registry.listTenants(control.admin))).not.toContain('key');
    expect(await codeOf(registry.createTenant(control.admin, { name: 'globex', admin: 'second' }))).toBe(
      'already-exists',
    );
  });

  it('creates one of two tenants of a name, with one administrator', async () => {
    const other = await control.startProcess();
    const settled = await Promise.allSettled([
      control.registry.createTenant(control.admin, { name: 'hooli' }),
      other.registry.createTenant(control.admin, { name: 'hooli', admin: 'hooli-root' }),
    ]);
    expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const tenants = [...control.follower.state.tenants()].filter(({ name }) => name === 'hooli');
    expect(tenants).toHaveLength(1);
    expect([...control.follower.state.callers()].filter(({ tenant }) => tenant === tenants[0]!.id)).toHaveLength(1);
  });
});

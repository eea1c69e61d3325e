import { timeText } from '../../../src/contracts/index.js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ACME, NOW, ROLE_NAMES, say, startQueryApi, T } from './history.js';
import { CRM, CRM_AS, IDP, STORY, WIKI_AS } from './story.js';

let api: Awaited<ReturnType<typeof startQueryApi>>;
let ids: ReadonlyMap<string, number>;

const readIds = async (): Promise<void> => {
  const { rows } = await api.pool.query<{ id: number; kind: number; parts: unknown }>(
    'SELECT id, kind, parts FROM entity WHERE tenant = $1',
    [ACME],
  );
  ids = new Map(rows.map((row) => [`${row.kind} ${JSON.stringify(row.parts)}`, row.id]));
};
beforeAll(async () => {
  api = await startQueryApi(STORY);
  await readIds();
});
afterAll(() => api.stop());

const id = (kind: number, ...parts: (string | null)[]): number => ids.get(`${kind} ${JSON.stringify(parts)}`)!;
const alice = () => id(1, IDP, 'acme', 'alice');
const bob = () => id(1, IDP, 'acme', 'bob');
const crmAlice = () => id(1, CRM_AS, null, 'crm-alice');
const assistant = () => id(2, IDP, 'assistant');
const ADMIN = 'acme-admin';
const put = (path: string, body: unknown, caller: string | null = ADMIN) =>
  api.send('PUT', `/v1/directory/${path}`, caller, body);
const importCsv = (text: string, caller: string | null = ADMIN) =>
  api.send('POST', '/v1/directory/import', caller, text, 'text/csv; charset=utf-8');
const entity = async (of: number, query = '') => (await api.get(`/v1/entities/${of}${query}`)).body;
const inIdp = `iss=${encodeURIComponent(IDP)}`;
const ALICE_SCIM = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  userName: 'alice@acme.example',
  displayName: 'Alice Archer',
  emails: [{ value: 'Alice@acme.example', primary: true }],
  active: false,
  groups: [],
};

describe('GET /v1/entities/{id}', () => {
  const nameOf = (
    of: number,
    iss: string,
    name: string,
    first_seen: string,
    asserted_by: readonly [number, string][],
    tenant?: string,
  ) => ({
    entity: of,
    iss,
    ...(tenant === undefined ? {} : { tenant }),
    name,
    first_seen,
    asserted_by: asserted_by.map(([other, index]) => ({ entity: other, index })),
    weak: false,
    shared: false,
    directory: null,
  });

  it('gives all names of one person from each of them, with the event that states them together', async () => {
    // Token t1 (2) states both; its ID-JAG (1) named the IdP’s alone.
    const idpName = () => nameOf(alice(), IDP, 'alice', '1', [[crmAlice(), '2']], 'acme');
    const localName = () => nameOf(crmAlice(), CRM_AS, 'crm-alice', '2', [[alice(), '2']]);
    expect(await entity(alice())).toEqual({
      as_of: { index: '15', at: timeText(NOW) },
      entity: alice(),
      kind: 'user',
      names: [idpName(), localName()],
      at_least: false,
      findings: { count: 0, severity: null, items: [] },
    });
    expect((await entity(crmAlice())).names).toEqual([localName(), idpName()]);
    expect((await entity(bob())).names).toEqual([nameOf(bob(), IDP, 'bob', '6', [], 'acme')]);
  });

  it('gives all names of the IdP’s client, from any of them', async () => {
    const [atCrm, atWiki] = [id(2, CRM_AS, 'assistant-at-crm'), id(2, WIKI_AS, 'assistant-at-wiki')];
    for (const one of [assistant(), atCrm, atWiki]) {
      const { kind, names } = await entity(one);
      expect([kind, names[0].entity, names.map((name: any) => name.name).sort()]).toEqual([
        'client',
        one,
        ['assistant', 'assistant-at-crm', 'assistant-at-wiki'],
      ]);
    }
    expect((await entity(assistant())).names[0].asserted_by).toEqual([
      { entity: atCrm, index: '1' },
      { entity: atWiki, index: '6' },
    ]);
  });

  it('shows two separate users as of a moment before the grant', async () => {
    // The wiki's name of the client came with entry 6.
    expect((await entity(assistant(), '?as_of=6')).names.map((name: any) => name.name)).toEqual([
      'assistant',
      'assistant-at-crm',
    ]);
    expect((await entity(assistant(), '?as_of=7')).names.map((name: any) => name.name)).toEqual([
      'assistant',
      'assistant-at-crm',
      'assistant-at-wiki',
    ]);
    expect((await entity(alice(), '?as_of=2')).names.map((name: any) => name.name)).toEqual(['alice']);
    expect((await api.get(`/v1/entities/${crmAlice()}?as_of=2`)).status).toBe(404);
  });

  it('gives one name if there is only one', async () => {
    expect(await entity(id(5, CRM))).toMatchObject({
      kind: 'resource',
      names: [{ iss: null, name: CRM, asserted_by: [] }],
    });
    expect(await entity(id(3, IDP, 'agent-7'))).toMatchObject({
      kind: 'agent',
      names: [{ iss: IDP, name: 'agent-7' }],
    });
  });

  it.each([
    ['0', 400],
    ['01', 400],
    ['-1', 400],
    ['1.5', 400],
    ['x', 400],
    ['2147483648', 400],
    ['99999999999', 400],
    ['%00', 400],
    ['__proto__', 400],
    ['2147483647', 404],
    ['1?as_of=16', 400],
    ['1?x=1', 400],
    ['1?as_of=1&as_of=1', 400],
  ])('%s: %i', async (path, status) => {
    const answer = await api.get(`/v1/entities/${path}`);
    expect([answer.status, answer.type]).toEqual([status, 'application/problem+json']);
  });

  it('knows nothing of another tenant’s entities', async () => {
    const own = await api.pool.query<{ id: number }>('SELECT max(id) AS id FROM entity WHERE tenant <> $1', [ACME]);
    const beyond = Math.max(...ids.values());
    expect(beyond).toBeGreaterThan(own.rows[0]!.id);
    expect((await api.get(`/v1/entities/${beyond}`, 'globex-audit')).status).toBe(404);
  });
});

describe('the directory', () => {
  it('accepts a SCIM User, and names the person wherever one of their names appears', async () => {
    const { status, body } = await put(`users/alice?${inIdp}&tenant=acme`, ALICE_SCIM);
    expect([status, body]).toEqual([
      200,
      {
        kind: 'user',
        iss: IDP,
        tenant: 'acme',
        name: 'alice',
        display_name: 'Alice Archer',
        user_name: 'alice@acme.example',
        emails: ['alice@acme.example'],
        active: false,
        owner: null,
        team: null,
        tags: [],
        updated_at: timeText(NOW),
        updated_by: ADMIN,
      },
    ]);
    await put(`clients/assistant?${inIdp}`, { display_name: 'The Assistant', owner: 'Carol', team: 'Support' });
    await put(`agents/agent-7?${inIdp}`, { display_name: 'Seven' });
    const [first] = (await api.get(`/v1/access?user=${alice()}&limit=1`)).body.items;
    expect([first.user.display_name, first.client, first.agent.display_name]).toEqual([
      'Alice Archer',
      {
        entity: id(2, CRM_AS, 'assistant-at-crm'),
        iss: CRM_AS,
        client_id: 'assistant-at-crm',
        display_name: 'The Assistant',
      },
      'Seven',
    ]);
    const asked = await entity(crmAlice());
    expect([asked.display_name, asked.names.map((name: any) => name.directory?.display_name ?? null)]).toEqual([
      'Alice Archer',
      [null, 'Alice Archer'],
    ]);
  });

  it('names a resource with its owner, team and tags, and a team, which no event names', async () => {
    const uri = `resources/${encodeURIComponent(CRM)}`;
    const said = { display_name: 'The CRM', owner: 'Carol', team: 'Sales' };
    expect(await put(uri, { ...said, tags: ['sensitive'] })).toMatchObject({
      status: 200,
      body: { kind: 'resource', iss: null, name: CRM, ...said, tags: ['sensitive'] },
    });
    expect(await put('teams/Sales', { owner: 'Dora', tags: ['eu'] })).toMatchObject({
      status: 200,
      body: { kind: 'team', iss: null, name: 'Sales', owner: 'Dora', team: null, tags: ['eu'] },
    });
    expect(await entity(id(5, CRM))).toMatchObject({
      kind: 'resource',
      display_name: 'The CRM',
      names: [{ iss: null, name: CRM, directory: { ...said, tags: ['sensitive'] } }],
    });
    const [first] = (await api.get(`/v1/access?resource=${id(5, CRM)}&limit=1`)).body.items;
    expect(first.resource).toEqual({ entity: id(5, CRM), uri: CRM, display_name: 'The CRM' });
    expect((await api.get('/v1/search?q=The+CRM')).body.items).toMatchObject([
      { match: 'directory', id: String(id(5, CRM)) },
    ]);
    const { body } = await api.get('/v1/directory?kind=resource');
    expect(body.items).toMatchObject([{ kind: 'resource', iss: null, name: CRM, entity: id(5, CRM) }]);
    expect((await api.get('/v1/directory?kind=team')).body.items).toMatchObject([{ name: 'Sales', entity: null }]);
    for (const path of [uri, 'teams/Sales']) {
      expect((await api.send('DELETE', `/v1/directory/${path}`, ADMIN)).status).toBe(200);
      expect((await api.send('DELETE', `/v1/directory/${path}`, ADMIN)).status).toBe(404);
    }
    expect((await api.get('/v1/directory?kind=resource')).body.items).toEqual([]);
  });

  it('decides nothing: a user whom it calls inactive keeps all access', async () => {
    const before = (await api.get(`/v1/grants?user=${alice()}`)).body.items.length;
    expect(before).toBeGreaterThan(0);
    expect((await api.get('/v1/graph')).body.nodes.find((node: any) => node.name === 'alice').disabled).toBeUndefined();
  });

  it('marks names with the same email as weak, and never follows them', async () => {
    await put(`users/bob?${inIdp}&tenant=acme`, { userName: 'bob', emails: [{ value: 'ALICE@ACME.EXAMPLE' }] });
    const { names } = await entity(alice());
    expect(names.map((name: any) => [name.name, name.weak, name.asserted_by.length])).toEqual([
      ['alice', false, 1],
      ['crm-alice', false, 1],
      ['bob', true, 0],
    ]);
    // Filters by one do not find the other's doings.
    const users = new Set(
      (await api.get(`/v1/access?user=${alice()}`)).body.items.map((item: any) => item.user.entity),
    );
    expect([...users]).toEqual([alice()]);
    // As of a moment before anybody had heard of bob, bob is no name of hers.
    expect((await entity(alice(), '?as_of=6')).names.map((name: any) => name.name)).toEqual(['alice', 'crm-alice']);
    await api.send('DELETE', `/v1/directory/users/bob?${inIdp}&tenant=acme`, ADMIN);
    expect((await entity(alice())).names).toHaveLength(2);
  });

  it('does not treat a local name that several people share as one person', async () => {
    const shared = (jti: string, sub: string, at: number) =>
      say('crm', 'token.issued', at, {
        kind: 'access',
        iss: CRM_AS,
        jti,
        sub: 'crm-service',
        client_id: 'assistant-at-crm',
        aud: [CRM],
        iat: at,
        exp: at + 600,
        id_jag: { iss: IDP, jti: `j-${jti}`, sub, tenant: 'acme' },
      });
    await api.say([/* 15 */ shared('s1', 'alice', T + 500)]);
    await readIds();
    const service = id(1, CRM_AS, null, 'crm-service');
    expect((await entity(service)).names.map((name: any) => name.name)).toEqual(['crm-service', 'alice', 'crm-alice']);
    expect((await entity(service)).display_name).toBe('Alice Archer');
    await api.say([/* 16 */ shared('s2', 'bob', T + 510)]);
    const { names, display_name } = await entity(service);
    expect([display_name, names.map((name: any) => [name.name, name.shared])]).toEqual([
      undefined,
      [
        ['crm-service', true],
        ['alice', false],
        ['bob', false],
      ],
    ]);
    const before = await entity(service, '?as_of=16');
    expect([before.display_name, before.names.map((name: any) => name.name)]).toEqual([
      'Alice Archer',
      ['crm-service', 'alice', 'crm-alice'],
    ]);
    expect((await entity(alice())).names.map((name: any) => [name.name, name.shared])).toEqual([
      ['alice', false],
      ['crm-alice', false],
      ['crm-service', true],
    ]);
  });

  const FILE = [
    'kind,iss,tenant,id,display_name,emails,owner,team',
    `user,${IDP},acme,zoe,Zoë Zimmer,zoe@acme.example,,`,
    `client,${IDP},,mailer,Mailer,,Bob,Ops`,
    `agent,${IDP},,agent-7,Agent Seven,,Dora,`,
  ].join('\n');

  it('imports a file, repeatedly without a change, and keeps entries that the file does not name', async () => {
    expect(await importCsv(FILE)).toMatchObject({
      status: 200,
      body: { entries: 3, created: 2, changed: 1, unchanged: 0 },
    });
    expect(await importCsv(FILE)).toMatchObject({
      status: 200,
      body: { entries: 3, created: 0, changed: 0, unchanged: 3 },
    });
    const asJson = [{ kind: 'agent', iss: IDP, id: 'agent-7', display_name: 'Agent 7', owner: 'Dora' }];
    expect(await api.send('POST', '/v1/directory/import', ADMIN, asJson)).toMatchObject({
      status: 200,
      body: { entries: 1, created: 0, changed: 1, unchanged: 0 },
    });
    const { body } = await api.get('/v1/directory');
    expect(body.items.map((item: any) => [item.kind, item.name, item.entity === null]).sort()).toEqual([
      ['agent', 'agent-7', false],
      ['client', 'assistant', false],
      ['client', 'mailer', false],
      ['user', 'alice', false],
      // Nothing was heard of her yet.
      ['user', 'zoe', true],
    ]);
  });

  it('refuses a whole file, and says why line by line', async () => {
    const before = (await api.get('/v1/directory')).body.items;
    const { status, body } = await importCsv(
      `${FILE.replace('Zimmer', 'Other')}\nuser,${IDP},acme,,No Name,,,\nclient,,,x,X,,,\n`,
    );
    expect([status, body.code, body.faults, body.lines]).toEqual([
      400,
      'invalid-request',
      2,
      [
        { line: 5, detail: '`id` is missing' },
        { line: 6, detail: '`iss` is missing' },
      ],
    ]);
    expect((await api.get('/v1/directory')).body.items).toEqual(before);
  });

  it('has pages by kind', async () => {
    const names: string[] = [];
    let next: string | undefined;
    do {
      const { body } = await api.get(
        `/v1/directory?limit=1&kind=client${next === undefined ? '' : `&cursor=${next}`}`,
        ADMIN,
      );
      names.push(...body.items.map((item: any) => item.name));
      next = body.next;
    } while (next !== undefined);
    expect(names.sort()).toEqual(['assistant', 'mailer']);
  });

  it('belongs to its tenant', async () => {
    expect((await api.get('/v1/directory', 'globex-audit')).body.items).toEqual([]);
    expect((await api.send('DELETE', `/v1/directory/users/alice?${inIdp}&tenant=acme`, 'globex-admin')).status).toBe(
      404,
    );
    expect(
      (
        await put(
          `users/somebody?iss=${encodeURIComponent(CRM_AS)}`,
          { userName: 'x', displayName: 'Theirs' },
          'globex-admin',
        )
      ).status,
    ).toBe(200);
    expect((await api.get('/v1/grants', 'globex-audit')).body.items[0].user.display_name).toBe('Theirs');
    expect((await api.get('/v1/directory')).body.items.some((item: any) => item.name === 'somebody')).toBe(false);
    // A cursor of one is none of the other.
    const { next } = (await api.get('/v1/directory?limit=1')).body;
    expect((await api.get(`/v1/directory?limit=1&cursor=${next}`, 'globex-audit')).body.code).toBe('invalid-cursor');
  });

  it.each([
    ['users/alice', ALICE_SCIM, 400, 'invalid-request'],
    [`users/alice?${inIdp}&sub=x`, ALICE_SCIM, 400, 'invalid-request'],
    [`users/alice?${inIdp}`, {}, 400, 'invalid-request'],
    [`users/alice?${inIdp}`, { displayName: 'X' }, 400, 'invalid-request'],
    [`users/alice?${inIdp}`, { userName: 7 }, 400, 'invalid-request'],
    [`users/alice?${inIdp}`, { userName: 'a', displayname: 'B', displayName: 'C' }, 400, 'invalid-request'],
    [`users/alice?${inIdp}`, { userName: 'a', emails: 'a@b.example' }, 400, 'invalid-request'],
    [`users/alice?${inIdp}`, { userName: 'a', emails: ['a@b.example'] }, 400, 'invalid-request'],
    [`users/alice?${inIdp}`, { userName: 'a', emails: [{ value: 'nobody' }] }, 400, 'invalid-request'],
    [`users/alice?${inIdp}`, { userName: 'a', active: 'yes' }, 400, 'invalid-request'],
    [`users/alice?${inIdp}`, { userName: 'a', password: 'hunter2' }, 400, 'invalid-request'],
    [`users/alice?${inIdp}`, { userName: 'a', shoeSize: 44 }, 400, 'invalid-request'],
    [`users/alice?${inIdp}`, { userName: 'a', schemas: ['urn:other'] }, 400, 'invalid-request'],
    [`users/alice?${inIdp}`, [], 400, 'invalid-request'],
    [`users/alice?${inIdp}`, '{"userName":"a","userName":"b"}', 400, 'duplicate-key'],
    [`users/alice?${inIdp}`, '{', 400, 'malformed-json'],
    [`users/%00?${inIdp}`, ALICE_SCIM, 400, 'invalid-request'],
    [`users/${'a'.repeat(513)}?${inIdp}`, ALICE_SCIM, 400, 'invalid-request'],
    [`clients/x?${inIdp}`, {}, 400, 'invalid-request'],
    [`clients/x?${inIdp}`, { name: 'X' }, 400, 'invalid-request'],
    [`clients/x?${inIdp}&tenant=acme`, { owner: 'X' }, 400, 'invalid-request'],
    [`agents/x?${inIdp}`, { owner: 'a\u0000b' }, 400, 'nul'],
    [`agents/x?${inIdp}`, 'null', 400, 'invalid-request'],
    [`agents/x?${inIdp}`, { tags: [] }, 400, 'invalid-request'],
    [`agents/x?${inIdp}`, { tags: ['Sensitive'] }, 400, 'invalid-request'],
    [`resources/x?${inIdp}`, { owner: 'X' }, 400, 'invalid-request'],
    ['resources/%00', { owner: 'X' }, 400, 'invalid-request'],
    ['teams/x', { team: 'X' }, 400, 'invalid-request'],
  ])('PUT %s %j: %i %s', async (path, body, status, code) => {
    const answer = await put(path, body);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(JSON.stringify(answer.body)).not.toContain('hunter2');
  });

  it('accepts only the documented members', async () => {
    expect((await api.send('POST', '/v1/directory/import', ADMIN, FILE, 'text/plain')).status).toBe(415);
    expect((await api.send('POST', '/v1/directory/import', ADMIN)).status).toBe(415);
    expect((await api.send('POST', '/v1/directory/import?dry=1', ADMIN, FILE, 'text/csv')).body.code).toBe(
      'invalid-request',
    );
    expect((await api.send('PUT', `/v1/directory/clients/x?${inIdp}`, ADMIN, FILE, 'text/csv')).status).toBe(415);
    expect((await api.send('DELETE', `/v1/directory/things/x?${inIdp}`, ADMIN)).status).toBe(404);
    expect((await api.get('/v1/directory?kind=issuer')).body.code).toBe('invalid-request');
  });

  it.each(ROLE_NAMES)('is written by administrators alone, asked by %s', async (role) => {
    const caller = `acme-${role}`;
    const expected = (roles: readonly string[], status: number): number => (roles.includes(role) ? status : 403);
    expect((await put(`clients/by-role?${inIdp}`, { owner: 'X' }, caller)).status).toBe(expected(['admin'], 200));
    for (const path of ['resources/by-role', 'teams/by-role']) {
      expect((await put(path, { owner: 'X' }, caller)).status).toBe(expected(['admin'], 200));
      expect((await api.send('DELETE', `/v1/directory/${path}`, caller)).status).toBe(expected(['admin'], 200));
    }
    expect((await importCsv(FILE, caller)).status).toBe(expected(['admin'], 200));
    expect((await api.send('DELETE', `/v1/directory/clients/by-role?${inIdp}`, caller)).status).toBe(
      expected(['admin'], 200),
    );
    expect((await api.get('/v1/directory', caller)).status).toBe(expected(['admin', 'audit'], 200));
    expect((await api.get(`/v1/entities/${alice()}`, caller)).status).toBe(expected(['audit'], 200));
  });
});

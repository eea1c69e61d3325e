import { beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryWorld, NOW, type MemoryWorld } from '../../test/conformance/memory-world.js';
import * as parties from '../../test/conformance/parties.js';
import { digestOf, signJwt } from '../../test/conformance/signing.js';
import { ID_JAG_TOKEN_TYPE, type TokenIssued } from '../contracts/index.js';
import type { CallerRoles } from '../control/index.js';
import { createAuthenticator } from '../registry/index.js';
import { DIMENSIONS, selectorKey, splitSelectorKey, type Selector } from '../rules/index.js';
import type { Answer } from './introspect.js';

const TENANT = parties.TENANT.id;
const KEY = Buffer.from(parties.TENANT.key, 'base64url');
const OPAQUE = 'at_6Gq1xYz-opaque';
const GUARD = 'chat-guard';
const DAY = 86_400;

let world: MemoryWorld;
beforeEach(() => {
  world = createMemoryWorld({ countIntrospections: true });
  registerGuard({ guard: { resources: [parties.API], issuers: [parties.RAS] } });
});

function registerGuard(roles: CallerRoles): void {
  const secrets = [{ id: 's', sha256: digestOf(parties.secretOf(GUARD)), created_at: 0 }];
  world.apply({
    kind: 'caller.changed',
    tenant: TENANT,
    subject: GUARD,
    body: { id: GUARD, roles, secrets, disabled: false },
  });
}

/** Recorded with everything that it came from. */
function opaque(over: Partial<TokenIssued> = {}): string {
  world.recordIdJag(parties.idJagFacts(NOW));
  world.recordToken(parties.tokenFacts(NOW, { sha256: digestOf(OPAQUE), ...over }));
  return OPAQUE;
}

async function see(token: string, { hint, as = GUARD }: { hint?: string; as?: string } = {}): Promise<Answer> {
  const authenticate = createAuthenticator({ state: () => world.state, now: () => world.now * 1000 });
  return world.sight({
    token,
    hint,
    authenticate: () => authenticate({ authorization: parties.basic(as), remoteAddress: '192.0.2.7' }),
  });
}
const sightOf = async (token: string, options: { hint?: string } = {}) => {
  const answer = await see(token, options);
  if (answer.kind !== 'decided' || !answer.sight) throw new Error(`no sight: ${JSON.stringify(answer)}`);
  return answer.sight;
};
const inactive = { kind: 'decided', body: '{"active":false}', bytes: 16 };

describe('what a guard is told of a token', () => {
  it('is the answer of introspection, byte for byte', async () => {
    const token = opaque();
    expect(((await see(token)) as { body: string }).body).toBe((await world.ask(token)).body);
    const facts = parties.tokenFacts(NOW, { jti: 'at-1' });
    world.recordToken(facts);
    const jwt = signJwt(parties.rasKey, parties.claimsOf(facts));
    expect(((await see(jwt)) as { body: string }).body).toBe((await world.ask(jwt)).body);
  });

  it.each<[string, () => string]>([
    ['unknown', () => 'at_unknown'],
    ['of an issuer beyond its bounds', () => opaque({ iss: parties.OTHER_RAS })],
    ['for a resource beyond its bounds', () => opaque({ aud: [parties.OTHER_API] })],
    [
      'made up under the name of one that is recorded',
      () => (
        opaque({ sha256: undefined, jti: 'at-1', exp: NOW }),
        signJwt(parties.idpKey, parties.claimsOf(parties.tokenFacts(NOW, { jti: 'at-1' })))
      ),
    ],
  ])('%s: inactive, and nothing beside it', async (_, token) => {
    expect(await see(token())).toEqual(inactive);
  });

  it.each<[string, () => string]>([
    ['expired', () => opaque({ exp: NOW })],
    ['stopped', () => (world.order({ client: { iss: parties.RAS, client_id: 'wiki-at-chat' } }), opaque())],
  ])('%s: inactive, and that it is on record, so that its use is evidence', async (_, token) => {
    expect(await see(token())).toEqual({ ...inactive, recorded: true });
    // Introspection says nothing beside `active` (RFC 7662, section 2.2).
    expect(await world.ask(OPAQUE)).toEqual(expect.not.objectContaining({ recorded: true }));
  });

  it('a refresh token is never active, whatever its audience: a guard would take it for access', async () => {
    registerGuard({
      guard: { resources: [parties.RAS], issuers: [parties.RAS] },
      introspect: { resources: [parties.RAS], issuers: [parties.RAS] },
    });
    const token = opaque({ kind: 'refresh' });
    expect(await see(token)).toEqual(inactive);
    expect(((await world.ask(token, parties.basic(GUARD))) as { body: string }).body).toContain('"active":true');
  });

  it('goes by the role guard, and by no other', async () => {
    const token = opaque();
    expect((await see(token, { as: 'chat-api' })).kind).toBe('no-role');
    expect((await world.ask(token, parties.basic(GUARD))).kind).toBe('no-role');
    registerGuard({
      guard: { resources: [parties.OTHER_API], issuers: [parties.RAS] },
      introspect: { resources: [parties.API], issuers: [parties.RAS] },
    });
    expect(await see(token)).toEqual(inactive);
  });

  it('is for guards alone', async () => {
    const token = opaque();
    const authenticate = createAuthenticator({ state: () => world.state, now: () => world.now * 1000 });
    const asked = {
      token,
      hint: undefined,
      authenticate: () => authenticate({ authorization: parties.basic('chat-api'), remoteAddress: '192.0.2.7' }),
    };
    expect(Object.keys(await world.introspect(asked)).toSorted()).toEqual(['body', 'bytes', 'kind']);
  });

  it('is nothing without the lease', async () => {
    const token = opaque();
    world.isCurrent = false;
    expect((await see(token)).kind).toBe('undecided');
  });

  it('is counted as an introspection', async () => {
    await see(opaque());
    await world.stop();
    expect(world.counts.map(({ data }) => [data.caller, data.count, data.active])).toEqual([[GUARD, 1, 1]]);
  });
});

describe('what a guard may keep', () => {
  it.each<[string, Partial<TokenIssued>, number]>([
    ['ten minutes', { exp: NOW + 3_600 }, 600_000],
    ['no longer than the token lives', { exp: NOW + 42 }, 42_000],
  ])('%s', async (_, over, keepMs) => {
    expect((await sightOf(opaque(over))).keepMs).toBe(keepMs);
  });

  it('no longer than its lineage may be old', async () => {
    const refresh = { sha256: digestOf('rt_1') };
    world.recordToken(
      parties.tokenFacts(NOW, {
        ...refresh,
        kind: 'refresh',
        aud: [],
        iat: NOW - 30 * DAY + 7,
        exp: undefined,
        id_jag: undefined,
      }),
    );
    expect((await sightOf(opaque({ parent: refresh }))).keepMs).toBe(7_000);
  });

  it('nothing of less than a millisecond', async () => {
    const token = opaque({ exp: NOW + 42 });
    world.now = NOW + 41.9995;
    expect((await sightOf(token)).keepMs).toBe(0);
  });

  it('nothing whose lineage can still change: it is read anew for each question', async () => {
    world.recordToken(parties.tokenFacts(NOW, { sha256: digestOf(OPAQUE) }));
    expect((await sightOf(OPAQUE)).keepMs).toBe(0);
  });

  it('no ID-JAG', async () => {
    registerGuard({ guard: { resources: [parties.RAS], issuers: [parties.IDP] } });
    const idJag = signJwt(parties.idpKey, parties.idJagClaims(NOW), { typ: 'oauth-id-jag+jwt' });
    expect(await sightOf(idJag, { hint: ID_JAG_TOKEN_TYPE })).toEqual({
      seq: world.state.head,
      keepMs: 0,
      sets: DIMENSIONS.map(() => []),
    });
  });

  it.each<[string, Selector]>([
    ['its user', { user: { iss: parties.RAS, sub: 'chat-u-1' } }],
    ['the user at the IdP', { user: { iss: parties.IDP, sub: 'u-1' } }],
    ['its client for one resource', { client: { iss: parties.RAS, client_id: 'wiki-at-chat' }, resource: parties.API }],
    ['the session', { session: { iss: parties.IDP, sid: 's-1' } }],
    ['the agent', { agent: { iss: parties.IDP, id: 'agent-42' } }],
    ['the ID-JAG', { id_jag: { iss: parties.IDP, jti: 'gr-1' } }],
    ['itself', { token: { sha256: digestOf(OPAQUE) } }],
    ['everything', { all: true }],
  ])('has the keys by which a rule on %s selects it', async (_, selector) => {
    const { sets } = await sightOf(opaque());
    const members = splitSelectorKey(selectorKey(KEY, selector));
    expect(members.every(([dimension, key]) => sets[DIMENSIONS.indexOf(dimension)]!.includes(key))).toBe(true);
    world.order(selector);
    expect(await see(OPAQUE)).toEqual({ ...inactive, recorded: true });
  });

  it('is judged up to the head of the step that decided, after the last wait', async () => {
    const token = opaque();
    const asked = see(token);
    const head = world.order({ user: { iss: parties.RAS, sub: 'somebody-else' } });
    const answer = await asked;
    expect((answer as { sight?: { seq: bigint } }).sight?.seq).toBe(head);
  });
});

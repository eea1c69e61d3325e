import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  createMemoryWorld,
  NOW,
  type MemoryWorld,
  type MemoryWorldOptions,
} from '../../test/conformance/memory-world.js';
import * as parties from '../../test/conformance/parties.js';
import { digestOf, signingInput, signJwt, type SigningKey } from '../../test/conformance/signing.js';
import { eventType, type TokenIssued } from '../contracts/index.js';
import type { SourceRecord, TokenProfile } from '../control/index.js';

const { API, IDP, OTHER_API, RAS, rasKey, strangerKey } = parties;
const INACTIVE = '{"active":false}';
const CLIENT = 'wiki-at-chat';
const OPTIONAL: Partial<TokenProfile> = {
  announced: 'optional',
  lineage: { id_jag: 'stated', other: 'none' },
  typ: [null],
};

let world: MemoryWorld;
/** Recordings that were begun. */
let begun: number;

function make(
  onSeen: NonNullable<MemoryWorldOptions['onSeen']> = (seen, write) => write(seen),
  options: MemoryWorldOptions = {},
): void {
  begun = 0;
  world = createMemoryWorld({ onSeen: (seen, write) => (begun++, onSeen(seen, write)), ...options });
  changeSource(OPTIONAL);
}
beforeEach(() => make());

const changeSource = (profile: Partial<TokenProfile>, over: Partial<SourceRecord> = {}): void => {
  const body = { ...parties.RAS_SOURCE, ...over, profile: { ...parties.RAS_SOURCE.profile, ...OPTIONAL, ...profile } };
  world.apply({ kind: 'source.changed', tenant: parties.TENANT.id, subject: body.id, body });
};

/** Issued an hour ago, so that no question waits for its event. */
const claims = (over: object = {}): Record<string, unknown> => ({
  ver: 1,
  jti: 'AT.1',
  iss: RAS,
  aud: API,
  cid: CLIENT,
  scp: ['read', 'write'],
  sub: 'u@acme.example',
  iat: NOW - 3_600,
  exp: NOW + 600,
  ...over,
});
const text = (over: object = {}, header: object = {}, key: SigningKey = rasKey): string =>
  signJwt(key, claims(over), { typ: undefined, ...header });
const ask = async (token: string, as?: string, hint?: string): Promise<string | undefined> =>
  (await world.ask(token, as, hint)).body;

describe('a JWT that no event announced, of a source that asks for none', () => {
  it('is recorded as its text states it, and active by what is recorded', async () => {
    const cnf = { jkt: digestOf('key') };
    const act = { iss: IDP, sub: 'agent-42' };
    expect(JSON.parse((await ask(text({ cnf, act, aud: [`${RAS}/userinfo`, API] })))!)).toEqual({
      active: true,
      iss: RAS,
      sub: 'u@acme.example',
      client_id: CLIENT,
      aud: API,
      scope: 'read write',
      token_type: 'DPoP',
      exp: NOW + 600,
      iat: NOW - 3_600,
      jti: 'AT.1',
      cnf,
      act,
    });
    expect(world.seen).toEqual([
      {
        tenant: expect.objectContaining({ id: parties.TENANT.id }),
        name: 'token.seen',
        id: expect.stringMatching(/^seen-[A-Za-z0-9_-]+$/),
        timeMs: NOW * 1000,
        data: {
          source: parties.RAS_SOURCE.id,
          iss: RAS,
          jti: 'AT.1',
          sub: 'u@acme.example',
          client_id: CLIENT,
          aud: [API],
          scope: 'read write',
          iat: NOW - 3_600,
          exp: NOW + 600,
          act,
          cnf,
        },
      },
    ]);
    expect(eventType('token.seen')).toBe('dev.rescind.token.seen.v1');
  });

  it('is recorded once, however often it is asked about', async () => {
    const token = text();
    const bodies = await Promise.all(Array.from({ length: 20 }, () => ask(token)));
    expect(new Set(bodies)).toEqual(new Set([await ask(token)]));
    expect([JSON.parse(bodies[0]!).active, begun, world.seen.length, await world.count('active')]).toEqual([
      true,
      1,
      1,
      21,
    ]);
  });

  it.each<[string, Partial<TokenProfile>, object, object]>([
    ['the claim that its profile names', { identity: ['uti'] }, { uti: 'u-1', jti: undefined }, { jti: 'u-1' }],
    [
      'its signing input',
      {},
      { jti: undefined },
      { signing_input_sha256: digestOf(signingInput(rasKey, claims({ jti: undefined }), { typ: undefined })) },
    ],
  ])('is identified by %s', async (_, profile, over, identity) => {
    changeSource(profile);
    expect(JSON.parse((await ask(text(over)))!)).toMatchObject({ active: true });
    expect(world.seen.map(({ data }) => data)).toEqual([expect.objectContaining(identity)]);
  });

  it.each<[string, Parameters<MemoryWorld['order']>[0]]>([
    ['its user', { user: { iss: RAS, sub: 'u@acme.example' } }],
    ['its client', { client: { iss: RAS, client_id: CLIENT } }],
    ['its resource', { resource: API }],
    ['its session', { session: { iss: RAS, sid: 's-1' } }],
    ['itself', { token: { iss: RAS, jti: 'AT.1' } }],
    ['its issuer', { issuer: RAS }],
  ])('is stopped by a rule on %s, ordered before or after', async (_, selector) => {
    const token = text({ sid: 's-1' });
    expect(JSON.parse((await ask(token))!)).toMatchObject({ active: true });
    world.order(selector, { before: NOW });
    expect(await ask(token)).toBe(INACTIVE);

    make();
    world.order(selector, { before: NOW });
    expect([await ask(token), world.seen.length, await world.count('stopped-by-rule')]).toEqual([INACTIVE, 1, 1]);
  });

  it('is waited for as any other where it is fresh, and judged by its event if that comes', async () => {
    const facts: TokenIssued = {
      kind: 'access',
      iss: RAS,
      jti: 'AT.1',
      client_id: CLIENT,
      aud: [API],
      sub: 'u@acme.example',
      scope: 'write read',
      iat: NOW - 10,
      exp: NOW + 600,
    };
    const asked = ask(text({ iat: NOW - 10 }));
    setImmediate(() => setTimeout(() => world.recordToken(facts), 5));
    expect([JSON.parse((await asked)!).scope, begun]).toEqual(['write read', 0]);

    make();
    expect([JSON.parse((await ask(text({ iat: NOW - 10 })))!).active, begun, world.statements]).toEqual([true, 1, 6]);
  });

  it('is judged by what was recorded meanwhile', async () => {
    make(async (seen, write) => {
      await write(seen);
      world.recordToken({
        kind: 'access',
        iss: RAS,
        jti: 'AT.1',
        client_id: 'another',
        aud: [API],
        iat: NOW - 3_600,
        exp: NOW + 600,
      });
      return true;
    });
    expect([await ask(text()), await world.count('mismatch')]).toEqual([INACTIVE, 1]);
  });

  it('is a guard’s at first sight, too', async () => {
    const guard = {
      id: 'guard',
      roles: { guard: { resources: [API], issuers: [RAS] } },
      secrets: parties.RESOURCE_SERVER.secrets,
      disabled: false,
    };
    world.apply({ kind: 'caller.changed', tenant: parties.TENANT.id, subject: guard.id, body: guard });
    const caller = world.state.caller('guard')!;
    expect(
      await world.sight({ token: text(), hint: undefined, authenticate: () => ({ caller }) as never }),
    ).toMatchObject({ kind: 'decided', sight: expect.anything() });
    expect(world.seen).toHaveLength(1);
  });
});

describe('nothing is recorded, and the answer is no, where', () => {
  const HINT = 'urn:ietf:params:oauth:token-type:id-jag';
  it.each<[string, string, () => string | readonly [token: string, as?: string, hint?: string]]>([
    ['its source asks for events', 'unknown', () => (changeSource({ announced: 'required' }), text())],
    [
      'tokens that came from no ID-JAG have to show one',
      'unknown',
      () => (changeSource({ lineage: { id_jag: 'stated', other: 'stated' } }), text()),
    ],
    ['another key signed it', 'unverified', () => text({}, {}, strangerKey)],
    ['it has another typ', 'unknown', () => text({}, { typ: 'JWT' })],
    ['it is for another API', 'unknown', () => text({ aud: OTHER_API })],
    ['it names no audience', 'unknown', () => text({ aud: undefined })],
    ['its audience is empty', 'unknown', () => text({ aud: [] })],
    ['its audience is no text', 'unknown', () => text({ aud: [API, 7] })],
    [
      'only the default resource would be its audience',
      'unknown',
      () => (changeSource({ default_resource: API, ignored_audiences: ['account'] }), text({ aud: 'account' })),
    ],
    ['its audience is the client', 'unknown', () => (changeSource({ claims: { client_id: 'aud' } }), text())],
    ['it is an ID token', 'unknown', () => text({ aud: CLIENT, cid: undefined, nonce: 'n' })],
    ['it is an ID token of a client that is the API, too', 'unknown', () => text({ cid: undefined, azp: API })],
    ['it is an ID token without a client, of a client that is the API, too', 'unknown', () => text({ cid: undefined })],
    ['two of its claims name its client differently', 'unknown', () => text({ azp: 'another' })],
    ['its resource is not the caller’s', 'unknown', () => [text(), parties.basic('crm-api')]],
    [
      'the caller may see another of its resources alone',
      'unknown',
      () => (changeSource({}, { resources: [OTHER_API] }), text({ aud: [API, OTHER_API] })),
    ],
    ['it does not say when it was issued', 'unknown', () => text({ iat: undefined })],
    ['it does not say when it ends', 'unknown', () => text({ exp: undefined })],
    ['it has ended', 'unknown', () => text({ exp: NOW })],
    ['it begins later', 'not-yet-valid', () => text({ nbf: NOW + 60 })],
    ['it was issued later', 'unknown', () => text({ iat: NOW + 120 })],
    ['it lives too long', 'unknown', () => text({ exp: NOW - 3_600 + 86_401 })],
    ['its confirmation cannot be compared', 'unknown', () => text({ cnf: { kid: 'k' } })],
    ['its scope is a number', 'unknown', () => text({ scp: 7 })],
    ['its actor is no object', 'malformed', () => text({ act: 'agent-42' })],
    ['its session is no text', 'malformed', () => text({ sid: 7 })],
    ['a time is no whole second', 'malformed', () => text({ iat: NOW - 3_600.5 })],
    ['its user holds a NUL', 'malformed', () => text({ sub: 'u\0' })],
    ['its user has too many bytes', 'malformed', () => text({ sub: 'é'.repeat(300) })],
    [
      'its source may not say which tokens there are',
      'malformed',
      () => (changeSource({}, { types: ['token.revoked'] }), text()),
    ],
    [
      'another source of its issuer, registered before, would name it by another claim',
      'unknown',
      () => {
        const another = { ...parties.OTHER_RAS_SOURCE, issuers: [RAS], resources: [API] };
        changeSource({}, { disabled: true });
        world.apply({
          kind: 'source.changed',
          tenant: parties.TENANT.id,
          subject: another.id,
          body: { ...another, profile: { ...another.profile, ...OPTIONAL, identity: ['uti'] } },
        });
        const later = {
          ...parties.RAS_SOURCE,
          id: '44444444-4444-4444-8444-444444444444',
          name: 'later',
          uri: 'urn:later',
        };
        world.apply({
          kind: 'source.changed',
          tenant: parties.TENANT.id,
          subject: later.id,
          body: { ...later, profile: { ...later.profile, ...OPTIONAL } },
        });
        return text({ uti: 'u-1' });
      },
    ],
    ['its source is disabled', 'unknown', () => (changeSource({}, { disabled: true }), text())],
    ['it is opaque', 'unknown', () => 'at_6Gq1xYz-opaque'],
    ['it is an ID-JAG', 'wrong-kind', () => text({}, { typ: 'oauth-id-jag+jwt' })],
    ['it is asked about as an ID-JAG', 'malformed', () => [text(), undefined, HINT]],
    [
      'an event has announced it with other facts',
      'mismatch',
      () => (
        world.recordToken({
          kind: 'access',
          iss: RAS,
          jti: 'AT.1',
          client_id: 'another',
          aud: [API],
          iat: NOW - 3_600,
          exp: NOW + 600,
        }),
        text()
      ),
    ],
  ])('%s: %s', async (_, outcome, given) => {
    const made = given();
    const [token, as, hint] = typeof made === 'string' ? [made] : made;
    expect(await ask(token, as, hint)).toBe(INACTIVE);
    expect([world.seen, await world.count(outcome)]).toEqual([[], 1]);
  });

  it('this node cannot record', async () => {
    world = createMemoryWorld();
    changeSource({});
    expect([await ask(text()), await world.count('unknown')]).toEqual([INACTIVE, 1]);
  });
});

describe('a recording', () => {
  it('that fails is no answer, and no reason to say no later', async () => {
    let fails = true;
    make(async (seen, write) => (fails ? Promise.reject(new Error('away')) : write(seen)));
    const token = text();
    expect([(await world.ask(token)).kind, await world.count('undecided'), world.seen]).toEqual(['undecided', 1, []]);
    fails = false;
    expect(JSON.parse((await ask(token))!)).toMatchObject({ active: true });
  });

  it('that takes too long is no answer; the next question joins it', async () => {
    let end = (): void => undefined;
    make(async (seen, write) => (await new Promise<void>((resolve) => (end = resolve)), write(seen)));
    const token = text();
    expect((await world.ask(token)).kind).toBe('undecided');
    const asked = ask(token);
    end();
    expect([JSON.parse((await asked)!).active, begun]).toEqual([true, 1]);
  });

  it('of a node without its lease is no yes', async () => {
    make(async (seen, write) => {
      world.isCurrent = false;
      return write(seen);
    });
    expect((await world.ask(text())).kind).toBe('undecided');
  });

  it.each<[string, () => void]>([
    ['asks for events', () => changeSource({ announced: 'required' })],
    ['is disabled', () => changeSource({}, { disabled: true })],
    ['has lost the resource', () => changeSource({}, { resources: [OTHER_API] })],
    ['has lost the issuer', () => changeSource({}, { issuers: ['https://another.example'] })],
  ])('is refused where its source meanwhile %s', async (_, change) => {
    make(async (seen, write) => (change(), write(seen)));
    expect([await ask(text()), begun, world.seen]).toEqual([INACTIVE, 1, []]);
  });

  it('waits its turn: what one caller has recorded is bounded', async () => {
    let time = 0;
    make(undefined, { monotonic: () => time });
    const many = Array.from({ length: 501 }, (_, n) => ask(text({ jti: `AT.${n}` })));
    await Promise.all(many.slice(0, 500));
    expect(begun).toBe(500);
    time += 2;
    expect([JSON.parse((await many[500])!).active, begun]).toEqual([true, 501]);
  });
});

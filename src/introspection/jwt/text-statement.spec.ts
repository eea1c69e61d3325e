import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../../test/conformance/signing.js';
import type { TokenIssued } from '../../contracts/index.js';
import { DEFAULT_TOKEN_PROFILE, type Source, type Tenant, type TokenProfile } from '../../control/index.js';
import { createRuleIndex } from '../../rules/index.js';
import { createSharer } from '../facts/sharer.js';
import { createShared, knowToken } from '../facts/known-token.js';
import { CONTRADICTION, differing, readClient, readStatement, type CommonStatement } from './text-statement.js';

const [A, B, FOREIGN] = ['https://a.example', 'https://b.example', 'account'];
const TENANT: Tenant = { id: 't', name: 't', key: Buffer.alloc(32, 1), rules: createRuleIndex(), version: 1 };
const [JKT, CERTIFICATE] = [digestOf('key'), digestOf('certificate')];

const facts = (over: Partial<TokenIssued> = {}): TokenIssued => ({
  kind: 'access',
  iss: 'https://ras.example',
  jti: 'j',
  sub: 'u',
  client_id: 'wiki',
  aud: [A],
  scope: 'read write',
  iat: 1_790_000_000,
  exp: 1_790_000_900,
  cnf: { jkt: JKT },
  ...over,
});
const claims = {
  iss: 'https://ras.example',
  jti: 'j',
  sub: 'u',
  client_id: 'wiki',
  aud: A,
  scope: 'read write',
  exp: 1_790_000_900,
  cnf: { jkt: JKT },
};

interface Given {
  readonly text?: object;
  readonly recorded?: Partial<TokenIssued>;
  readonly profile?: Partial<TokenProfile>;
}

/** The member in which a text and the facts differ: of claims and facts that agree but for what is given. */
function differs({ text = {}, recorded = {}, profile = {} }: Given): string | undefined {
  const source = {
    id: 's',
    tenant: 't',
    resources: [A, B],
    profile: { ...DEFAULT_TOKEN_PROFILE, ...profile },
  } as unknown as Source;
  const stored = {
    tokens: [{ key: 'k', facts: facts(recorded), source: 's', seenSeq: 1n, conflict: false }],
    idJags: [],
    complete: true,
    broken: false,
  };
  const known = knowToken(stored as never, {
    tenant: TENANT,
    shared: createShared({ max: 9 }),
    memoryKey: 'k',
    readAt: 0,
  });
  const statement = readStatement({ ...claims, ...text }, source.profile, createSharer<CommonStatement>({ max: 9 }));
  return differing(statement, known, source);
}

describe('a text and its facts agree', () => {
  it.each<[string, Given]>([
    ['in everything', {}],
    ['with scopes in another order', { text: { scope: 'write read' } }],
    ['with a scope named twice', { text: { scope: 'read write read' } }],
    ['with scopes as a list', { text: { scope: ['write', 'read'] } }],
    ['with scopes in `scp`', { text: { scope: undefined, scp: 'read write' } }],
    ['with scopes as a list in `scp`', { text: { scope: undefined, scp: ['read', 'write'] } }],
    ['with the same scopes in both claims', { text: { scp: ['write', 'read'] } }],
    ['with an empty scope, and none is recorded', { text: { scope: '' }, recorded: { scope: undefined } }],
    ['with an empty list of scopes, and none is recorded', { text: { scope: [] }, recorded: { scope: '' } }],
    ['with its audience as a list', { text: { aud: [A] } }],
    ['with audiences in another order', { text: { aud: [B, A] }, recorded: { aud: [A, B] } }],
    ['with a foreign audience beside', { text: { aud: [FOREIGN, A] } }],
    ['with a resource that is recorded as such', { text: { aud: [A, B] }, recorded: { aud: [A], resource: [B] } }],
    ['with other members in `cnf`', { text: { cnf: { jkt: JKT, 'kc-jkt-type': 'DPoP' } } }],
    [
      'with both thumbprints',
      {
        text: { cnf: { jkt: JKT, 'x5t#S256': CERTIFICATE } },
        recorded: { cnf: { 'x5t#S256': CERTIFICATE, jkt: JKT } },
      },
    ],
    ['with a member that is not compared', { text: { act: { sub: 'agent' }, iat: 1 } }],
    ...(['azp', 'cid', 'appid'] as const).map((name): [string, Given] => [
      `with its client in \`${name}\``,
      { text: { client_id: undefined, [name]: 'wiki' } },
    ]),
    ['with its client in all claims', { text: { azp: 'wiki', cid: 'wiki', appid: 'wiki' } }],
    [
      'with its client in a claim of its own',
      { text: { client_id: 'other', app: 'wiki' }, profile: { claims: { client_id: 'app' } } },
    ],
    [
      'with its client as the audience',
      { text: { client_id: undefined, aud: 'wiki' }, profile: { claims: { client_id: 'aud' }, default_resource: A } },
    ],
    [
      'with its client as the only audience of a list',
      { text: { client_id: undefined, aud: ['wiki'] }, profile: { claims: { client_id: 'aud' }, default_resource: A } },
    ],
    ['without an audience, by the default resource', { text: { aud: undefined }, profile: { default_resource: A } }],
    ['with an empty audience, by the default resource', { text: { aud: [] }, profile: { default_resource: A } }],
    [
      'with ignored audiences alone, by the default resource',
      { text: { aud: [FOREIGN, 'x'] }, profile: { default_resource: A, ignored_audiences: ['x', FOREIGN] } },
    ],
    ['without an end on both sides', { text: { exp: undefined }, recorded: { kind: 'refresh', exp: undefined } }],
    ...(['sub', 'client_id', 'scope', 'cnf'] as const).map((name): [string, Given] => [
      `without \`${name}\` in the text`,
      { text: { [name]: undefined } },
    ]),
  ])('%s', (_, given) => expect(differs(given)).toBeUndefined());
});

describe('a text and its facts differ', () => {
  it.each<[string, string, Given]>([
    ['by the issuer', 'iss', { text: { iss: 'https://other.example' } }],
    ['by the client', 'client_id', { text: { client_id: 'chat' } }],
    ['by the client in `azp`', 'client_id', { text: { client_id: undefined, azp: 'chat' } }],
    [
      'by a claim of its own for the client',
      'client_id',
      { text: { app: 'chat' }, profile: { claims: { client_id: 'app' } } },
    ],
    [
      'by the client that the audience is',
      'client_id',
      { text: { aud: 'chat' }, profile: { claims: { client_id: 'aud' }, default_resource: A } },
    ],
    ['by two claims for the client', 'claims', { text: { azp: 'chat' } }],
    ['by the last of the claims for the client', 'claims', { text: { azp: 'wiki', appid: 'chat' } }],
    ['by a client of another type', 'claims', { text: { client_id: ['wiki'] } }],
    ['by a client that is null', 'claims', { text: { client_id: null } }],
    [
      'by two audiences where the client should be',
      'claims',
      { text: { aud: ['wiki', 'chat'] }, profile: { claims: { client_id: 'aud' }, default_resource: A } },
    ],
    ['by the user', 'sub', { text: { sub: 'v' } }],
    ['by a user that is recorded of nobody', 'sub', { recorded: { sub: undefined } }],
    ['by a user of another type', 'claims', { text: { sub: {} } }],
    ['by the end', 'exp', { text: { exp: 1_790_000_901 } }],
    ['by an earlier end', 'exp', { text: { exp: 1_790_000_899 } }],
    ['by an end that the text lacks', 'exp', { text: { exp: undefined } }],
    ['by an end that the facts lack', 'exp', { recorded: { kind: 'refresh', exp: undefined } }],
    ['by an end of another type', 'claims', { text: { exp: '1790000900' } }],
    ['by more scope', 'scope', { text: { scope: 'read write admin' } }],
    ['by less scope', 'scope', { text: { scope: 'read' } }],
    ['by an empty scope', 'scope', { text: { scope: '' } }],
    ['by a scope that is not recorded', 'scope', { recorded: { scope: undefined } }],
    ['by more scope in `scp`', 'scope', { text: { scope: undefined, scp: ['read', 'write', 'admin'] } }],
    ['by two claims for the scope', 'claims', { text: { scp: 'read' } }],
    ['by a list of scopes that are no texts', 'claims', { text: { scope: ['read', 7] } }],
    ['by a list whose scope holds a space', 'claims', { text: { scope: ['read write'] } }],
    ['by a list with an empty scope', 'claims', { text: { scope: ['read', 'write', ''] } }],
    ['by a scope of another type', 'claims', { text: { scope: { read: true } } }],
    ['by the audience', 'aud', { text: { aud: B } }],
    ['by a foreign audience alone', 'aud', { text: { aud: FOREIGN } }],
    ['by one resource more', 'aud', { text: { aud: [A, B] } }],
    ['by one resource less', 'aud', { recorded: { aud: [A, B] } }],
    ['by an audience that the text lacks', 'aud', { text: { aud: undefined } }],
    [
      'by an audience that the text lacks, with another default',
      'aud',
      { text: { aud: undefined }, profile: { default_resource: B } },
    ],
    [
      'by ignored audiences alone without a default resource',
      'aud',
      { text: { aud: FOREIGN }, profile: { ignored_audiences: [FOREIGN] } },
    ],
    [
      'by an audience that is not ignored',
      'aud',
      { text: { aud: [FOREIGN, 'x'] }, profile: { default_resource: A, ignored_audiences: [FOREIGN] } },
    ],
    ['by an audience of another type', 'claims', { text: { aud: [A, 1] } }],
    ['by an audience that is null', 'claims', { text: { aud: null } }],
    [
      'by more audiences than are compared',
      'claims',
      { text: { aud: [A, ...Array.from({ length: 64 }, (_, at) => `x${at}`)] } },
    ],
    ['by the key', 'cnf', { text: { cnf: { jkt: CERTIFICATE } } }],
    ['by the kind of key', 'cnf', { text: { cnf: { 'x5t#S256': JKT } } }],
    ['by a second key', 'cnf', { text: { cnf: { jkt: JKT, 'x5t#S256': CERTIFICATE } } }],
    ['by a key that is not recorded', 'cnf', { recorded: { cnf: undefined } }],
    ['by a confirmation without a thumbprint', 'claims', { text: { cnf: { jwk: {} } }, recorded: { cnf: undefined } }],
    ['by a confirmation that is null', 'claims', { text: { cnf: null } }],
    ['by a confirmation that is a list', 'claims', { text: { cnf: [] } }],
  ])('%s: %s', (_, member, given) => expect(differs(given)).toBe(member));
});

it('as many audiences as are compared agree', () => {
  expect(differs({ text: { aud: [A, ...Array.from({ length: 63 }, (_, at) => `x${at}`)] } })).toBeUndefined();
});

it('whose token it is says the first claim that is there, unless another contradicts it', () => {
  const read = (claimed: object, over: Partial<TokenProfile> = {}) =>
    readClient({ ...claimed }, { ...DEFAULT_TOKEN_PROFILE, ...over });
  expect([
    read({ azp: 'a' }),
    read({}),
    read({ azp: 'a', cid: 'b' }),
    read({ app: 'a' }, { claims: { client_id: 'app' } }),
  ]).toEqual(['a', undefined, CONTRADICTION, 'a']);
});

import * as fc from 'fast-check';
import type { EventDataOf } from '../../../src/contracts/index.js';
import type { Selector } from '../../../src/rules/index.js';
import { NOW, say, sha256, T, type Said } from '../query/history.js';

const IDP = 'https://idp.example';
const OTHER_RAS = 'https://auth.files.example';
export const RAS = { crm: 'https://auth.crm.example', wiki: 'https://auth.wiki.example' } as const;
/** An IdP that announces an ID-JAG under the digest of another's. */
const OTHER_IDP = 'https://idp2.example';
/** A resource that only tokens name. */
const FILES = 'https://files.example/api';
const API = { crm: 'https://crm.example/api', wiki: 'https://wiki.example/api' } as const;
type Ras = keyof typeof RAS;

const DAY_S = 86_400;
/** Seconds before the questions' now at which a token was issued, and whether it has ended since. */
const AGES = {
  fresh: { ago: 100, lives: 900 },
  ended: { ago: 2_000, lives: 900 },
  /** Not ended, and older than a lineage may be. */
  old: { ago: 31 * DAY_S, lives: 40 * DAY_S },
} as const;

const token = fc.record({
  ras: fc.constantFrom<Ras>('crm', 'crm', 'wiki'),
  user: fc.constantFrom('alice', 'bob'),
  client: fc.constantFrom('assistant', 'mailer'),
  agent: fc.constantFrom(undefined, { id: 'a1', type: 'coder' }, { id: 'a2', type: 'helper' }, { type: 'coder' }),
  age: fc.constantFrom<keyof typeof AGES>('fresh', 'fresh', 'fresh', 'ended', 'old'),
  refresh: fc.constantFrom(false, false, true),
  /** How much the RAS says of the ID-JAG. */
  stated: fc.constantFrom<'whole' | 'subject' | 'name' | 'digest' | 'both' | 'none'>(
    'whole',
    'subject',
    'name',
    'digest',
    'both',
    'none',
  ),
  idJagTold: fc.constantFrom(true, true, false),
  idJagOld: fc.constantFrom(false, false, false, true),
  /** Whether the RAS states the agent itself, whatever it says of the ID-JAG. */
  ownAgent: fc.boolean(),
  signedIn: fc.constantFrom(undefined, 50, 5_000),
  localName: fc.boolean(),
  tellsLocalName: fc.boolean(),
  ownSession: fc.boolean(),
  manyResources: fc.constantFrom(false, false, false, true),
  /** The one thing in which the token and its ID-JAG differ. */
  otherwise: fc.constantFrom(
    'nothing' as const,
    'nothing' as const,
    'nothing' as const,
    'client' as const,
    'agent' as const,
    'user' as const,
    'audience' as const,
    'audiences' as const,
    'digest' as const,
  ),
  /** Whether the RAS states another name of its own for the user with the ID-JAG. */
  secondName: fc.constantFrom(false, false, true),
  /** A resource of the token that no grant or connection shows with its client. */
  files: fc.constantFrom('no' as const, 'no' as const, 'aud' as const, 'resource' as const),
  /** Tells how far back among the tokens its parent is; 0: it has none; -1: it is the next token, which may name this one. */
  parent: fc.constantFrom(0, 0, 1, 1, 2, -1),
  /** The same for the parent of its ID-JAG. */
  hop: fc.constantFrom(0, 0, 0, 1, 2, -1),
  contradicted: fc.constantFrom(false, false, false, false, 'token' as const, 'id-jag' as const),
  lost: fc.constantFrom(false, false, false, true),
});
type Token = typeof token extends fc.Arbitrary<infer A> ? A : never;

function tell(one: Token, nth: number): Said[] {
  const [as, api] = [RAS[one.ras], API[one.ras]];
  const { ago, lives } = AGES[one.age];
  const iat = NOW - ago;
  const grantedAt = one.idJagOld ? NOW - 31 * DAY_S : iat;
  const parentOf = (back: number) =>
    back !== 0 && refOf(nth - back) !== undefined ? { parent: { iss: refOf(nth - back)!, jti: `t${nth - back}` } } : {};
  const localName = `${one.user}-at-${one.ras}`;
  const clientId = `${one.client}-at-${one.ras}`;
  const jti = `j${nth}`;
  const subject = { sub: one.user, sid: `s-${one.user}` };
  const agent = one.agent ? { agent: one.agent } : {};
  const second = one.secondName ? { aud_sub: `${one.user}-too` } : {};
  const presented = {
    whole: { iss: IDP, jti, ...subject, client_id: clientId, iat: grantedAt, ...agent, ...second },
    subject: { iss: IDP, jti, sub: one.user, ...second },
    name: { iss: IDP, jti },
    digest: { iss: IDP, sha256: sha256(jti), ...second },
    both: { iss: IDP, jti, sha256: sha256(`${jti}-as-received`) },
    none: undefined,
  }[one.stated];
  const issued: EventDataOf['token.issued'] = {
    iss: as,
    jti: `t${nth}`,
    kind: one.refresh ? 'refresh' : 'access',
    client_id: one.otherwise === 'client' ? `other-at-${one.ras}` : clientId,
    aud: [
      api,
      ...(one.files === 'aud' ? [FILES] : []),
      ...(one.manyResources ? Array.from({ length: one.files === 'aud' ? 6 : 7 }, (_, more) => `${api}/${more}`) : []),
    ],
    ...(one.files === 'resource' ? { resource: [FILES] } : {}),
    iat,
    ...(one.refresh ? {} : { exp: iat + lives }),
    ...(one.localName ? { sub: localName } : {}),
    ...(one.ownSession ? { sid: `own-${one.user}` } : {}),
    ...(one.otherwise === 'agent' ? { agent: { id: 'a3' } } : one.ownAgent ? agent : {}),
    ...(one.signedIn === undefined ? {} : { auth_time: NOW - one.signedIn }),
    ...(presented ? { id_jag: presented } : {}),
    ...parentOf(one.parent),
  };
  const idJag: EventDataOf['id-jag.issued'] = {
    iss: IDP,
    jti,
    sha256: sha256(jti),
    ...subject,
    ...(one.otherwise === 'user' ? { sub: 'carol' } : {}),
    client_id: clientId,
    idp_client_id: one.client,
    aud: one.otherwise === 'audience' ? [OTHER_RAS] : one.otherwise === 'audiences' ? [as, OTHER_RAS] : [as],
    resource: [api, `${api}/deep`],
    iat: grantedAt,
    exp: grantedAt + 300,
    ...(one.signedIn === 5_000 ? { auth_time: NOW - 5_000 } : {}),
    ...(one.tellsLocalName ? { aud_sub: localName } : {}),
    ...agent,
    ...parentOf(one.hop),
  };
  const at = T + nth * 10;
  return [
    ...(one.stated !== 'none' && one.idJagTold ? [say('idp', 'id-jag.issued', at, idJag)] : []),
    ...(one.otherwise === 'digest'
      ? [
          say('idp', 'id-jag.issued', at, {
            ...idJag,
            iss: OTHER_IDP,
            jti: `of-another-${nth}`,
            sub: 'mallory',
            client_id: 'mallory-at-crm',
            idp_client_id: 'mallorys',
            agent: { id: 'a4' },
          }),
        ]
      : []),
    ...(one.lost ? [] : [say(one.ras, 'token.issued', at + 1, issued)]),
    ...(one.contradicted === 'token' && !one.lost
      ? [say(one.ras, 'token.issued', at + 2, { ...issued, client_id: 'somebody-else' })]
      : []),
    ...(one.contradicted === 'id-jag' && one.stated !== 'none' && one.idJagTold
      ? [say('idp', 'id-jag.issued', at + 3, { ...idJag, idp_client_id: 'somebody-else' })]
      : []),
  ];
}

/** The issuer of each token is that of its place, so that a token can name one that never came. */
let refOf: (nth: number) => string | undefined = () => RAS.crm;

/** A history in two parts: what had come at a moment, and what came after it. */
export interface TwoParts {
  readonly before: readonly Said[];
  readonly after: readonly Said[];
}

/**
 * Few tokens of few people, so that they meet: chains, cycles, second hops, what is lost, late, contradicted, ended and too old, and
 * tokens that name somebody else than their ID-JAG does.
 */
export const tokenHistories: fc.Arbitrary<TwoParts> = fc
  .record({
    tokens: fc.oneof(
      { weight: 3, arbitrary: fc.array(token, { minLength: 3, maxLength: 9 }) },
      // A lineage of too many hops.
      {
        weight: 1,
        arbitrary: fc
          .array(token, { minLength: 11, maxLength: 11 })
          .map((all) => all.map((one): Token => ({ ...one, parent: 1, lost: false }))),
      },
    ),
    order: fc.array(fc.nat(1_000), { minLength: 60, maxLength: 60 }),
    cut: fc.double({ min: 0.3, max: 1, noNaN: true }),
  })
  .map(({ tokens, order, cut }) => {
    refOf = (nth) => (tokens[nth] ? RAS[tokens[nth].ras] : undefined);
    const said = tokens
      .flatMap(tell)
      .map((one, nth) => ({ one, key: order[nth % order.length]! }))
      .sort((a, b) => a.key - b.key)
      .map(({ one }) => one);
    const at = Math.max(1, Math.floor(said.length * cut));
    return { before: said.slice(0, at), after: said.slice(at) };
  });

/** Selectors of every dimension that may hit something of the histories, and some that hit nothing. */
export const SINGLE: readonly Selector[] = [
  { token: { iss: RAS.crm, jti: 't0' } },
  { token: { iss: RAS.crm, jti: 't1' } },
  { token: { iss: RAS.wiki, jti: 't1' } },
  { id_jag: { iss: IDP, jti: 'j0' } },
  { id_jag: { iss: IDP, jti: 'j1' } },
  { id_jag: { sha256: sha256('j1') } },
  { id_jag: { sha256: sha256('j0-as-received') } },
  { session: { iss: IDP, sid: 's-alice' } },
  { session: { iss: RAS.crm, sid: 'own-bob' } },
  { user: { iss: IDP, sub: 'alice' } },
  { user: { iss: IDP, sub: 'bob' } },
  { user: { iss: RAS.crm, sub: 'alice-at-crm' } },
  { user: { iss: IDP, sub: 'carol' } },
  { user: { iss: OTHER_IDP, sub: 'mallory' } },
  { user: { iss: RAS.crm, sub: 'bob-too' } },
  { user: { iss: IDP, tenant: 'acme', sub: 'alice' } },
  { client: { iss: IDP, client_id: 'assistant' } },
  { client: { iss: RAS.crm, client_id: 'assistant-at-crm' } },
  { client: { iss: RAS.wiki, client_id: 'mailer-at-wiki' } },
  { client: { iss: RAS.crm, client_id: 'other-at-crm' } },
  { client: { iss: OTHER_RAS, client_id: 'assistant-at-crm' } },
  { client: { iss: OTHER_IDP, client_id: 'mallorys' } },
  { agent: { iss: IDP, id: 'a3' } },
  { agent: { iss: OTHER_IDP, id: 'a4' } },
  { agent: { iss: IDP, id: 'a1' } },
  { agent: { iss: RAS.crm, id: 'a1' } },
  { agent_type: 'coder' },
  { agent_type: 'nobody' },
  { resource: API.crm },
  { resource: `${API.wiki}/3` },
  { resource: FILES },
  { resource: `${API.crm}/deep` },
  { resource: OTHER_RAS },
  { resource: RAS.crm },
  { issuer: IDP },
  { issuer: RAS.wiki },
];

const isOf = (selector: Selector, dimension: string): boolean => dimension in selector;

/** Conjunctions of two members of different dimensions, and some of three. */
export const COMBINED: readonly Selector[] = SINGLE.flatMap((one, nth) =>
  SINGLE.slice(nth + 1)
    .filter((other) => !Object.keys(one).some((dimension) => isOf(other, dimension)))
    .map((other) => ({ ...one, ...other })),
);

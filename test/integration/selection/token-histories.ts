import * as fc from 'fast-check';
import type { EventDataOf } from '../../../src/contracts/index.js';
import type { Selector } from '../../../src/rules/index.js';
import { NOW, say, sha256, T, type Said } from '../query/history.js';

const IDP = 'https://idp.example';
const RAS = { crm: 'https://auth.crm.example', wiki: 'https://auth.wiki.example' } as const;
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
  stated: fc.constantFrom<'whole' | 'subject' | 'name' | 'digest' | 'none'>(
    'whole',
    'subject',
    'name',
    'digest',
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
  /** Tells how far back among the tokens its parent is; 0: it has none. */
  parent: fc.constantFrom(0, 0, 1, 1, 2),
  /** The same for the parent of its ID-JAG. */
  hop: fc.constantFrom(0, 0, 0, 1, 2),
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
    back > 0 && nth - back >= 0 ? { parent: { iss: refOf(nth - back), jti: `t${nth - back}` } } : {};
  const localName = `${one.user}-at-${one.ras}`;
  const clientId = `${one.client}-at-${one.ras}`;
  const jti = `j${nth}`;
  const subject = { sub: one.user, sid: `s-${one.user}` };
  const agent = one.agent ? { agent: one.agent } : {};
  const presented = {
    whole: { iss: IDP, jti, ...subject, client_id: clientId, iat: grantedAt, ...agent },
    subject: { iss: IDP, jti, sub: one.user },
    name: { iss: IDP, jti },
    digest: { iss: IDP, sha256: sha256(jti) },
    none: undefined,
  }[one.stated];
  const issued: EventDataOf['token.issued'] = {
    iss: as,
    jti: `t${nth}`,
    kind: one.refresh ? 'refresh' : 'access',
    client_id: clientId,
    aud: one.manyResources ? [api, ...Array.from({ length: 7 }, (_, more) => `${api}/${more}`)] : [api],
    iat,
    ...(one.refresh ? {} : { exp: iat + lives }),
    ...(one.localName ? { sub: localName } : {}),
    ...(one.ownSession ? { sid: `own-${one.user}` } : {}),
    ...(one.ownAgent ? agent : {}),
    ...(one.signedIn === undefined ? {} : { auth_time: NOW - one.signedIn }),
    ...(presented ? { id_jag: presented } : {}),
    ...parentOf(one.parent),
  };
  const idJag: EventDataOf['id-jag.issued'] = {
    iss: IDP,
    jti,
    sha256: sha256(jti),
    ...subject,
    client_id: clientId,
    idp_client_id: one.client,
    aud: [as],
    resource: [api],
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
let refOf: (nth: number) => string = () => RAS.crm;

/** A history in two parts: what had come at a moment, and what came after it. */
export interface TwoParts {
  readonly before: readonly Said[];
  readonly after: readonly Said[];
}

/** Few tokens of few people, so that they meet: chains, second hops, what is lost, late, contradicted, ended and too old. */
export const tokenHistories: fc.Arbitrary<TwoParts> = fc
  .record({
    tokens: fc.array(token, { minLength: 3, maxLength: 9 }),
    order: fc.array(fc.nat(1_000), { minLength: 40, maxLength: 40 }),
    cut: fc.double({ min: 0.3, max: 1, noNaN: true }),
  })
  .map(({ tokens, order, cut }) => {
    refOf = (nth) => RAS[tokens[nth]!.ras];
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
  { session: { iss: IDP, sid: 's-alice' } },
  { session: { iss: RAS.crm, sid: 'own-bob' } },
  { user: { iss: IDP, sub: 'alice' } },
  { user: { iss: IDP, sub: 'bob' } },
  { user: { iss: RAS.crm, sub: 'alice-at-crm' } },
  { user: { iss: IDP, tenant: 'acme', sub: 'alice' } },
  { client: { iss: IDP, client_id: 'assistant' } },
  { client: { iss: RAS.crm, client_id: 'assistant-at-crm' } },
  { client: { iss: RAS.wiki, client_id: 'mailer-at-wiki' } },
  { agent: { iss: IDP, id: 'a1' } },
  { agent: { iss: RAS.crm, id: 'a1' } },
  { agent_type: 'coder' },
  { agent_type: 'nobody' },
  { resource: API.crm },
  { resource: `${API.wiki}/3` },
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

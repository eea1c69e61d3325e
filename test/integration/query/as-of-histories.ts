import * as fc from 'fast-check';
import type { EventDataOf } from '../../../src/contracts/index.js';
import { say, sha256, T, type Said } from './history.js';
import { AGENT, CRM, CRM_AS, IDP, WIKI, WIKI_AS } from './story.js';

/** The ledger's next index after a batch: the next one, the last ones of its block, or the last ones before the next snapshot of the pairs. */
export type Leap = 'none' | 'to-the-edge' | 'far';

/** The events of one transaction, and the leap after it. */
export interface SaidBatch {
  readonly said: readonly Said[];
  readonly leap: Leap;
}

const AT = { crm: { as: CRM_AS, api: CRM }, wiki: { as: WIKI_AS, api: WIKI } } as const;
type Ras = keyof typeof AT;

type Told = 'id-jag' | 'token' | 'contradiction' | 'connection' | 'deleted' | 'user' | 'enabled' | 'denied' | 'ended';

const use = fc.record({
  what: fc.constantFrom('allowed' as const, 'allowed' as const, 'denied' as const, 'summary' as const),
  operation: fc.constantFrom(
    'read' as const,
    'read' as const,
    'write' as const,
    'delete' as const,
    'export' as const,
    'admin' as const,
  ),
  scope: fc.subarray(['a', 'b', 'c']).map((scopes) => scopes.join(' ')),
  route: fc.constantFrom('/a', '/b'),
  address: fc.constantFrom('192.0.2.1', '192.0.2.2'),
  // The token's own resource server; a source of several resources, so that the token says which one it was; one that the token is not for.
  by: fc.constantFrom('own' as const, 'several' as const, 'own' as const, 'foreign' as const),
  after: fc.integer({ min: 0, max: 100_000 }),
  count: fc.integer({ min: 1, max: 50 }),
});

const lineage = fc.record({
  user: fc.constantFrom('alice', 'bob'),
  client: fc.constantFrom('assistant', 'mailer'),
  ras: fc.constantFrom<Ras>('crm', 'wiki'),
  agent: fc.constantFrom(true, true, false),
  statesIdJag: fc.constantFrom(
    'whole' as const,
    'without-agent' as const,
    'without-agent' as const,
    'by-name' as const,
    'by-digest' as const,
    'not' as const,
  ),
  says: fc
    .tuple(
      fc.constantFrom<Told[][]>(['id-jag', 'token'], ['id-jag', 'token'], ['token'], ['id-jag']),
      fc.subarray<Told>(['connection', 'deleted', 'user', 'enabled', 'contradiction', 'denied', 'ended'], {
        maxLength: 3,
      }),
    )
    .map(([own, others]) => [...own, ...others]),
  child: fc.boolean(),
  refresh: fc.constantFrom(false, false, false, true),
  uses: fc.array(use, { minLength: 1, maxLength: 5 }),
});
type Lineage = typeof lineage extends fc.Arbitrary<infer L> ? L : never;

function tell(one: Lineage, nth: number): Said[] {
  const { as, api } = AT[one.ras];
  const [jti, token, clientId] = [`j${nth}`, { iss: as, jti: `t${nth}` }, `${one.client}-at-${one.ras}`];
  const agent = one.agent ? { agent: AGENT } : {};
  const subject = { sub: one.user, tenant: 'acme' };
  const stated = {
    whole: { iss: IDP, jti, ...subject, ...agent },
    'without-agent': { iss: IDP, jti, ...subject },
    'by-name': { iss: IDP, jti },
    'by-digest': { iss: IDP, sha256: sha256(jti) },
    not: undefined,
  }[one.statesIdJag];
  const at = T + nth * 10;
  const issued = {
    ...token,
    kind: one.refresh ? ('refresh' as const) : ('access' as const),
    sub: `${one.user}-local`,
    client_id: clientId,
    aud: [api],
    scope: 'a b',
    iat: at + 1,
    exp: at + 900,
    ...(one.child && nth > 0 ? { parent: { iss: as, jti: `t${nth - 1}` } } : {}),
    ...(stated ? { id_jag: stated } : {}),
  } satisfies EventDataOf['token.issued'];
  const connection = {
    iss: IDP,
    tenant: 'acme',
    idp_client_id: one.client,
    aud: [as],
    client_id: clientId,
    resource: [api],
    scope: 'a b',
    ...agent,
  };
  const told: Readonly<Record<Told, () => Said>> = {
    'id-jag': () =>
      say('idp', 'id-jag.issued', at, {
        iss: IDP,
        jti,
        sha256: sha256(jti),
        ...subject,
        client_id: clientId,
        idp_client_id: one.client,
        aud: [as],
        resource: [api],
        scope: 'a b',
        iat: at,
        exp: at + 300,
        sid: `s-${one.user}`,
        ...agent,
      }),
    token: () => say(one.ras, 'token.issued', at + 1, issued),
    contradiction: () => say(one.ras, 'token.issued', at + 2, { ...issued, client_id: 'somebody-else' }),
    connection: () => say('idp', 'connection.created', at + 3, connection),
    deleted: () => say('idp', 'connection.deleted', at + 4, connection),
    user: () => say('idp', 'user.disabled', at + 5, { iss: IDP, ...subject }),
    denied: () =>
      say(one.ras, 'token.denied', at + 7, {
        iss: as,
        id_jag: { iss: IDP, jti, ...subject },
        client_id: clientId,
        error: 'invalid_grant',
      }),
    ended: () => say('idp', 'session.ended', at + 8, { iss: IDP, sid: `s-${one.user}`, ...subject }),
    enabled: () => say('idp', 'user.enabled', at + 6, { iss: IDP, ...subject }),
  };
  const uses = one.uses.map(({ what, operation, scope, route, address, by, after, count }): Said => {
    const source = { own: one.ras, several: 'idp', foreign: one.ras === 'crm' ? 'wiki' : 'crm' }[by] as Ras | 'idp';
    const used = {
      token,
      operation,
      ...(scope === '' ? {} : { scope }),
      route,
      client_address: address,
      records: count,
      bytes: count * 100,
    };
    if (what === 'summary')
      return say(source, 'access.summary', at + after, {
        ...used,
        outcome: count % 3 === 0 ? 'denied' : 'allowed',
        count,
        from: at + after,
        to: at + after + 60,
      });
    return what === 'allowed'
      ? say(source, 'access.allowed', at + after, { ...used, status: 200 })
      : say(source, 'access.denied', at + after, { ...used, status: 403 });
  });
  return [...one.says.map((name) => told[name]()), ...uses];
}

/** Small histories in any order: usage before its lineage, what comes late, what comes twice; leaps, so that blocks close. */
export const histories: fc.Arbitrary<readonly SaidBatch[]> = fc
  .record({
    lineages: fc.array(lineage, { minLength: 1, maxLength: 3 }),
    order: fc.array(fc.nat(1_000), { minLength: 50, maxLength: 50 }),
    again: fc.array(fc.nat(1_000), { maxLength: 2 }),
    sizes: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 50, maxLength: 50 }),
    leaps: fc.array(fc.constantFrom<Leap>('none', 'none', 'to-the-edge', 'to-the-edge', 'far'), {
      minLength: 50,
      maxLength: 50,
    }),
  })
  .map(({ lineages, order, again, sizes, leaps }) => {
    const told = lineages.flatMap(tell);
    const all = [...told, ...again.map((nth) => told[nth % told.length]!)];
    const shuffled = all
      .map((said, nth) => ({ said, key: order[nth % order.length]! }))
      .sort((one, other) => one.key - other.key);
    const batches: SaidBatch[] = [];
    for (let at = 0; at < shuffled.length; at += batches.at(-1)!.said.length) {
      const said = shuffled.slice(at, at + sizes[batches.length % sizes.length]!).map((one) => one.said);
      batches.push({ said, leap: leaps[batches.length % leaps.length]! });
    }
    return batches;
  });

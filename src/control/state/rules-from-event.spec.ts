import { describe, expect, it } from '@jest/globals';
import { SOURCE_EVENT_NAMES } from '../../contracts/index.js';
import { selectorKey, type OtherValues, type RuleEvent, type Selector } from '../../rules/index.js';
import {
  commandFromContradiction,
  commandFromEvent,
  isRuleEvent,
  recordedKeys,
  type EventToRule,
  type NewControlRecord,
  type RuleEventName,
  type RuleRecord,
} from '../index.js';

const IDP = 'https://idp.example';
const RAS = 'https://ras.example';
const API = 'https://api.example';
const TENANT = { id: '00000000-0000-4000-8000-000000000001', key: Buffer.alloc(32, 3) };
const SOURCE = { id: '00000000-0000-4000-8000-000000000002', uri: `${IDP}/events` };
const AT_MS = 1_800_000_000_123;
const AT_S = 1_800_000_000;
const DIGEST = '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU';

type Told = { [N in RuleEventName]: Pick<Extract<EventToRule['event'], { name: N }>, 'name' | 'data'> }[RuleEventName];

function commandOf(told: Told): ReturnType<typeof commandFromEvent> {
  let next = 0;
  return commandFromEvent({
    tenant: TENANT,
    source: SOURCE,
    event: { ...told, id: 'e-1', timeMs: AT_MS, arrivedMs: AT_MS } as EventToRule['event'],
    content: 'the content',
    newId: () => `rule-${next++}`,
  });
}

const encoded = (
  selector: Selector,
  ...others: readonly Selector[]
): { shape: number; key: string; or_keys?: string } => {
  const { shape, key } = selectorKey(TENANT.key, selector);
  const more = others.map((other) => selectorKey(TENANT.key, other).key).join('');
  return {
    shape,
    key: Buffer.from(key, 'latin1').toString('base64url'),
    ...(more === '' ? {} : { or_keys: Buffer.from(more, 'latin1').toString('base64url') }),
  };
};
const origin = { source: SOURCE.id, event: 'e-1', at: AT_MS };

/** Identity of the connection: only a later event of the same connection may lift its block. */
const CONNECTION_SUBJECT = JSON.stringify([IDP, null, 'wiki', [RAS], null, 'wiki-at-ras']);
const originOf = (reason: string) =>
  reason.startsWith('connection.') ? { ...origin, subject: CONNECTION_SUBJECT } : origin;

/** The one record that is expected, however many selectors the rule has. */
const ordered = (
  effect: 'revoke' | 'block',
  reason: string,
  [selector, ...others]: readonly Selector[],
  or?: OtherValues,
  before?: number,
): NewControlRecord[] => [
  {
    kind: 'rule.ordered',
    tenant: TENANT.id,
    subject: 'rule-0',
    body: {
      id: 'rule-0',
      effect,
      selector: selector!,
      ...(or ? { or } : {}),
      ...encoded(selector!, ...others),
      ...(before === undefined ? {} : { before }),
      reauthenticate: false,
      reason,
      author: { caller: SOURCE.uri },
      origin: originOf(reason),
    },
  },
];
const enabled = ([selector, ...others]: readonly Selector[], name = ''): NewControlRecord[] => [
  {
    kind: 'subject.enabled',
    tenant: TENANT.id,
    subject: 'rule-0',
    body: { ...encoded(selector!, ...others), origin: originOf(name) },
  },
];

const client = {
  iss: IDP,
  idp_client_id: 'wiki',
  ras: [
    { iss: RAS, client_id: 'wiki-at-ras' },
    { iss: API, client_id: 'wiki-at-api' },
  ],
};
const CLIENT: Selector[] = [
  { client: { iss: IDP, client_id: 'wiki' }, issuer: IDP },
  { client: { iss: RAS, client_id: 'wiki-at-ras' }, issuer: IDP },
  { client: { iss: API, client_id: 'wiki-at-api' }, issuer: IDP },
];
const connection = {
  iss: IDP,
  idp_client_id: 'wiki',
  aud: [RAS],
  client_id: 'wiki-at-ras',
  resource: [API, `${API}/v2`],
  scope: 'read',
};
const CONNECTION: Selector[] = [
  { client: { iss: IDP, client_id: 'wiki' }, resource: API, issuer: IDP },
  { client: { iss: IDP, client_id: 'wiki' }, resource: `${API}/v2`, issuer: IDP },
  { client: { iss: RAS, client_id: 'wiki-at-ras' }, resource: API, issuer: IDP },
  { client: { iss: RAS, client_id: 'wiki-at-ras' }, resource: `${API}/v2`, issuer: IDP },
];
const WHOLE_CONNECTION: Selector[] = [
  { client: { iss: IDP, client_id: 'wiki' }, resource: RAS, issuer: IDP },
  { client: { iss: RAS, client_id: 'wiki-at-ras' }, resource: RAS, issuer: IDP },
];

describe('commandFromEvent (design, section 4)', () => {
  it.each<[string, Told, NewControlRecord[]]>([
    [
      'session.ended revokes the session',
      { name: 'session.ended', data: { iss: IDP, sid: 's-1', sub: 'alice' } },
      ordered('revoke', 'session.ended', [{ session: { iss: IDP, sid: 's-1' }, issuer: IDP }]),
    ],
    [
      'session.ended without a session revokes what the user was granted until then',
      { name: 'session.ended', data: { iss: IDP, sub: 'alice' } },
      ordered('revoke', 'session.ended', [{ user: { iss: IDP, sub: 'alice' }, issuer: IDP }], undefined, AT_S),
    ],
    [
      'session.ended without a session revokes the user of one tenant claim',
      { name: 'session.ended', data: { iss: IDP, tenant: 'acme', sub: 'alice' } },
      ordered(
        'revoke',
        'session.ended',
        [{ user: { iss: IDP, tenant: 'acme', sub: 'alice' }, issuer: IDP }],
        undefined,
        AT_S,
      ),
    ],
    [
      'token.revoked revokes a JWT by issuer and jti',
      { name: 'token.revoked', data: { iss: RAS, jti: 'at-1', client_id: 'wiki-at-ras' } },
      ordered('revoke', 'token.revoked', [{ token: { iss: RAS, jti: 'at-1' }, issuer: RAS }]),
    ],
    [
      'token.revoked revokes an opaque token by its digest, of its own issuer alone',
      { name: 'token.revoked', data: { iss: RAS, sha256: DIGEST, kind: 'refresh' } },
      ordered('revoke', 'token.revoked', [{ token: { sha256: DIGEST }, issuer: RAS }]),
    ],
    [
      'token.revoked revokes a JWT without jti by its signing input',
      { name: 'token.revoked', data: { iss: RAS, signing_input_sha256: DIGEST } },
      ordered('revoke', 'token.revoked', [{ token: { signing_input_sha256: DIGEST }, issuer: RAS }]),
    ],
    [
      'user.disabled blocks the user without tenant claim',
      { name: 'user.disabled', data: { iss: IDP, sub: 'alice' } },
      ordered('block', 'user.disabled', [{ user: { iss: IDP, sub: 'alice' }, issuer: IDP }]),
    ],
    [
      'user.disabled blocks the user of one tenant claim',
      { name: 'user.disabled', data: { iss: IDP, tenant: 'acme', sub: 'alice' } },
      ordered('block', 'user.disabled', [{ user: { iss: IDP, tenant: 'acme', sub: 'alice' }, issuer: IDP }]),
    ],
    [
      'user.enabled lifts what user.disabled blocks',
      { name: 'user.enabled', data: { iss: IDP, sub: 'alice' } },
      enabled([{ user: { iss: IDP, sub: 'alice' }, issuer: IDP }]),
    ],
    [
      'client.disabled blocks the client by each of its ids',
      { name: 'client.disabled', data: client },
      ordered('block', 'client.disabled', CLIENT, { client: client.ras }),
    ],
    [
      'client.disabled with no RAS blocks it by the id at the IdP',
      { name: 'client.disabled', data: { ...client, ras: [] } },
      ordered('block', 'client.disabled', CLIENT.slice(0, 1)),
    ],
    ['client.enabled lifts what client.disabled blocks', { name: 'client.enabled', data: client }, enabled(CLIENT)],
    [
      'connection.deleted blocks the client by either id, per resource',
      { name: 'connection.deleted', data: connection },
      ordered('block', 'connection.deleted', CONNECTION, {
        client: [{ iss: RAS, client_id: 'wiki-at-ras' }],
        resource: [`${API}/v2`],
      }),
    ],
    [
      'connection.deleted without resource blocks it at the whole RAS',
      { name: 'connection.deleted', data: { ...connection, resource: [] } },
      ordered('block', 'connection.deleted', WHOLE_CONNECTION, { client: [{ iss: RAS, client_id: 'wiki-at-ras' }] }),
    ],
    [
      'connection.created lifts what connection.deleted blocks',
      { name: 'connection.created', data: connection },
      enabled(CONNECTION, 'connection.created'),
    ],
    [
      'connection.updated lifts it too',
      { name: 'connection.updated', data: connection },
      enabled(CONNECTION, 'connection.created'),
    ],
    [
      'connection.updated lifts it for the resources that it names',
      { name: 'connection.updated', data: { ...connection, resource: [API] } },
      enabled([CONNECTION[0]!, CONNECTION[2]!], 'connection.updated'),
    ],
  ])('%s', (_name, told, records) => {
    expect(commandOf(told)).toStrictEqual({
      records,
      from: 'event',
      once: { key: ['event', TENANT.id, SOURCE.id, 'e-1'], content: 'the content' },
    });
  });

  it('every event that becomes a record has a row above, and no other is one', () => {
    expect(SOURCE_EVENT_NAMES.filter(isRuleEvent).toSorted()).toEqual([
      'client.disabled',
      'client.enabled',
      'connection.created',
      'connection.deleted',
      'connection.updated',
      'session.ended',
      'token.revoked',
      'user.disabled',
      'user.enabled',
    ]);
  });

  it('makes one record of a connection with eight audiences and eight resources', () => {
    const eight = (name: string): string[] => Array.from({ length: 8 }, (_, nth) => `https://${name}-${nth}.example`);
    const { records } = commandOf({
      name: 'connection.deleted',
      data: { ...connection, aud: eight('ras'), resource: eight('api') },
    });
    expect(records).toHaveLength(1);
    expect(recordedKeys(records[0]!.body as RuleRecord).keys).toHaveLength(72);
  });

  it("names the source's issuer in every selector, whatever else the event names", () => {
    const foreign = commandOf({
      name: 'client.disabled',
      data: { iss: IDP, idp_client_id: 'x', ras: [{ iss: 'https://elsewhere.example', client_id: 'x' }] },
    });
    expect(foreign.records.length).toBeGreaterThan(0);
    for (const record of foreign.records)
      expect(record.kind === 'rule.ordered' && record.body.selector.issuer).toBe(IDP);
  });
});

describe('an event that is dated ahead of its arrival', () => {
  const dated = (told: RuleEvent): number => {
    const event = { ...told, id: 'e-1', timeMs: AT_MS + 240_000, arrivedMs: AT_MS } as EventToRule['event'];
    const [record] = commandFromEvent({
      tenant: TENANT,
      source: SOURCE,
      event,
      content: '',
      newId: () => 'rule-0',
    }).records;
    return (record!.body as { origin: { at: number } }).origin.at;
  };

  it('counts from its arrival where it enables, so that it ends nothing that is disabled until then', () => {
    expect(dated({ name: 'user.enabled', data: { iss: IDP, sub: 'alice' } })).toBe(AT_MS);
    expect(dated({ name: 'user.disabled', data: { iss: IDP, sub: 'alice' } })).toBe(AT_MS + 240_000);
  });
});

describe('commandFromContradiction', () => {
  const contradiction = { tenant: TENANT, reason: 'two events', author: 'rescind', newId: () => 'rule-0' };

  it.each<[string, Parameters<typeof commandFromContradiction>[0]['subject'], Selector]>([
    ['a token', { kind: 'token', named: { iss: RAS, jti: 'at-1' } }, { token: { iss: RAS, jti: 'at-1' } }],
    ['an opaque token', { kind: 'token', named: { sha256: DIGEST } }, { token: { sha256: DIGEST } }],
    ['an ID-JAG', { kind: 'id_jag', iss: IDP, jti: 'gr-1' }, { id_jag: { iss: IDP, jti: 'gr-1' } }],
  ])('blocks %s once, with no event that could lift it', (_name, subject, selector) => {
    const { records, once } = commandFromContradiction({ ...contradiction, subject });
    expect(records).toEqual([
      {
        kind: 'rule.ordered',
        tenant: TENANT.id,
        subject: 'rule-0',
        body: {
          id: 'rule-0',
          effect: 'block',
          selector,
          ...encoded(selector),
          reauthenticate: false,
          reason: 'two events',
          author: { caller: 'rescind' },
        },
      },
    ]);
    expect(once?.key).toEqual(['conflict', TENANT.id, subject.kind, encoded(selector).key]);
    expect(once?.keepSeconds).toBeUndefined();
  });
});

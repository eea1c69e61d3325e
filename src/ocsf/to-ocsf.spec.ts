import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ocsfFaults } from '../../test/support/ocsf.js';
import { EVENT_NAMES, parseEventTime, parseEventType, type EventName } from '../contracts/index.js';
import type { Attribution, LedgerEvent } from './event.js';
import { isLeftOut, MAPPINGS, toOcsf } from './to-ocsf.js';

const SAMPLES = new URL('../contracts/samples/', import.meta.url);
interface Sample {
  readonly type: string;
  readonly id: string;
  readonly time: string;
  readonly source: string;
  readonly data: Readonly<Record<string, unknown>>;
}
const samples: readonly (readonly [file: string, name: EventName, sample: Sample])[] = readdirSync(SAMPLES)
  .filter((file) => file.endsWith('.json'))
  .map((file) => {
    const sample = JSON.parse(readFileSync(new URL(file, SAMPLES), 'utf8')) as Sample;
    return [file, parseEventType(sample.type)!, sample];
  });

const eventOf = (
  name: EventName,
  { id, time, data }: Pick<Sample, 'id' | 'time' | 'data'>,
  attribution?: Attribution,
): LedgerEvent =>
  ({
    name,
    data,
    id,
    atMs: parseEventTime(time)!,
    arrivalMs: 1_790_000_001_500,
    index: 41n,
    tenant: 'default',
    source: 'chat-api',
    attribution,
  }) as unknown as LedgerEvent;

const ocsf = (event: LedgerEvent) => toOcsf(event, { version: '0.1.0' })!;

const sample = (name: EventName): Sample => samples.find(([, one]) => one === name)![2];
/** The sample of an event with other data. Members that are undefined are left out. */
const changed = (name: EventName, members: Readonly<Record<string, unknown>>, attribution?: Attribution) => {
  const { data, ...envelope } = sample(name);
  const merged = JSON.parse(JSON.stringify({ ...data, ...members })) as Sample['data'];
  return ocsf(eventOf(name, { ...envelope, data: merged }, attribution));
};

describe('OCSF events', () => {
  it.each(samples.filter(([, name]) => !isLeftOut(name)))('%s is valid by the schema of OCSF', (_, name, said) => {
    expect(ocsfFaults(ocsf(eventOf(name, said)))).toEqual([]);
  });

  it('every event of the contracts has a form or a reason, and a sample', () => {
    expect(Object.keys(MAPPINGS).sort()).toEqual([...EVENT_NAMES].sort());
    expect(EVENT_NAMES.filter((name) => isLeftOut(name))).toEqual(['introspection.counted', 'finding.changed']);
    expect(EVENT_NAMES.filter((name) => !samples.some(([, one]) => one === name))).toEqual([]);
    expect(
      toOcsf(eventOf('introspection.counted', sample('introspection.counted')), { version: '0.1.0' }),
    ).toBeUndefined();
  });

  it.each([
    ['id-jag.issued', 300204],
    ['id-jag.denied', 300204],
    ['token.issued', 300301],
    ['token.denied', 300204],
    ['token.seen', 300301],
    ['token.revoked', 300502],
    ['revocation.ordered', 300502],
    ['session.ended', 300202],
    ['key.used', 300201],
    ['log-key.changed', 300403],
    ['connection.created', 300401],
    ['connection.updated', 300403],
    ['connection.deleted', 300404],
    ['user.disabled', 300409],
    ['user.enabled', 300408],
    ['access.allowed', 600302],
  ] as const)('%s has the type %d', (name, type) => {
    expect(ocsf(eventOf(name, sample(name))).type_uid).toBe(type);
  });

  it('times are epoch milliseconds, and the index of the ledger is the sequence', () => {
    const event = changed('id-jag.issued', {});
    expect(event.time).toBe(Date.parse('2026-09-21T14:13:20Z'));
    expect(event.metadata).toMatchObject({
      sequence: 41,
      logged_time: 1_790_000_001_500,
      version: '1.8.0',
      uid: 'default/41',
    });
    expect(event['authentication_token']).toMatchObject({
      created_time: 1_790_000_000_000,
      expiration_time: 1_790_000_300_000,
    });
  });

  it.each(['read', 'write', 'delete', 'export', 'admin'])(
    'a use that is %s is valid with the least that it may state',
    (operation) => {
      const bare = {
        route: undefined,
        path: undefined,
        status: undefined,
        client_address: undefined,
        trace_id: undefined,
        resource: [],
        scope: '',
      };
      const event = changed('access.allowed', { ...bare, operation });
      expect(ocsfFaults(event)).toEqual([]);
      expect(event['api']).toEqual({ operation });
      expect(event['unmapped']).toMatchObject({ operation });
    },
  );

  it.each([
    ['203.0.113.7', { ip: '203.0.113.7' }],
    ['2001:db8::1', { ip: '2001:db8::1' }],
    ['fe80::1%eth0', { ip: 'fe80::1%eth0' }],
    ['::ffff:203.0.113.7', { ip: '::ffff:203.0.113.7' }],
    ['chat-proxy:443', { name: 'chat-proxy:443' }],
    [undefined, { name: 'unknown' }],
  ])('the address %s is the endpoint', (address, endpoint) => {
    const event = changed('access.allowed', { client_address: address });
    expect(event['src_endpoint']).toEqual(endpoint);
    expect(ocsfFaults(event)).toEqual([]);
  });

  it('a use names its user, client and agent once lineage has found them', () => {
    const user = { iss: 'https://idp.acme.example', tenant: 'acme', sub: 'u-7f3a91' };
    const client = { iss: 'https://login.chat.example', client_id: 'wiki-at-chat' };
    const agent = { iss: 'https://idp.acme.example', id: 'agent-42' };
    const event = changed('access.denied', {}, { user, client, agent });
    expect(ocsfFaults(event)).toEqual([]);
    expect(event['actor']).toMatchObject({ user: { uid: 'u-7f3a91', domain: user.iss }, app_uid: 'wiki-at-chat' });
    expect(event['unmapped']).toMatchObject({ client, agent });
  });

  it.each([
    [401, 26],
    [403, 26],
    [429, 2],
    [undefined, 2],
  ])('a refusal with status %p has the disposition %d', (status, disposition) => {
    const event = changed('access.denied', { status });
    expect(event).toMatchObject({ action_id: 2, disposition_id: disposition, status_id: 2 });
    expect(ocsfFaults(event)).toEqual([]);
  });

  it.each([
    ['id-jag.denied', { sub: undefined, sid: undefined }, { name: 'unknown' }],
    ['token.issued', { id_jag: undefined, sub: undefined, scope: undefined }, { uid: 'wiki-at-chat', type_id: 4 }],
    ['token.issued', { id_jag: { iss: 'https://idp.acme.example', jti: 'x' } }, { uid: 'chat-user-5521' }],
    ['token.issued', {}, { uid: 'u-7f3a91', uid_alt: 'chat-user-5521' }],
    ['token.denied', { id_jag: { iss: 'https://idp.acme.example', jti: 'x' } }, { name: 'unknown' }],
    ['token.revoked', {}, { name: 'unknown' }],
    ['revocation.ordered', { selector: { all: true } }, { name: '*' }],
    ['revocation.ordered', { selector: { user: { iss: 'https://idp.acme.example', sub: 'u-1' } } }, { uid: 'u-1' }],
  ] as const)('%s with %j has the user %j', (name, members, user) => {
    const event = changed(name, members);
    expect(event['user']).toMatchObject(user);
    expect(ocsfFaults(event)).toEqual([]);
  });

  it('an unmapped member is told, not made up as a member of OCSF', () => {
    const event = changed('access.allowed', {});
    expect(ocsfFaults({ ...event, records: 3 })).not.toEqual([]);
    expect(ocsfFaults({ ...event, actor: { session: { uid: 'x', jti: 'x' } } })).not.toEqual([]);
    expect(ocsfFaults({ ...event, actor: {} })).not.toEqual([]);
  });
});

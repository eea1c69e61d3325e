import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { REJECT_CODES, type EventDataOf, type EventName, type RejectCode } from '../../contracts/index.js';
import {
  CONTROL_RECORD_VERSION,
  createControlState,
  DEFAULT_TOKEN_PROFILE,
  type CallerRecord,
  type ControlRecord,
  type NewControlRecord,
  type Seq,
  type SourceRecord,
} from '../../control/index.js';
import { buildEvent, toKafkaMessage } from '../../emit/index.js';
import { accept, kafkaMode, type Accepted, type Arrived, type Rejected } from './accept.js';

const NOW_MS = Date.UTC(2026, 10, 24, 12);
const NOW = NOW_MS / 1000;
const IDP = 'https://idp.acme.example';
const RAS = 'https://login.chat.example';
const API = 'https://api.chat.example';
const ACME = '0b7f8e4e-6c1c-4b7e-9b1e-000000000001';
const OTHER = '0b7f8e4e-6c1c-4b7e-9b1e-000000000002';

const IDP_TYPES: EventName[] = ['id-jag.issued', 'session.ended', 'user.disabled'];
const RAS_TYPES: EventName[] = ['token.issued', 'token.revoked', 'access.allowed', 'access.denied', 'access.summary'];

const source = (name: string, over: Partial<SourceRecord>): SourceRecord => ({
  id: `5e0f0a4e-0000-4000-8000-${name.padStart(12, '0').replaceAll(/[^0-9a-f]/g, '0')}`,
  name,
  uri: `urn:source:${name}`,
  topic: `rescind.events.${name}`,
  types: RAS_TYPES,
  issuers: [RAS],
  resources: [API],
  profile: DEFAULT_TOKEN_PROFILE,
  disabled: false,
  ...over,
});

const caller = (id: string, sources: string[]): CallerRecord => ({
  id,
  roles: { emit: { sources } },
  secrets: [],
  disabled: false,
});

/** Folds a state from records, as a node does. */
function foldState() {
  const state = createControlState();
  let seq = 0n;
  const record = (one: NewControlRecord): void =>
    state.apply({ ...one, seq: ++seq as Seq, version: CONTROL_RECORD_VERSION, at: NOW_MS } as ControlRecord);
  for (const [id, name] of [
    [ACME, 'acme'],
    [OTHER, 'other'],
  ] as const) {
    record({
      kind: 'tenant.changed',
      tenant: id,
      subject: id,
      body: { id, name, key: Buffer.alloc(32, name).toString('base64url') },
    });
  }
  const sources: [string, SourceRecord][] = [
    [ACME, source('1-idp', { types: IDP_TYPES, issuers: [IDP], resources: [] })],
    [ACME, source('2-chat', {})],
    [ACME, source('3-closed', { disabled: true })],
    [ACME, source('4-gate-a', { topic: 'rescind.events.gates', resources: ['https://a.example'] })],
    [ACME, source('5-gate-b', { topic: 'rescind.events.gates', resources: ['https://b.example'] })],
    [
      ACME,
      source('7-realm', {
        profile: { ...DEFAULT_TOKEN_PROFILE, default_resource: API, ignored_audiences: ['account', 'broker'] },
      }),
    ],
    [OTHER, source('6-other', { issuers: ['https://login.other.example'], resources: ['https://api.other.example'] })],
  ];
  for (const [tenant, body] of sources) record({ kind: 'source.changed', tenant, subject: body.id, body });
  for (const body of [
    caller('emitter', ['1-idp', '2-chat']),
    caller('narrow', ['1-idp']),
    caller('reaching', ['2-chat', '6-other']),
  ]) {
    record({ kind: 'caller.changed', tenant: ACME, subject: body.id, body });
  }
  return state;
}
const state = foldState();

const idJag = (over: object = {}): EventDataOf['id-jag.issued'] => ({
  iss: IDP,
  jti: 'gr-1',
  sub: 'alice',
  client_id: 'wiki-at-chat',
  idp_client_id: 'wiki-at-idp',
  aud: [RAS],
  iat: NOW - 10,
  exp: NOW + 300,
  ...over,
});

const token = (over: object = {}): EventDataOf['token.issued'] => ({
  kind: 'access',
  iss: RAS,
  jti: 'at-1',
  client_id: 'wiki-at-chat',
  aud: [API],
  scope: 'chat.read',
  iat: NOW - 5,
  exp: NOW + 900,
  id_jag: { iss: IDP, jti: 'gr-1', sub: 'alice' },
  ...over,
});

const access = (over: object = {}): EventDataOf['access.allowed'] => ({
  token: { iss: RAS, jti: 'at-1' },
  operation: 'read',
  ...over,
});

type Envelope = Record<string, unknown>;
const said = (name: string, from: string, data: unknown, over: Envelope = {}): Envelope => ({
  specversion: '1.0',
  type: `dev.rescind.${name}.v1`,
  source: `urn:source:${from}`,
  id: 'e-1',
  time: new Date(NOW_MS - 1000).toISOString(),
  data,
  ...over,
});

const structured: Arrived['headers'] = [['content-type', Buffer.from('application/cloudevents+json')]];
const onTopic = (name: string): Arrived['door'] => ({ kind: 'kafka', topic: `rescind.events.${name}` });
const byCaller = (id: string): Arrived['door'] => ({ kind: 'http', caller: state.caller(id)! });
const base64 = (data: unknown): string => text(data).toString('base64');
const text = (event: unknown): Buffer => Buffer.from(typeof event === 'string' ? event : JSON.stringify(event));

const judge = (arrived: Partial<Arrived> & { bytes: Buffer }): Accepted | Rejected =>
  accept({ mode: 'structured', headers: structured, door: onTopic('2-chat'), ...arrived }, state, NOW_MS);
const say = (event: unknown, door = onTopic('2-chat')): Accepted | Rejected => judge({ bytes: text(event), door });

type Headers = [string, Buffer | string][];
const BINARY: Headers = [
  ['ce_specversion', '1.0'],
  ['ce_type', 'dev.rescind.token.issued.v1'],
  ['ce_source', 'urn:source:2-chat'],
  ['ce_id', 'e-1'],
  ['ce_time', new Date(NOW_MS - 1000).toISOString()],
  ['content-type', 'application/json'],
];
const binary = (over: Headers, drop: string[] = [], bytes = text(token())): Accepted | Rejected =>
  judge({
    mode: 'binary',
    headers: [...BINARY.filter(([name]) => !drop.includes(name)), ...over].map(
      ([name, value]) => [name, Buffer.from(value)] as const,
    ),
    bytes,
  });

const compact = (header: string, payload: string): string =>
  `${Buffer.from(header).toString('base64url')}.${Buffer.from(payload).toString('base64url')}.c2lnbmF0dXJl`;
const JWS = compact('{"alg":"ES256","kid":"1"}', '{"sub":"alice","aud":"x"}');

const REFUSED: readonly [what: string, code: RejectCode, () => Accepted | Rejected][] = [
  // Bytes
  ['bytes that are no JSON', 'malformed-json', () => say('{"specversion":')],
  ['no bytes at all', 'malformed-json', () => say('')],
  ['two values', 'malformed-json', () => say(`${JSON.stringify(said('token.issued', '2-chat', token()))}{}`)],
  [
    'a byte order mark',
    'malformed-json',
    () => say(`\ufeff${JSON.stringify(said('token.issued', '2-chat', token()))}`),
  ],
  ['nesting beyond what is read', 'malformed-json', () => say('['.repeat(100_000) + ']'.repeat(100_000))],
  ['invalid UTF-8', 'invalid-utf8', () => judge({ bytes: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]) })],
  [
    'a member said twice',
    'duplicate-key',
    () => say(JSON.stringify(said('token.issued', '2-chat', token())).replace('"kind"', '"jti":"other","kind"')),
  ],
  [
    'an attribute said twice',
    'duplicate-key',
    () => say(JSON.stringify(said('token.issued', '2-chat', token())).replace('"id"', '"id":"e-2","id"')),
  ],
  [
    'an attribute said twice in two spellings',
    'duplicate-key',
    () =>
      say(JSON.stringify(said('token.issued', '2-chat', token())).replace('"id"', String.raw`"\u0069d":"e-2","id"`)),
  ],
  ['NUL in data', 'nul', () => say(said('token.issued', '2-chat', token({ jti: 'a\0b' })))],
  ['NUL in a header', 'nul', () => binary([['ce_subject', 'a\0b']])],
  [
    'half a surrogate pair in data',
    'lone-surrogate',
    () => say(JSON.stringify(said('token.issued', '2-chat', token({ jti: '#' }))).replace('"#"', String.raw`"\ud800"`)),
  ],
  [
    'half a surrogate pair as a member name',
    'lone-surrogate',
    () =>
      say(
        JSON.stringify(said('token.issued', '2-chat', token({ act: { '#': 1 } }))).replace('"#"', String.raw`"\udc00"`),
      ),
  ],
  [
    'half a surrogate pair in a header',
    'invalid-utf8',
    () => binary([['ce_subject', Buffer.from([0xed, 0xa0, 0x80])]]),
  ],
  ['a header that is no UTF-8', 'invalid-utf8', () => binary([['ce_subject', Buffer.from([0xc3, 0x28])]])],
  ['a header with the first byte beyond ASCII', 'invalid-utf8', () => binary([['ce_subject', Buffer.from([0x80])]])],
  [
    'an event over 256 KiB',
    'too-large',
    () => say(said('token.issued', '2-chat', token({ scope: 'x'.repeat(256 * 1024) }))),
  ],
  ['a record whose headers are over 256 KiB', 'too-large', () => binary([['ce_subject', 'x'.repeat(256 * 1024)]])],
  [
    'a record whose headers have names of over 256 KiB',
    'too-large',
    () => binary([[`ce_${'x'.repeat(256 * 1024)}`, 'x']]),
  ],
  // Envelope
  ['no object', 'invalid-envelope', () => say('[]')],
  [
    'another specversion',
    'invalid-envelope',
    () => say(said('token.issued', '2-chat', token(), { specversion: '0.3' })),
  ],
  ['no id', 'invalid-envelope', () => say(said('token.issued', '2-chat', token(), { id: '' }))],
  ['an id that is a number', 'invalid-envelope', () => say(said('token.issued', '2-chat', token(), { id: 7 }))],
  ['no source', 'invalid-envelope', () => say(said('token.issued', '2-chat', token(), { source: undefined }))],
  ['no type', 'invalid-envelope', () => say(said('token.issued', '2-chat', token(), { type: undefined }))],
  [
    'a time of another form',
    'invalid-envelope',
    () => say(said('token.issued', '2-chat', token(), { time: '24 Nov 2026' })),
  ],
  [
    'a day that does not exist',
    'invalid-envelope',
    () => say(said('token.issued', '2-chat', token(), { time: '2026-02-30T00:00:00Z' })),
  ],
  [
    'data in base64 beside data',
    'invalid-envelope',
    () => say(said('token.issued', '2-chat', token(), { data_base64: base64(token()) })),
  ],
  [
    'data in base64 that is none',
    'invalid-envelope',
    () => say(said('token.issued', '2-chat', undefined, { data_base64: `${base64(token())}*` })),
  ],
  [
    'data in base64url',
    'invalid-envelope',
    () => say(said('token.issued', '2-chat', undefined, { data_base64: '__79' })),
  ],
  [
    'data in base64 that is a number',
    'invalid-envelope',
    () => say(said('token.issued', '2-chat', undefined, { data_base64: 7 })),
  ],
  [
    'data in base64 that is no JSON',
    'malformed-json',
    () => say(said('token.issued', '2-chat', undefined, { data_base64: base64('no JSON') })),
  ],
  [
    'data in base64 that names a member twice',
    'duplicate-key',
    () =>
      say(
        said('token.issued', '2-chat', undefined, {
          data_base64: base64(JSON.stringify(token()).replace('"kind"', '"jti":"other","kind"')),
        }),
      ),
  ],
  [
    'a token in data in base64',
    'secret-in-event',
    () => say(said('token.issued', '2-chat', undefined, { data_base64: base64(token({ jti: JWS })) })),
  ],
  [
    'a required attribute that is null',
    'invalid-envelope',
    () => say(said('token.issued', '2-chat', token(), { id: null })),
  ],
  ['data that is null', 'invalid-data', () => say(said('token.issued', '2-chat', null))],
  [
    'a record with neither `ce_` headers nor a content type',
    'invalid-envelope',
    () => judge({ mode: 'binary', headers: [], bytes: text(said('token.issued', '2-chat', token())) }),
  ],
  [
    'data of another content type',
    'invalid-envelope',
    () => say(said('token.issued', '2-chat', token(), { datacontenttype: 'text/xml' })),
  ],
  [
    'an id over 512 bytes',
    'identifier-too-long',
    () => say(said('token.issued', '2-chat', token(), { id: 'x'.repeat(513) })),
  ],
  [
    'an id over 512 bytes in fewer characters',
    'identifier-too-long',
    () => say(said('token.issued', '2-chat', token(), { id: 'é'.repeat(257) })),
  ],
  [
    'an extension over 512 bytes',
    'identifier-too-long',
    () => say(said('token.issued', '2-chat', token(), { partitionkey: 'x'.repeat(513) })),
  ],
  ['a header twice', 'repeated-header', () => binary([['ce_id', 'e-2']])],
  ['the content type twice', 'repeated-header', () => binary([['content-type', 'application/json']])],
  [
    'binary data of another content type',
    'unsupported-media-type',
    () => binary([['content-type', 'application/avro']], ['content-type']),
  ],
  ['a record without a value', 'invalid-data', () => binary([], [], Buffer.alloc(0))],
  // Types
  ['a type nobody knows', 'unknown-type', () => say(said('token.minted', '2-chat', token()))],
  [
    'a type of somebody else',
    'unknown-type',
    () => say(said('token.issued', '2-chat', token(), { type: 'com.example.token.v1' })),
  ],
  [
    'another version of a known type',
    'unsupported-version',
    () => say(said('token.issued', '2-chat', token(), { type: 'dev.rescind.token.issued.v2' })),
  ],
  ["one of Rescind's own types", 'type-not-allowed', () => say(said('revocation.ordered', '2-chat', {}))],
  [
    'a type that the source may not say',
    'type-not-allowed',
    () => say(said('id-jag.issued', '2-chat', idJag({ iss: RAS }))),
  ],
  // Data
  ['no data', 'invalid-data', () => say(said('token.issued', '2-chat', undefined))],
  ['a missing claim', 'invalid-data', () => say(said('token.issued', '2-chat', token({ client_id: undefined })))],
  ['an access token without exp', 'invalid-data', () => say(said('token.issued', '2-chat', token({ exp: undefined })))],
  ['a mistyped claim', 'invalid-data', () => say(said('token.issued', '2-chat', token({ aud: API })))],
  ['a time in quotes', 'invalid-data', () => say(said('token.issued', '2-chat', token({ iat: String(NOW) })))],
  [
    'a number without end in a member that nobody reads',
    'invalid-data',
    () => say(JSON.stringify(said('token.issued', '2-chat', token({ later: [{ n: 1.5 }] }))).replace('1.5', '1e999')),
  ],
  [
    'an object of which nothing is read where something must be',
    'invalid-data',
    () => say(said('token.issued', '2-chat', token({ cnf: { jwk: {} } }))),
  ],
  [
    'a misspelt claim that is required',
    'invalid-data',
    () => say(said('token.issued', '2-chat', token({ client_id: undefined, clientId: 'wiki-at-chat' }))),
  ],
  [
    'nesting beyond what is read, in a member that nobody reads',
    'malformed-json',
    () =>
      say(
        JSON.stringify(said('token.issued', '2-chat', token({ later: '#' }))).replace(
          '"#"',
          '['.repeat(64) + ']'.repeat(64),
        ),
      ),
  ],
  ['two identities', 'invalid-data', () => say(said('token.issued', '2-chat', token({ sha256: 'A'.repeat(43) })))],
  [
    'a number without end',
    'invalid-data',
    () => say(JSON.stringify(said('token.issued', '2-chat', token({ act: { n: 1.5 } }))).replace('1.5', '1e999')),
  ],
  [
    'a hundred and one scopes',
    'invalid-scope',
    () =>
      say(
        said(
          'token.issued',
          '2-chat',
          token({ scope: Array.from({ length: 101 }, (_, n) => `file:${n}:read`).join(' ') }),
        ),
      ),
  ],
  [
    'a scope of 257 characters',
    'invalid-scope',
    () => say(said('access.allowed', '2-chat', access({ scope: 's'.repeat(257) }))),
  ],
  [
    'a subject over 512 bytes',
    'identifier-too-long',
    () => say(said('token.issued', '2-chat', token({ sub: 'é'.repeat(300) }))),
  ],
  // Times
  [
    'an event far in the future',
    'time-in-future',
    () => say(said('token.issued', '2-chat', token(), { time: new Date(NOW_MS + 301_000).toISOString() })),
  ],
  ['an iat in the future', 'time-in-future', () => say(said('token.issued', '2-chat', token({ iat: NOW + 301 })))],
  [
    'an auth_time in the future',
    'time-in-future',
    () => say(said('id-jag.issued', '1-idp', idJag({ auth_time: NOW + 301 })), onTopic('1-idp')),
  ],
  [
    'an iat in the future inside the ID-JAG that was presented',
    'time-in-future',
    () => say(said('token.issued', '2-chat', token({ id_jag: { iss: IDP, jti: 'gr-1', iat: NOW + 301 } }))),
  ],
  [
    'a summary that ends in the future',
    'time-in-future',
    () => say(said('access.summary', '2-chat', access({ outcome: 'allowed', count: 1, from: NOW, to: NOW + 301 }))),
  ],
  [
    'an event before 2000',
    'time-out-of-range',
    () => say(said('token.issued', '2-chat', token(), { time: '1999-12-31T23:59:59Z' })),
  ],
  [
    'an event after 2100',
    'time-out-of-range',
    () => say(said('token.issued', '2-chat', token(), { time: '2100-01-01T00:00:00Z' })),
  ],
  [
    'milliseconds where seconds belong',
    'time-out-of-range',
    () => say(said('token.issued', '2-chat', token({ exp: NOW_MS }))),
  ],
  ['an iat before 2000', 'time-out-of-range', () => say(said('token.issued', '2-chat', token({ iat: 1 })))],
  // Speaker
  ['a source that is not registered', 'unknown-source', () => say(said('token.issued', 'nobody', token()))],
  [
    'a source that is disabled',
    'unknown-source',
    () => say(said('token.issued', '3-closed', token()), onTopic('3-closed')),
  ],
  ["a source on another's topic", 'wrong-topic', () => say(said('id-jag.issued', '1-idp', idJag()))],
  [
    "another's issuer",
    'wrong-issuer',
    () => say(said('token.issued', '2-chat', token({ iss: 'https://login.other.example' }))),
  ],
  [
    "another's issuer of a token that was used",
    'wrong-issuer',
    () => say(said('access.allowed', '2-chat', access({ token: { iss: IDP, jti: 'x' } }))),
  ],
  [
    "another's issuer of what is stopped",
    'wrong-issuer',
    () => say(said('user.disabled', '1-idp', { iss: RAS, sub: 'alice' }), onTopic('1-idp')),
  ],
  [
    "another's audience alone",
    'wrong-resource',
    () => say(said('token.issued', '2-chat', token({ aud: ['account', 'https://api.other.example'] }))),
  ],
  [
    "another's audience beside a resource of its own",
    'wrong-resource',
    () => say(said('token.issued', '2-chat', token({ aud: ['account'], resource: [API] }))),
  ],
  ['no audience', 'wrong-resource', () => say(said('token.issued', '2-chat', token({ aud: [] })))],
  [
    'an audience that is not ignored beside one that is',
    'wrong-resource',
    () => say(said('token.issued', '7-realm', token({ aud: ['account', 'other'] })), onTopic('7-realm')),
  ],
  [
    "another's resource in a usage event",
    'wrong-resource',
    () => say(said('access.allowed', '2-chat', access({ resource: ['https://api.other.example'] }))),
  ],
  [
    "the RAS's own issuer as the audience of an access token",
    'wrong-resource',
    () => say(said('token.issued', '2-chat', token({ aud: [RAS] }))),
  ],
  [
    'a source that is not the caller’s',
    'source-not-allowed',
    () => say(said('token.issued', '2-chat', token()), byCaller('narrow')),
  ],
  [
    "another tenant's source",
    'unknown-source',
    () => say(said('token.issued', '6-other', token()), byCaller('emitter')),
  ],
  [
    "another tenant's source, also where the caller's role names it",
    'unknown-source',
    () => say(said('token.issued', '6-other', token()), byCaller('reaching')),
  ],
  ["another tenant's source on a topic", 'unknown-source', () => say(said('token.issued', '6-other', token()))],
  [
    'a token event on a shared topic',
    'unsigned-on-shared-topic',
    () => say(said('token.issued', '4-gate-a', token({ aud: ['https://a.example'] })), onTopic('gates')),
  ],
  [
    'a rule event on a shared topic',
    'unsigned-on-shared-topic',
    () => say(said('token.revoked', '5-gate-b', { iss: RAS, jti: 'at-1' }), onTopic('gates')),
  ],
  // Secrets
  ['a token in a claim', 'secret-in-event', () => say(said('token.issued', '2-chat', token({ jti: JWS })))],
  [
    'a token in a path',
    'secret-in-event',
    () => say(said('access.allowed', '2-chat', access({ path: `/messages?access_token=${JWS}` }))),
  ],
  [
    'a token without its signature',
    'secret-in-event',
    () => say(said('access.allowed', '2-chat', access({ path: `/x/${JWS.slice(0, JWS.lastIndexOf('.') + 1)}` }))),
  ],
  [
    'a token whose header and payload begin with white space',
    'secret-in-event',
    () => say(said('token.issued', '2-chat', token({ jti: compact('{ "alg":"ES256"}', '\n{"sub":"alice"}') }))),
  ],
  [
    'a token whose payload is detached',
    'secret-in-event',
    () => say(said('token.issued', '2-chat', token({ jti: compact('{"alg":"ES256"}', '') }))),
  ],
  [
    'an encrypted token',
    'secret-in-event',
    () =>
      say(
        said(
          'token.issued',
          '2-chat',
          token({ jti: `${compact('{"alg":"RSA-OAEP","enc":"A256GCM"}', 'key')}.aXY.dGFn` }),
        ),
      ),
  ],
  [
    'an opaque token in the query of a path',
    'secret-in-event',
    () => say(said('access.allowed', '2-chat', access({ path: '/files?access_token=mF_9.B5f-4.1JqM8kPz2' }))),
  ],
  [
    'a secret of a caller',
    'secret-in-event',
    () => say(said('access.denied', '2-chat', access({ error: `rsk_${'a'.repeat(43)}` }))),
  ],
  [
    'a token between other words',
    'secret-in-event',
    () => say(said('access.denied', '2-chat', access({ error: `invalid_token: ${JWS}, expired.` }))),
  ],
  [
    'a token deep in the actor chain',
    'secret-in-event',
    () => say(said('token.issued', '2-chat', token({ act: { sub: 'a', act: { sub: 'b', claim: JWS } } }))),
  ],
  [
    'a token as a member name',
    'secret-in-event',
    () => say(said('token.issued', '2-chat', token({ act: { [JWS]: 1 } }))),
  ],
  [
    'a token in a member that nobody reads',
    'secret-in-event',
    () => say(said('token.issued', '2-chat', token({ later: { deep: [JWS] } }))),
  ],
  [
    'a token as the name of a member that nobody reads',
    'secret-in-event',
    () => say(said('token.issued', '2-chat', token({ [JWS]: 1 }))),
  ],
  [
    'a token beside what is read of a member',
    'secret-in-event',
    () => say(said('token.issued', '2-chat', token({ id_jag: { iss: IDP, jti: 'gr-1', raw: JWS } }))),
  ],
  [
    'a token in an extension',
    'secret-in-event',
    () => say(said('token.issued', '2-chat', token(), { authorization: JWS })),
  ],
  ['a token in a header', 'secret-in-event', () => binary([['ce_authorization', JWS]])],
];

describe('accept refuses', () => {
  it.each(REFUSED)('%s: %s', (_what, code, refuse) => {
    const rejected = refuse() as Rejected;
    expect(rejected).toMatchObject({ accepted: false, code });
    expect(rejected.detail).not.toBe('');
    expect(rejected.detail).not.toContain(JWS);
  });

  it.each([
    [
      'neither headers nor a content type',
      [] as Headers,
      'neither `ce_` headers (binary mode) nor the content type application/cloudevents+json',
    ],
    ['the content type of JSON alone', [['content-type', 'application/json']] as Headers, 'neither `ce_` headers'],
  ])('a record with %s, and says so', (_what, headers, reason) => {
    const rejected = judge({
      mode: 'binary',
      headers: headers.map(([name, value]) => [name, Buffer.from(value)] as const),
      bytes: text(said('token.issued', '2-chat', token())),
    });
    expect(rejected).toMatchObject({ code: 'invalid-envelope', detail: expect.stringContaining(reason) });
  });

  it.each([
    ['a time in quotes', token({ exp: 'x' as never }), 'data/exp must be integer'],
    ['a claim that is missing', token({ client_id: undefined }), 'missing `client_id`'],
    [
      'a member of a wrong type inside another',
      token({ id_jag: { iss: IDP, jti: 'gr-1', iat: 'x' } }),
      'data/id_jag/iat must be integer',
    ],
  ])('%s, and names the place once', (_what, data, detail) => {
    expect(say(said('token.issued', '2-chat', data))).toMatchObject({ code: 'invalid-data', detail });
  });

  it('has a row for every code that it can give', () => {
    const byAppender: RejectCode[] = ['conflict', 'token-of-another-issuer', 'refused-by-database'];
    expect([...new Set(REFUSED.map(([, code]) => code)), ...byAppender].sort()).toEqual(
      Object.keys(REJECT_CODES).sort(),
    );
  });

  it('holds to the source whose topic it is, also what cannot be read or names another', () => {
    expect(say('{').source?.name).toBe('2-chat');
    expect(say(said('id-jag.issued', '1-idp', idJag())).source?.name).toBe('2-chat');
    expect(say(said('token.issued', 'nobody', token()), onTopic('nobody')).source).toBeUndefined();
    expect(say('{', onTopic('gates')).source).toBeUndefined();
    expect(say('{', byCaller('emitter')).source).toBeUndefined();
  });
});

const contentHash = (judged: Accepted | Rejected): string => {
  expect(judged).toMatchObject({ accepted: true });
  return createHash('sha256')
    .update((judged as Accepted).content)
    .digest('hex');
};

describe('accept takes', () => {
  it.each([
    ['a token event', () => say(said('token.issued', '2-chat', token()))],
    [
      'a refresh token for its own issuer',
      () => say(said('token.issued', '2-chat', token({ kind: 'refresh', aud: [RAS], exp: undefined }))),
    ],
    [
      'an event of a clock that is as far ahead as it may be',
      () =>
        say(
          said('token.issued', '2-chat', token({ iat: NOW + 300 }), { time: new Date(NOW_MS + 300_000).toISOString() }),
        ),
    ],
    ['an old event', () => say(said('access.allowed', '2-chat', access(), { time: '2000-01-01T00:00:00Z' }))],
    [
      'usage on a shared topic',
      () => say(said('access.allowed', '4-gate-a', access({ resource: ['https://a.example'] })), onTopic('gates')),
    ],
    [
      'a media type with parameters and capitals',
      () => binary([['content-type', 'Application/JSON; charset=UTF-8']], ['content-type']),
    ],
    ['a record without a content type', () => binary([], ['content-type'])],
    [
      'a record whose data is of a media type that ends in +json',
      () => binary([['content-type', 'application/vnd.chat+json; charset=utf-8']], ['content-type']),
    ],
    [
      'an event whose data is of a media type that ends in +json',
      () => say(said('token.issued', '2-chat', token(), { datacontenttype: 'application/vnd.chat+json' })),
    ],
    [
      'attributes that are null',
      () =>
        say(
          said('token.issued', '2-chat', token(), {
            subject: null,
            datacontenttype: null,
            data_base64: null,
            dataschema: null,
            partitionkey: null,
          }),
        ),
    ],
    [
      'a long text in a member that nobody reads',
      () => say(said('token.issued', '2-chat', token({ explanation: 'because '.repeat(1_000) }))),
    ],
    [
      'extensions, which are kept and not read',
      () => say(said('token.issued', '2-chat', token(), { partitionkey: 'at-1', traceparent: '00-1-2-01' })),
    ],
    ['an event over HTTP', () => say(said('token.issued', '2-chat', token()), byCaller('emitter'))],
    [
      'names with dots in them',
      () =>
        say(
          said(
            'token.issued',
            '2-chat',
            token({ jti: 'ewoks-friend.somedomain.example', client_id: 'monkeyBusiness-app.production.example' }),
          ),
        ),
    ],
    [
      'a path of dots and of beginnings of tokens',
      () => say(said('access.allowed', '2-chat', access({ path: `${'eyJ'.repeat(1_000)}/${'eyJ.'.repeat(1_000)}` }))),
    ],
    [
      'a path that is longer than an identifier',
      () => say(said('access.allowed', '2-chat', access({ path: '/x'.repeat(2000) }))),
    ],
  ])('%s', (_what, take) => expect(take()).toMatchObject({ accepted: true }));

  it('one content for an event in every mode', () => {
    const event = buildEvent('token.issued', {
      source: 'urn:source:2-chat',
      id: 'e-1',
      time: new Date(NOW_MS),
      subject: 'at-1',
      data: token(),
    });
    const hashes = (['binary', 'structured'] as const).map((mode) => {
      const { value, headers } = toKafkaMessage(event, { mode });
      const arrived = Object.entries(headers).map(([name, header]) => [name, Buffer.from(header)] as const);
      expect(kafkaMode(arrived)).toBe(mode);
      return contentHash(judge({ mode, headers: arrived, bytes: value }));
    });
    expect(new Set([...hashes, contentHash(say(event, byCaller('emitter')))]).size).toBe(1);
  });

  it('members that nobody reads: they belong to the content and not to what is read', () => {
    const more = {
      ...token({ agent: { id: 'a', vendor: 'x' }, id_jag: { iss: IDP, jti: 'gr-1', sub: 'alice', assurance: 2 } }),
      __proto__: null,
      later: { a: [1] },
    };
    const judged = say(said('token.issued', '2-chat', more)) as Accepted;
    expect(judged.event.data).toEqual(token({ agent: { id: 'a' } }));
    expect(JSON.parse(judged.content)).toMatchObject({
      data: { later: { a: [1] }, agent: { vendor: 'x' }, id_jag: { assurance: 2 } },
    });
    expect(judged.arrived.bytes.toString()).toContain('"assurance":2');
    expect(contentHash(judged)).not.toBe(
      contentHash(say(said('token.issued', '2-chat', token({ agent: { id: 'a' } })))),
    );
  });

  it('one content for data that is encoded and data that is not, and commits to the bytes that came', () => {
    const event = said('token.issued', '2-chat', undefined, { data_base64: base64(token()) });
    const judged = say(event) as Accepted;
    expect(contentHash(judged)).toBe(contentHash(say(said('token.issued', '2-chat', token()))));
    expect(judged.event.data).toEqual(token());
    expect(judged.arrived.bytes).toEqual(text(event));
  });

  it('one content for an event in every spelling', () => {
    const time = new Date(NOW_MS - 1000).toISOString();
    const event = said('token.issued', '2-chat', token(), { time });
    const reversed = Object.fromEntries(
      Object.entries({ ...event, data: Object.fromEntries(Object.entries(token()).toReversed()) }).toReversed(),
    );
    const spellings = [
      JSON.stringify(event),
      JSON.stringify(event, null, 2),
      JSON.stringify(reversed),
      JSON.stringify({ ...event, time: time.replace('Z', '+00:00') }),
      JSON.stringify({ ...event, time: time.replace('T', 't').replace('.000Z', 'z') }),
      JSON.stringify({ ...event, partitionkey: 'advice' }),
      JSON.stringify({ ...event, subject: null }),
      JSON.stringify(event).replace('"at-1"', String.raw`"\u0061t-1"`),
      JSON.stringify(event).replace(`"iat":${NOW - 5}`, `"iat":${NOW - 5}.0`),
    ];
    expect(new Set(spellings.map((one) => contentHash(say(one)))).size).toBe(1);
  });

  it('another content for another time, subject, id or claim', () => {
    const event = said('token.issued', '2-chat', token());
    const others = [
      {},
      { time: new Date(NOW_MS - 999).toISOString() },
      { subject: 'at-1' },
      { id: 'e-2' },
      { data: token({ scope: 'chat.write' }) },
    ];
    expect(new Set(others.map((over) => contentHash(say({ ...event, ...over })))).size).toBe(others.length);
  });

  it('into the commitment, of a binary record, the headers that are attributes and the content type alone', () => {
    const judged = binary([
      ['x-trace', '1'],
      ['ce_partitionkey', 'k'],
    ]) as Accepted;
    expect(judged.attributes.map(([name]) => name).sort()).toEqual([
      'ce_id',
      'ce_partitionkey',
      'ce_source',
      'ce_specversion',
      'ce_time',
      'ce_type',
      'content-type',
    ]);
  });
});

describe('accept never throws', () => {
  const headerName = fc.oneof(
    fc.constantFrom(
      'content-type',
      'ce_id',
      'ce_type',
      'ce_source',
      'ce_specversion',
      'ce_time',
      'ce___proto__',
      '__proto__',
    ),
    fc.string(),
  );
  const bytes = (maxLength: number): fc.Arbitrary<Buffer> =>
    fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
  const door = fc.constantFrom(onTopic('2-chat'), onTopic('gates'), byCaller('emitter'));
  const mode = fc.constantFrom<Arrived['mode']>('binary', 'structured', 'batch', 'ndjson');

  it('whatever bytes and headers come', () => {
    const headers = fc.array(fc.tuple(headerName, bytes(40)), { maxLength: 12 });
    const value = fc.oneof(
      bytes(200),
      fc.json().map((json) => Buffer.from(json)),
    );
    fc.assert(
      fc.property(mode, headers, value, door, (...[m, h, b, d]) => {
        expect(typeof accept({ mode: m, headers: h, bytes: b, door: d }, state, NOW_MS).accepted).toBe('boolean');
      }),
      { numRuns: 2_000 },
    );
  });

  it('whatever stands in place of one member of a good event', () => {
    const anything = fc.oneof(
      fc.json().map((json) => JSON.parse(json) as unknown),
      fc.string({ unit: 'binary' }),
      fc.double(),
    );
    const good = { ...token(), sub: 'a', act: { sub: 'b' }, cnf: { jkt: 'A'.repeat(43) }, agent: { id: 'a' } };
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(good)), anything, (member, value) => {
        const judged = say(said('token.issued', '2-chat', { ...good, [member]: value }));
        expect(judged.accepted || judged.code in REJECT_CODES).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('whatever stands in place of one attribute', () => {
    const anything = fc.oneof(
      fc.json().map((json) => JSON.parse(json) as unknown),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom('id', 'type', 'source', 'time', 'subject', 'data', 'specversion'), fc.string()),
        anything,
        (attribute, value) => {
          const event = JSON.stringify({ ...said('token.issued', '2-chat', token()), [attribute]: value });
          expect(typeof say(event).accepted).toBe('boolean');
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('audiences of a token', () => {
  it.each<[string, string, object, object]>([
    ['foreign ones are not read', '2-chat', { aud: ['account', API] }, { aud: [API] }],
    [
      'foreign resources are not read',
      '2-chat',
      { resource: ['https://api.other.example'] },
      { aud: [API], resource: [] },
    ],
    ['an own resource stays', '2-chat', { resource: [API, 'x'] }, { aud: [API], resource: [API] }],
    ['a refresh token is for its RAS', '2-chat', { kind: 'refresh', aud: [RAS, 'account'] }, { aud: [RAS] }],
    ['without any the default resource counts', '7-realm', { aud: [] }, { aud: [API] }],
    ['with ignored ones alone the default resource counts', '7-realm', { aud: ['broker', 'account'] }, { aud: [API] }],
    ['a stated one counts before the default resource', '7-realm', { aud: ['account', API] }, { aud: [API] }],
  ])('%s', (_, name, over, read) => {
    const event = said('token.issued', name, token(over));
    const judged = say(event, onTopic(name)) as Accepted;
    expect(judged).toMatchObject({ accepted: true, event: { data: read } });
    expect(JSON.parse(judged.content)).toMatchObject({ data: event['data'] });
  });
});

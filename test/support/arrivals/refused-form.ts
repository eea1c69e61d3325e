import {
  NOW_MS,
  NOW,
  IDP,
  RAS,
  API,
  idJag,
  token,
  access,
  said,
  onTopic,
  base64,
  text,
  judge,
  say,
  binary,
  JWS,
} from './world.js';
import type { RejectCode } from '../../../src/contracts/index.js';
import type { Accepted, Rejected } from '../../../src/ingest/accept/accept.js';

/** A record that is refused, and the code of the refusal. */
export type Refused = readonly [what: string, code: RejectCode, refuse: () => Accepted | Rejected];

/** Records refused for what they look like: bytes, envelope, type, data, times. */
export const REFUSED_FORM: readonly Refused[] = [
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
];

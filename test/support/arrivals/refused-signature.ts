import { elementAttributes } from '../../../src/contracts/index.js';
import type { Accepted, Arrived, Rejected } from '../../../src/ingest/accept/accept.js';
import type { CheckedSignature } from '../../../src/ingest/accept/check-signature.js';
import type { Refused } from './refused-form.js';
import { judge, NOW, onTopic, said, state, text, token } from './world.js';

const SIGNING = '8-signing';
const signing = state.sourceByName(SIGNING)!;
const event = said('token.issued', SIGNING, token());
export const SET_HEADERS: Arrived['headers'] = [['content-type', Buffer.from('application/secevent+jwt')]];
const ELEMENT_HEADERS: Arrived['headers'] = [
  ['content-type', Buffer.from('application/rescind-batch')],
  ...elementAttributes(Buffer.alloc(32, 1), 0, Buffer.alloc(32, 2)),
];

export const good = (over: object = {}): CheckedSignature => ({
  isGood: true,
  source: signing.id,
  aud: `urn:rescind:${signing.tenant}`,
  iat: NOW,
  manifest: undefined,
  ...over,
});

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A SET as it came; nobody looks at its signature here. */
export const setBytes = (over: object = {}): Buffer =>
  Buffer.from(
    [
      encode({ alg: 'ES256', kid: '1', typ: 'secevent+jwt' }),
      encode({
        iss: event['source'],
        jti: event['id'],
        toe: NOW - 1,
        events: { [`https://rescind.dev/schemas/${String(event['type'])}.json`]: event['data'] },
        ...over,
      }),
      'c2lnbmF0dXJl',
    ].join('.'),
  );

const arrived = (over: Partial<Arrived>): Accepted | Rejected =>
  judge({ bytes: text(event), door: onTopic(SIGNING), ...over });
const asSet = (signature?: CheckedSignature, bytes = setBytes()): Accepted | Rejected =>
  arrived({ mode: 'set', headers: SET_HEADERS, bytes, signature });
const asElement = (signature?: CheckedSignature): Accepted | Rejected =>
  arrived({ mode: 'batch', headers: ELEMENT_HEADERS, signature });
const failed = (code: 'signature-invalid' | 'unknown-key' | 'manifest-mismatch'): CheckedSignature => ({
  isGood: false,
  code,
  detail: 'why',
});

/** Records refused for what was found out about their signature, or was not. */
export const REFUSED_SIGNATURE: readonly Refused[] = [
  ['an event that is not signed, of a source that must sign', 'signature-required', () => arrived({})],
  ['a SET whose signature nobody checked', 'signature-invalid', () => asSet()],
  ['an event of a signed batch whose manifest nobody checked', 'signature-invalid', () => asElement()],
  ['a SET whose signature is bad', 'signature-invalid', () => asSet(failed('signature-invalid'))],
  ['a SET by a key that is not there', 'unknown-key', () => asSet(failed('unknown-key'))],
  ['an event that its manifest does not name', 'manifest-mismatch', () => asElement(failed('manifest-mismatch'))],
  [
    'an event that another source signed',
    'signature-invalid',
    () => asElement(good({ source: state.sourceByName('2-chat')!.id })),
  ],
  ['a SET for another tenant', 'wrong-audience', () => asSet(good({ aud: 'urn:rescind:other' }))],
  ['a SET for nobody', 'wrong-audience', () => asSet(good({ aud: undefined }))],
  ['a SET for two', 'wrong-audience', () => asSet(good({ aud: [`urn:rescind:${signing.tenant}`, 'urn:other'] }))],
  ['a SET without the time of its signature', 'signature-invalid', () => asSet(good({ iat: undefined }))],
  ['a SET signed in the future', 'time-in-future', () => asSet(good({ iat: NOW + 301 }))],
  ['a SET that expires', 'invalid-envelope', () => asSet(good(), setBytes({ exp: NOW + 60 }))],
  ['a SET with a time before which it does not count', 'invalid-envelope', () => asSet(good(), setBytes({ nbf: NOW }))],
  ['a SET without an event', 'invalid-envelope', () => asSet(good(), setBytes({ events: {} }))],
  ['a SET of another schema', 'invalid-envelope', () => asSet(good(), setBytes({ events: { 'urn:x': {} } }))],
  ['a SET whose time is text', 'invalid-envelope', () => asSet(good(), setBytes({ toe: '2026-11-24' }))],
  ['a SET whose time no date can be', 'invalid-envelope', () => asSet(good(), setBytes({ toe: 1e300 }))],
  ['a SET that is not a JWS', 'signature-invalid', () => asSet(good(), Buffer.from('a.b'))],
  [
    'a SET that names a claim twice',
    'duplicate-key',
    () => {
      const claims = Buffer.from('{"iss":"urn:source:2-chat","iss":"urn:source:8-signing"}').toString('base64url');
      return asSet(good(), Buffer.from(`e30.${claims}.AA`));
    },
  ],
];

import { describe, expect, it } from '@jest/globals';
import {
  IDP,
  idJag,
  token,
  said,
  onTopic,
  byCaller,
  text,
  judge,
  say,
  type Headers,
  JWS,
} from '../../../test/support/arrivals/world.js';
import { REJECT_CODES, type RejectCode } from '../../contracts/index.js';
import { type Rejected } from './accept.js';
import { REFUSED_FORM } from '../../../test/support/arrivals/refused-form.js';
import { REFUSED_SIGNATURE } from '../../../test/support/arrivals/refused-signature.js';
import { REFUSED_SPEECH } from '../../../test/support/arrivals/refused-speech.js';

const REFUSED = [...REFUSED_FORM, ...REFUSED_SPEECH, ...REFUSED_SIGNATURE];

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

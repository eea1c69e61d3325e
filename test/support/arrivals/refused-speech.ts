import { IDP, RAS, API, idJag, token, access, said, onTopic, byCaller, say, binary, compact, JWS } from './world.js';
import type { Refused } from './refused-form.js';

/** Records refused for who says them, and for the secrets that they hold. */
export const REFUSED_SPEECH: readonly Refused[] = [
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

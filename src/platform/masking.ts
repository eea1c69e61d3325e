/** What stands in the log where a token or secret stood. */
export const MASK = '[masked]';

const SECRET_NAMES = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'dpop',
  'token',
  'access_token',
  'refresh_token',
  'id_token',
  'subject_token',
  'actor_token',
  'assertion',
  'client_assertion',
  'client_secret',
  'secret',
  'password',
  'passwd',
  'code_verifier',
  'api_key',
  'private_key',
];
// `code` is a member of our own errors; authorization codes travel in forms.
const NAMES = SECRET_NAMES.join('|');

// Base64url of a JOSE header, which begins with a brace and then a quote or white space.
const COMPACT_JWS = /(?<![A-Za-z0-9])(?:ey[A-L]|ew[k-r0-3])[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+){0,2}/g;
const OWN_SECRET = /\brsk_[A-Za-z0-9_-]+/g;
const JSON_MEMBER = new RegExp(`"(${NAMES})":(?:"(?:[^"\\\\]|\\\\.)*"|\\[(?:"(?:[^"\\\\]|\\\\.)*",?)*\\])`, 'gi');
const NESTED_JSON_MEMBER = new RegExp(`(\\\\+")(${NAMES})\\1\\s*:\\s*\\1.*?\\1`, 'gi');
const FORM_MEMBER = new RegExp(`\\b(${NAMES}|code)=[^&\\s"'\\\\,;]+`, 'gi');
const AUTH_SCHEME = /\b(Bearer|Basic|DPoP)\s+[A-Za-z0-9._~+/=-]{8,}/gi;
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@"]*):[^\s/@"]+@/gi;

/**
 * Replaces everything token-shaped or named like a secret in a line: compact JWS and JWE (RFC 7515 section 7.1), Rescind's own
 * `rsk_…` secrets, members and form parameters with a secret's name at any depth, authentication schemes and passwords in URLs.
 * It keeps a line of JSON valid JSON.
 */
export function maskSecrets(line: string): string {
  return line
    .replace(JSON_MEMBER, `"$1":"${MASK}"`)
    .replace(NESTED_JSON_MEMBER, `$1$2$1:$1${MASK}$1`)
    .replace(COMPACT_JWS, MASK)
    .replace(OWN_SECRET, MASK)
    .replace(FORM_MEMBER, `$1=${MASK}`)
    .replace(AUTH_SCHEME, `$1 ${MASK}`)
    .replace(URL_PASSWORD, `$1:${MASK}@`);
}

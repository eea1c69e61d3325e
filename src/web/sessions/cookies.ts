/** The prefix binds a cookie to this host and to TLS; browsers take loopback for safe (RFC 6265bis, section 4.1.3.2). */
export const SESSION_COOKIE = '__Host-rescind-session';
export const SIGN_IN_COOKIE = '__Host-rescind-sign-in';

const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax';

export const setCookie = (name: string, value: string, maxAgeS: number): string =>
  `${name}=${value}; Max-Age=${maxAgeS}; ${ATTRIBUTES}`;
export const clearCookie = (name: string): string => `${name}=; Max-Age=0; ${ATTRIBUTES}`;

/** Reads a cookie; undefined if the header does not have it exactly once. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  const found = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`));
  return found.length === 1 ? found[0]!.slice(name.length + 1) : undefined;
}

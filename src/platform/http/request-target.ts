import type { IncomingMessage } from 'node:http';

const SLASH = 0x2f;
const ABSOLUTE = /^https?:\/\/[^/?]+/i;

/** Returns the target in origin form. RFC 9112, 3.2.2: a server MUST accept the absolute form, which clients send to a proxy. */
export function originForm(target: string): string {
  if (target.charCodeAt(0) === SLASH) return target;
  const rest = target.replace(ABSOLUTE, '');
  return rest === target || rest.startsWith('/') ? rest : `/${rest}`;
}

/**
 * Returns the name of a header that may occur once and occurs twice. RFC 9112, 3.2 requires 400 for a second Host. Two readers may
 * believe different ones of two Authorization headers; Node keeps the first.
 */
export function repeatedHeader({ rawHeaders }: IncomingMessage): 'Host' | 'Authorization' | undefined {
  let hosts = 0;
  let authorizations = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
    else if (name.length === 13 && name.toLowerCase() === 'authorization') authorizations += 1;
  }
  return hosts > 1 ? 'Host' : authorizations > 1 ? 'Authorization' : undefined;
}

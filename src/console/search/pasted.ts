/** The question that the console asks the service about a text that somebody typed or pasted. A token itself never leaves the page. */
export type Asked =
  | { readonly by: 'text'; readonly q: string }
  /** A JWT: the identity that it states. */
  | { readonly by: 'identity'; readonly iss: string; readonly jti: string }
  /** The digest of a token: of its text, or of the signing input of a JWT without `jti`. */
  | { readonly by: 'digest'; readonly q: string }
  /** Part of a token, which nothing can be found by. */
  | { readonly by: 'nothing'; readonly says: string };

const LEAST_TOKEN = 32;
const TOKEN_CHARACTERS = /^[A-Za-z0-9._~+/=-]+$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Names have few digits; a random text of this length has more. */
const LEAST_DIGITS = 6;

/** Decides what to ask. What may be a token is taken for one: asked by a digest, a name that looks random is not found, and that is all. */
export async function readAsked(given: string): Promise<Asked> {
  const text = given.trim().replace(/^bearer\s+/i, '');
  const [header = '', payload, signature] = text.split('.');
  if (objectOf(header) !== undefined && text.includes('.')) {
    const claims = payload === undefined || signature === undefined ? undefined : objectOf(payload);
    if (claims === undefined)
      return { by: 'nothing', says: 'This is part of a token. Paste the whole one: it stays in this page.' };
    const { iss, jti } = claims;
    if (typeof iss === 'string' && typeof jti === 'string') return { by: 'identity', iss, jti };
    return { by: 'digest', q: await digestOf(`${header}.${payload}`) };
  }
  return looksRandom(text) ? { by: 'digest', q: await digestOf(text) } : { by: 'text', q: text };
}

function looksRandom(text: string): boolean {
  if (text.length < LEAST_TOKEN || !TOKEN_CHARACTERS.test(text) || UUID.test(text)) return false;
  const digits = text.replace(/\D/g, '').length;
  return digits >= LEAST_DIGITS || (digits > 0 && /[a-z]/.test(text) && /[A-Z]/.test(text));
}

/** Reads a JSON object in base64url; undefined if it is none. */
function objectOf(segment: string): Record<string, unknown> | undefined {
  try {
    const bytes = Uint8Array.from(atob(segment.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0));
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** SHA-256 in base64url without padding, as the events name a token. */
async function digestOf(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

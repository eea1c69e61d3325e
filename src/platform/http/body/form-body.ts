import { isAscii } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { readBody } from './read-body.js';

const FORM_MEDIA_TYPE = 'application/x-www-form-urlencoded';

/** Bytes of a form. A longer form is refused. */
export const MAX_FORM_BYTES = 64 * 1024;

export type Form = ReadonlyMap<string, string>;

export type FormProblem = 'not-a-form' | 'too-large' | 'malformed';

/** Reads a whole form. Never resolves if the request breaks off, because nobody is left to answer. */
export async function readForm(req: IncomingMessage): Promise<Form | FormProblem> {
  const mediaType = (req.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (mediaType !== FORM_MEDIA_TYPE || req.headers['content-encoding'] !== undefined) return 'not-a-form';
  const body = await readBody(req, MAX_FORM_BYTES);
  return body === undefined ? 'too-large' : (parseForm(body) ?? 'malformed');
}

/**
 * Parses a form by RFC 6749, section 3.1 and appendix B: a parameter must not be repeated, and a parameter without a value counts as not
 * sent. Returns undefined if a parameter is repeated or if the body does not decode to UTF-8.
 */
export function parseForm(body: Buffer): Form | undefined {
  // Everything beyond ASCII is escaped in a form (WHATWG URL, section 5.2); raw bytes have no agreed meaning.
  if (!isAscii(body)) return undefined;
  const text = body.toString('latin1');
  const names = new Set<string>();
  const form = new Map<string, string>();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1));
    if (name === undefined || value === undefined || names.has(name)) return undefined;
    names.add(name);
    if (value !== '') form.set(name, value);
  }
  return form;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

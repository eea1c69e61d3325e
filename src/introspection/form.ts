import { isAscii } from 'node:buffer';

/** Parameters of one request; more are refused. RFC 7662 and client authentication together know six. */
const MAX_PARAMETERS = 32;

/** A parameter sent without a value counts as not sent (RFC 6749, section 3.2). */
export interface Form {
  get(name: string): string | undefined;
}

const ESCAPED = /[%+]/;

/**
 * `application/x-www-form-urlencoded`, strictly: undefined for what is not ASCII, wrongly escaped, or names a parameter
 * twice, which RFC 6749, section 3.2 forbids also for parameters that nobody reads.
 */
export function parseForm(body: Buffer): Form | undefined {
  if (!isAscii(body)) return undefined;
  const text = body.toString('latin1');
  const form = new Map<string, string | undefined>();
  for (let from = 0; from < text.length; ) {
    let to = text.indexOf('&', from);
    if (to === -1) to = text.length;
    if (to > from) {
      let equals = text.indexOf('=', from);
      if (equals === -1 || equals > to) equals = to;
      const name = unescape(text.slice(from, equals));
      const value = equals === to ? '' : unescape(text.slice(equals + 1, to));
      if (name === undefined || value === undefined || form.has(name) || form.size === MAX_PARAMETERS) return undefined;
      form.set(name, value === '' ? undefined : value);
    }
    from = to + 1;
  }
  return form;
}

function unescape(text: string): string | undefined {
  if (!ESCAPED.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

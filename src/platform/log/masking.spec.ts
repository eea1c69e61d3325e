import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { MASK, maskSecrets } from './masking.js';
import type { Text } from './masking-text.js';

const JWS =
  'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJpc3MiOiJodHRwczovL2lkcC5hY21lLmV4YW1wbGUifQ.c2lnbmF0dXJlLWJ5dGVz';
/** RFC 7516, section 7.1: header, encrypted key, initialization vector, ciphertext, authentication tag. */
const JWE = 'eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.T0tPVE5hbW5h.NDhWMV9BTGI.NWVUanhrc0E.WEZCTVlVWm9k';
const OPAQUE = 'q7Hd93kLmPz0';
const json = JSON.stringify;

describe('masking', () => {
  const rows: [string, string, string][] = [
    ['a member with white space', `{"token" : "${OPAQUE}", "a": 1}`, `{"token" : "${MASK}", "a": 1}`],
    ['an array of strings', `{"set-cookie":["${OPAQUE}", "b"],"a":1}`, `{"set-cookie":["${MASK}", "${MASK}"],"a":1}`],
    ['the strings of a mixed array', `{"cookie":["${OPAQUE}",{"a":1}]}`, `{"cookie":["${MASK}",{"a":1}]}`],
    ['a value that is cut off', `{"token":"${OPAQUE}`, `{"token":"${MASK}`],
    [
      'a value in JSON in JSON that is cut off',
      json({ msg: `{"token":"${OPAQUE}` }),
      json({ msg: `{"token":"${MASK}` }),
    ],
    [
      'the same, where a backslash is the last of it',
      json({ msg: `{"token":"${OPAQUE}\\` }),
      json({ msg: `{"token":"${MASK}\\` }),
    ],
    ['a quote in a value in JSON in JSON', json(json({ password: `a"${OPAQUE}` })), json(json({ password: MASK }))],
    [
      'a backslash at the end of it',
      json(json({ password: `${OPAQUE}\\`, a: 1 })),
      json(json({ password: MASK, a: 1 })),
    ],
    [
      'both, a level deeper',
      json(json(json({ password: `"\\${OPAQUE}\\"\\\\`, a: 1 }))),
      json(json(json({ password: MASK, a: 1 }))),
    ],
    [
      'an indented array in JSON in JSON',
      json(json({ cookie: [OPAQUE, OPAQUE] }, null, 2)),
      json(json({ cookie: [MASK, MASK] }, null, 2)),
    ],
    ['a token after an escaped line end', json(`refused\n${JWS}`), json(`refused\n${MASK}`)],
    ['all five segments of a JWE', `got ${JWE} of`, `got ${MASK} of`],
    ['a token after a letter', `got${JWS}`, `got${MASK}`],
    ['a token in a percent-encoded form', `assertion%3D${JWS}%26a`, `assertion%3D${MASK}%26a`],
    ['a secret of webhooks', `signed by whsec_${OPAQUE}+a/b==, once`, `signed by ${MASK}, once`],
    ['a key of PagerDuty', json({ routing_key: OPAQUE }), json({ routing_key: MASK })],
    ['one of our own secrets after an escaped line end', json(`made\nrsk_${OPAQUE}`), json(`made\n${MASK}`)],
    ['what JSON reads as a line end and `sk_`, and text as a secret', `"\\rsk_${OPAQUE}"`, `"\\r${MASK}"`],
    ['a parameter after an escaped line end', json(`a\ntoken=${OPAQUE}&b=1`), json(`a\ntoken=${MASK}&b=1`)],
    ['a scheme after an escaped line end', json(`a\nBearer ${OPAQUE}`), json(`a\nBearer ${MASK}`)],
    ['a password behind another scheme', `jdbc://pg://u:${OPAQUE}@h`, `jdbc://pg://u:${MASK}@h`],
    ['a member named in capitals', `{"Set-Cookie":"${OPAQUE}"}`, `{"Set-Cookie":"${MASK}"}`],
    ['a header that begins with white space', `ewogICJhbGciOiAibm9uZSJ9.e30.`, MASK],
  ];

  it.each(rows)('masks %s', (_what, text, masked) => {
    expect(maskSecrets(text)).toBe(masked);
  });

  it.each([
    ['a name with three labels', 'at keyAlias.journeyBook.acme.example and monkeyJar12.a.b'],
    ['an identity', '{"token":{"iss":"https://a.example","jti":"4f"},"code":"not-found"}'],
    ['other members', '{"tokens":"a","token_type":"b","mytoken":"c"}'],
    ['other parameters', 'mytoken=a&token_type=b&tokens=c'],
    ['a port and a mail address', 'http://127.0.0.1:8080/a mail: bob@acme.example'],
    ['a sentence', 'Basic rules of a bearer token'],
  ])('keeps %s', (_what, text) => {
    expect(maskSecrets(text)).toBe(text);
  });
});

/** Masks by regular expressions, except for a quote in a value of JSON in JSON: plain, and quadratic on hostile texts. */
function maskByExpressions(line: string): string {
  const names =
    'authorization|proxy-authorization|cookie|set-cookie|dpop|token|access_token|refresh_token|id_token|subject_token|actor_token|assertion|' +
    'client_assertion|client_secret|secret|password|passwd|code_verifier|api_key|private_key';
  return line
    .replace(new RegExp(`"(${names})":"(?:[^"\\\\]|\\\\.)*"`, 'gi'), `"$1":"${MASK}"`)
    .replace(new RegExp(`"(${names})":\\[(?:"(?:[^"\\\\]|\\\\.)*",?)+\\]`, 'gi'), `"$1":["${MASK}"]`)
    .replace(new RegExp(`(\\\\+")(${names})\\1\\s*:\\s*\\1[^"]*?\\1`, 'gi'), `$1$2$1:$1${MASK}$1`)
    .replace(
      /(?<![A-Za-z0-9])(?:ey[A-L]|ew[k-r0-3])[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+){0,2}/g,
      MASK,
    )
    .replace(/\brsk_[A-Za-z0-9_-]+/g, MASK)
    .replace(new RegExp(`\\b(${names}|code)=[^&\\s"'\\\\,;]+`, 'gi'), `$1=${MASK}`)
    .replace(/\b(Bearer|Basic|DPoP)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${MASK}`)
    .replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@"]*):[^\s/@"]+@/gi, `$1:${MASK}@`);
}

describe('masking, beside regular expressions', () => {
  const plain = [
    'a',
    'monkey',
    ' ',
    '\n',
    '.',
    '-',
    '_',
    ',',
    ';',
    '&',
    '=',
    ':',
    '/',
    '://',
    '@',
    '%3D',
    '"',
    "'",
    '\\',
    '\\"',
    '\\\\\\"',
    '\\n',
    '[',
    ']',
    '{',
    '}',
  ];
  const named = [
    'token',
    'code',
    'Set-Cookie',
    '"token":"',
    '"cookie":["',
    '\\"secret\\":\\"',
    'token=',
    'Bearer ',
    'basic  ',
    'rsk_',
    'eyJ',
    '-eyA',
    'ewog',
  ];
  const fragments = fc.array(fc.oneof(fc.constantFrom(...plain), fc.constantFrom(...named), fc.constant('SECRET')), {
    maxLength: 16,
  });
  /** Numbers the secrets, so that each can be looked for. */
  const texts = fragments.map((parts) =>
    parts.map((part, nth) => (part === 'SECRET' ? `q7Hd93kLm${nth}z` : part)).join(''),
  );
  const secretsOf = (text: string): string[] => text.match(/q7Hd93kLm\d+z/g) ?? [];

  it('nothing that they mask stays', () => {
    let masked = 0;
    fc.assert(
      fc.property(texts, (text) => {
        const expected = maskByExpressions(text);
        const actual = maskSecrets(text);
        for (const secret of secretsOf(text).filter((one) => !expected.includes(one))) {
          masked += 1;
          expect([text, actual]).not.toEqual([text, expect.stringContaining(secret)]);
        }
      }),
      { numRuns: 20_000 },
    );
    expect(masked).toBeGreaterThan(1_000);
  });

  it('what they keep of whole JSON stays', () => {
    const whole = [
      'a',
      'https://idp.acme.example/a.b.c of wiki',
      JWS,
      `a rsk_${OPAQUE}`,
      `token=${OPAQUE}&a=b`,
      `Bearer ${OPAQUE}`,
      `pg://u:${OPAQUE}@h`,
    ];
    const strings = fc.oneof(fc.constantFrom(...whole), fc.string());
    const oneForAll = (text: string): string => text.replace(/\[("\[masked\]",?)+\]/g, `["${MASK}"]`);
    const names = fc.constantFrom('a', 'token', 'password', 'code', 'tokens', 'iss');
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 3 }, strings, fc.integer(), fc.array(strings), tie('object')),
      object: fc.dictionary(names, tie('value'), { maxKeys: 4 }),
    }));
    let masked = 0;
    fc.assert(
      fc.property(value, (content) => {
        const text = json({ content });
        const expected = maskByExpressions(text);
        if (expected !== text) masked += 1;
        // The regular expressions put one mask for all elements of an array.
        expect(oneForAll(maskSecrets(text))).toBe(oneForAll(expected));
      }),
      { numRuns: 2_000 },
    );
    expect(masked).toBeGreaterThan(200);
  });
});

describe('the work of masking', () => {
  const hostile = [
    '\\',
    '\\"',
    '-eyA',
    'eyJ',
    '-eyAAAAAAA',
    'eyJhbGciOiJkaXIifQ.',
    'a.',
    'a.a://',
    'a://',
    '://a:',
    ':',
    '"token":',
    '"token":"',
    '"token":["',
    '\\"token\\":\\"',
    '\\"token\\":[',
    '"',
    'token=',
    'Bearer ',
    ' ',
    'rsk_',
    'rsk_a.',
    '\\n',
    '"token" ',
    '"token\\',
    '{"a":"b"},',
  ];

  it.each(hostile.map((part) => [part]))('grows as the text does where `%s` is repeated', (part) => {
    const stepsOf = (length: number): number => {
      const counted = new CountedText(part.repeat(length / part.length));
      maskSecrets(counted);
      return counted.steps;
    };
    const [small, large] = [stepsOf(4_096), stepsOf(65_536)];
    expect(large / small).toBeLessThan(17);
  });

  it('is bounded for whatever is put together', () => {
    const parts = fc.uniqueArray(fc.constantFrom(...hostile), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(parts, (some) => {
        const counted = new CountedText(some.join('').repeat(200));
        maskSecrets(counted);
        expect(counted.steps).toBeGreaterThanOrEqual(counted.length);
      }),
      { numRuns: 500 },
    );
  });
});

const MAX_STEPS_PER_CHARACTER = 12;

/** A text that counts the characters read of it, and throws if there are too many. */
class CountedText implements Text {
  readonly #text: string;
  steps = 0;
  constructor(text: string) {
    this.#text = text;
  }
  get length(): number {
    return this.#text.length;
  }
  charCodeAt(at: number): number {
    this.#count(1);
    return this.#text.charCodeAt(at);
  }
  slice(from: number, to: number): string {
    this.#count(to - from);
    return this.#text.slice(from, to);
  }
  #count(steps: number): void {
    this.steps += steps;
    if (this.steps > this.length * MAX_STEPS_PER_CHARACTER)
      throw new RangeError(`more than ${MAX_STEPS_PER_CHARACTER} steps a character`);
  }
}

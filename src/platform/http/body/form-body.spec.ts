import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { parseForm } from './form-body.js';

const NAMES = ['token', 'token_type_hint', '__proto__'];

/** Returns the values under the names that the cases use. */
const parse = (text: string): object | undefined => {
  const form = parseForm(Buffer.from(text));
  return (
    form && Object.fromEntries(NAMES.map((name) => [name, form.get(name)]).filter(([, value]) => value !== undefined))
  );
};

describe('parseForm', () => {
  it.each<[string, object]>([
    ['token=abc', { token: 'abc' }],
    ['token=abc&token_type_hint=access_token', { token: 'abc', token_type_hint: 'access_token' }],
    ['&token=abc&&', { token: 'abc' }],
    ['token=a%2Bb+c%3D', { token: 'a+b c=' }],
    ['to%6Ben=a', { token: 'a' }],
    ['token=a=b=', { token: 'a=b=' }],
    ['token=%C3%A9', { token: 'é' }],
    ['token', {}],
    ['token=', {}],
    ['', {}],
    ['__proto__=a', Object.fromEntries([['__proto__', 'a']])],
  ])('reads %s', (text, form) => {
    expect(parse(text)).toEqual(form);
  });

  it.each([
    'token=a&token=b',
    'token=&token=a',
    'token&token',
    'token=a&to%6Ben=b',
    'x=1&token=a&x=1',
    'token=%',
    'token=%zz',
    'token=%ff',
    '%=1',
    'token=é',
  ])('refuses %s', (text) => {
    expect(parse(text)).toBeUndefined();
  });

  it('refuses more parameters than anybody needs', () => {
    expect(parse(Array.from({ length: 33 }, (_, at) => `p${at}=1`).join('&'))).toBeUndefined();
  });

  it('reads what URLSearchParams writes', () => {
    const parameters = fc.uniqueArray(
      fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme', minLength: 1 })),
      {
        selector: ([name]) => name,
        maxLength: 32,
      },
    );
    fc.assert(
      fc.property(parameters, (pairs) => {
        const wellFormed = pairs.filter(([name, value]) => name.isWellFormed() && value.isWellFormed());
        const form = parseForm(Buffer.from(new URLSearchParams(wellFormed).toString()))!;
        expect(wellFormed.map(([name]) => [name, form.get(name)])).toEqual(wellFormed);
      }),
    );
  });
});

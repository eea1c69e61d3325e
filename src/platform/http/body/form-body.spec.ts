import { describe, expect, it } from '@jest/globals';
import { parseForm } from './form-body.js';

const parse = (text: string) => {
  const form = parseForm(Buffer.from(text, 'utf8'));
  return form && Object.fromEntries(form);
};

describe('a form', () => {
  it.each([
    ['token=abc&token_type_hint=access_token', { token: 'abc', token_type_hint: 'access_token' }],
    ['token=a+b%2Bc%C3%A9', { token: 'a b+cé' }],
    ['token=a=b==', { token: 'a=b==' }],
    ['&token=a&&', { token: 'a' }],
    ['token=&client_id', {}],
    ['', {}],
  ])('%s is read', (text, form) => {
    expect(parse(text)).toEqual(form);
  });

  it.each(['token=a&token=b', 'token=&token=b', 'x=1&x=1', 't%6Fken=a&token=b', 'token=%', 'token=%ff', 'token=é'])(
    '%s is refused',
    (text) => {
      expect(parse(text)).toBeUndefined();
    },
  );
});

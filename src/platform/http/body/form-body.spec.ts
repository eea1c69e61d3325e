import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { parseForm, readForm } from './form-body.js';

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
    ['token=a+b', { token: 'a b' }],
    ['token=a%20b', { token: 'a b' }],
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
    const parameters = (count: number): string =>
      ['token=a', ...Array.from({ length: count - 1 }, (_, at) => `p${at}=1`)].join('&');
    expect(parse(parameters(32))).toEqual({ token: 'a' });
    expect(parse(parameters(33))).toBeUndefined();
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

describe('readForm', () => {
  const TYPE = 'application/x-www-form-urlencoded';
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = createServer((req, res) => {
      void readForm(req).then((form) => res.end(typeof form === 'string' ? form : (form.get('a') ?? 'nothing')));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const send = async (body: RequestInit['body'], headers: Record<string, string> = { 'content-type': TYPE }) =>
    (await fetch(url, { method: 'POST', headers, body: body!, duplex: 'half' } as RequestInit)).text();

  it.each<[string, Record<string, string>, string]>([
    ['the media type', { 'content-type': TYPE }, '1'],
    ['its name in another case, with a parameter', { 'content-type': 'Application/X-WWW-Form-URLEncoded ; a=b' }, '1'],
    ['another media type', { 'content-type': 'text/plain' }, 'not-a-form'],
    ['no media type', {}, 'not-a-form'],
    ['an encoded body', { 'content-type': TYPE, 'content-encoding': 'gzip' }, 'not-a-form'],
  ])('with %s', async (_, headers, expected) => {
    expect(await send(Buffer.from('a=1'), headers)).toBe(expected);
  });

  it('reads a form that comes in parts, or not at all', async () => {
    const parts = new ReadableStream({
      start(controller) {
        for (const part of ['a', '=1', '2']) controller.enqueue(Buffer.from(part));
        controller.close();
      },
    });
    expect(await send(parts as never)).toBe('12');
    expect(await send('')).toBe('nothing');
    expect(await send('a=%')).toBe('malformed');
  });

  it('takes a form of the largest size, and no larger one', async () => {
    const largest = `b=1&a=${'x'.repeat(65_536 - 6)}`;
    expect(await send(largest)).toBe(largest.slice(6));
    expect(await send(`${largest}x`)).toBe('too-large');
    expect(await send('x'.repeat(5 * 1024 * 1024))).toBe('too-large');
  });
});

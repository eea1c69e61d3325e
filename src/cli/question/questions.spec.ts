import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import type { ApiDocument } from './document.js';
import { exampleOf } from './help.js';
import { nearest } from './nearest.js';
import { findQuestion, nameOf, questionsOf } from './questions.js';
import { parseQuestion, positionsOf } from './words.js';

const text = { type: 'string' } as const;
const DOCUMENT: ApiDocument = {
  paths: {
    '/v1/access': {
      get: {
        summary: 'Acc\u001besses',
        parameters: [
          { name: '$(id)', in: 'query', schema: text },
          { name: 'user_sub', in: 'query', schema: text, description: 'goes with `outcome`, not with `other`' },
          { name: 'outcome', in: 'query', schema: { type: 'string', enum: ['allowed', 'denied'] } },
          { name: 'limit', in: 'query', schema: { type: 'integer', maximum: 100 } },
        ],
        responses: {},
      },
    },
    '/v1/access/counts': { get: { responses: {} } },
    '/v1/search': { get: { parameters: [{ name: 'q', in: 'query', required: true, schema: text }], responses: {} } },
    '/v1/sources': { get: { responses: {} }, post: { responses: {} } },
    '/v1/sources/{id}': {
      get: { parameters: [{ name: 'id', in: 'path', schema: text }], responses: {} },
      put: { responses: {} },
    },
    '/v1/sources/{id}/check': {
      get: {
        responses: {
          200: {
            content: { 'application/json': { examples: { seeded: { summary: 'GET /v1/sources/a%20b/check?x_y=1' } } } },
          },
        },
      },
    },
    '/v1/explore': {
      post: {
        'x-rescind-reads': true,
        requestBody: {
          content: {
            'application/json': {
              schema: {
                required: ['measures'],
                properties: {
                  measures: { type: 'array', items: { enum: ['calls', 'bytes'] } },
                  filter: { type: 'object' },
                  top: { type: 'integer' },
                  compare: { type: 'boolean' },
                },
              },
            },
          },
        },
        responses: {},
      },
    },
    '/health/live': { get: { responses: {} } },
    '/v1/$(id)': { get: { responses: {} } },
    '/v1/{a b}': { get: { responses: {} } },
  },
};
const { questions } = questionsOf(DOCUMENT);
const find = (...typed: string[]) => findQuestion(questions, typed);

const parse = (...typed: string[]) => {
  const said = { out: '', err: '' };
  const parent = new Command('ask')
    .helpOption(false)
    .exitOverride()
    .configureOutput({
      writeOut: (line) => void (said.out += line),
      writeErr: (line) => void (said.err += line),
    });
  try {
    return parseQuestion(parent, find(...positionsOf(typed))!, typed, []) ?? said.out;
  } catch (error) {
    return said.err || String(error);
  }
};

describe('the questions of a document', () => {
  it('are its reading operations of /v1 by the words of their paths, and nothing that changes something', () => {
    expect(questions.map((question) => `${question.method} ${nameOf(question)}`)).toEqual([
      'get access',
      'get access counts',
      'post explore',
      'get search',
      'get sources',
      'get sources <id>',
      'get sources check <id>',
    ]);
  });

  it.each([
    [['access'], '/v1/access'],
    [['access', 'counts'], '/v1/access/counts'],
    [['sources'], '/v1/sources'],
    [['sources', 'idp'], '/v1/sources/{id}'],
    [['sources', 'check', 'idp'], '/v1/sources/{id}/check'],
    [['sources', 'check'], '/v1/sources/{id}/check'],
    [['sources', 'idp', 'more'], '/v1/sources/{id}'],
    [['acces'], undefined],
    [[], undefined],
  ])('%j is %s', (typed, path) => {
    expect(find(...typed)?.path).toBe(path);
  });

  it('are found wherever the options stand', () => {
    expect(positionsOf(['--outcome', 'denied', 'access', '--limit=5', 'counts', '-h', '--', '-x'])).toEqual([
      'access',
      'counts',
      '-x',
    ]);
  });

  it('take their values from options and words', () => {
    expect(parse('access', '--user-sub', 'counts', '--outcome', 'denied')).toEqual({
      path: '/v1/access',
      query: { user_sub: 'counts', outcome: 'denied' },
      body: undefined,
    });
    expect(parse('sources', 'check', '../a b')).toMatchObject({ path: '/v1/sources/..%2Fa%20b/check' });
    // An id is base64url, which may begin with a hyphen.
    expect(parse('sources', 'check', '-oX_')).toMatchObject({ path: '/v1/sources/-oX_/check' });
    // A word of the question may also be the name that is asked for.
    expect(parse('sources', 'check', 'check')).toMatchObject({ path: '/v1/sources/check/check' });
    expect(
      parse('explore', '--measures', 'calls, bytes', '--filter', '{"a":1}', '--top', '3', '--compare', 'true'),
    ).toMatchObject({ body: { measures: ['calls', 'bytes'], filter: { a: 1 }, top: 3, compare: true } });
  });

  it.each<[string[], RegExp]>([
    [['access', '--usr-sub', 'a'], /unknown option '--usr-sub'\n\(Did you mean --user-sub\?\)/],
    [['access', '--outcome', 'maybe'], /Allowed choices are allowed, denied/],
    [['search'], /required option '--q <value>' not specified/],
    [['sources', 'check'], /missing required argument 'id'/],
    [['access', 'more'], /too many arguments/],
    [['explore', '--measures', 'calls', '--filter', '{'], /--filter is not JSON/],
    [['explore', '--measures', 'calls', '--top', 'ten'], /--top is a number/],
  ])('%j is refused', (typed, message) => {
    expect(parse(...typed)).toMatch(message);
  });

  it('show their options and an example', () => {
    expect(parse('access', '--help')).toMatch(
      /Usage: rescind ask access \[options\]\n\nAcc\\u\{1b\}esses[^]*--outcome <choice>/,
    );
    expect(parse('access', '--help')).toContain('goes with --outcome, not with `other`');
    expect(exampleOf(find('sources', 'check')!)).toBe("\nExample:\n  rescind ask sources check 'a b' --x-y 1\n");
  });
});

it.each([
  ['acess', 'access'],
  ['blast', 'blast-radius'],
  ['grpah', 'graph'],
  ['xyzzy', undefined],
  ['a', undefined],
])('the nearest to %s is %s', (typed, word) => {
  expect(nearest(typed, ['access', 'blast-radius', 'graph', 'sources'])).toBe(word);
});

import { describe, expect, it } from '@jest/globals';
import type { ApiDocument } from '../question/document.js';
import { askedOf, toolsOf, type Arguments } from './tools.js';

const ok = { 200: {} };
const PREVIEW = {
  type: 'object',
  required: ['selector'],
  properties: { selector: { $ref: '#/components/schemas/Selector' }, reason: { type: 'string' }, on_behalf_of: {} },
  allOf: [{ required: ['selector'] }],
};
const body = { requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Order' } } } } };
const document: ApiDocument = {
  components: {
    schemas: {
      Order: PREVIEW,
      Selector: {
        type: 'object',
        properties: { user: { type: 'object' }, inner: { $ref: '#/components/schemas/Selector' } },
      },
    },
  },
  paths: {
    '/v1/things': {
      get: {
        summary: 'Things',
        parameters: [
          { name: 'limit', in: 'query', schema: { type: 'integer', maximum: 50 } },
          { name: 'kinds', in: 'query', schema: { type: 'array', items: { type: 'string' } } },
          { name: 'is_live', in: 'query', schema: { type: 'boolean' }, description: 'live ones' },
        ],
        responses: ok,
      },
    },
    '/v1/things/{id}': {
      get: { parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }], responses: ok },
    },
    '/v1/reports/all-things': {
      get: {
        parameters: [{ name: 'format', in: 'query', schema: { type: 'string' } }],
        responses: { 200: { content: { 'text/csv': {}, 'application/json': {} } } },
      },
    },
    '/v1/explore': { post: { 'x-rescind-reads': true, ...body, responses: ok } },
    '/v1/revocations': { post: { ...body, responses: ok } },
    '/v1/revocations/preview': { post: { 'x-rescind-reads': true, ...body, responses: ok } },
    '/v1/revocations/{id}/lift': { post: { ...body, responses: ok } },
    '/v1/sources': { post: { ...body, responses: ok } },
  },
};
const tool = (name: string, canRevoke = false) => toolsOf(document, canRevoke).tools.get(name)!;
const asked = (name: string, given: Arguments) => askedOf(tool(name), given);

describe('the tools of a document', () => {
  it('are its questions, and the two orders only if they are allowed', () => {
    const names = ['explore', 'reports_all_things', 'revocations_preview', 'things', 'things_by_id'];
    expect([...toolsOf(document, false).tools.keys()]).toEqual(names);
    expect([...toolsOf(document, true).tools.keys()]).toEqual([...names, 'order_revocation', 'lift_revocation']);
    expect([...toolsOf({ paths: {} }, true).tools.keys()]).toEqual([]);
  });

  it('take what the operation takes, without references and without alternatives at the top', () => {
    expect(tool('things').inputSchema).toEqual({
      type: 'object',
      properties: {
        limit: { type: 'integer', maximum: 50 },
        kinds: { type: 'array', items: { type: 'string' } },
        is_live: { type: 'boolean', description: 'live ones' },
      },
      required: [],
      additionalProperties: false,
    });
    const { required, properties, ...rest } = tool('explore').inputSchema;
    expect(rest).toEqual({ type: 'object', additionalProperties: false });
    expect(required).toEqual(['selector']);
    expect(properties['selector']).toMatchObject({ properties: { user: { type: 'object' } } });
    expect(JSON.stringify(properties)).not.toContain('$ref');
  });

  it('never let a model name the person or a format for files', () => {
    expect(Object.keys(tool('order_revocation', true).inputSchema.properties)).toEqual(['selector', 'reason']);
    expect(tool('reports_all_things').inputSchema.properties).toEqual({});
  });

  it('put each value where the operation has it', () => {
    expect(asked('things', { limit: 5, kinds: ['a', 'b'], is_live: false })).toEqual({
      path: '/v1/things',
      query: { limit: '5', kinds: 'a,b', is_live: 'false' },
      body: undefined,
    });
    expect(asked('things_by_id', { id: '../a/$&?b' })).toMatchObject({ path: '/v1/things/..%2Fa%2F%24%26%3Fb' });
    expect(asked('explore', { selector: { user: { sub: 'a' } } })).toMatchObject({
      path: '/v1/explore',
      body: { selector: { user: { sub: 'a' } } },
    });
  });

  it.each<[string, Arguments, string]>([
    ['things', { secret: 1 }, 'things has no such argument (1 unknown); it takes limit, kinds, is_live'],
    ['things', { limit: {} }, 'limit is a single value'],
    ['things', { kinds: [1] }, 'kinds is a single value'],
    ['things_by_id', {}, 'things_by_id needs id'],
    ['things_by_id', { id: '..' }, 'id is no name'],
    ['explore', {}, 'explore needs selector'],
  ])('%s refuses %j', (name, given, message) => {
    expect(() => asked(name, given)).toThrow(message);
  });
});

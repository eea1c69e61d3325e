import { describe, expect, it } from '@jest/globals';
import { dereference } from '../../test/support/dereference.js';
import { moveNamedSchemas } from './named-schemas.js';
import { PROTOCOL_PATHS } from './documents/protocol-paths.js';

const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe('named schemas', () => {
  it('leave a document as it was, but for its references', () => {
    const { paths, schemas } = moveNamedSchemas(PROTOCOL_PATHS);
    expect(Object.keys(schemas)).toEqual(
      expect.arrayContaining(['Event', 'EventBatch', 'Introspection', 'OAuthError', 'IntrospectionForm']),
    );
    expect(JSON.stringify(paths)).toContain('"$ref":"#/components/schemas/Introspection"');
    expect(dereference(paths, schemas)).toEqual(plain(PROTOCOL_PATHS));
  });

  it('are one where the same schema stands twice, also within another', () => {
    const user = { title: 'User', type: 'object' };
    const { paths, schemas } = moveNamedSchemas({ a: user, b: { title: 'Users', type: 'array', items: { ...user } } });
    expect(paths).toEqual({ a: { $ref: '#/components/schemas/User' }, b: { $ref: '#/components/schemas/Users' } });
    expect(schemas).toEqual({
      User: user,
      Users: { title: 'Users', type: 'array', items: { $ref: '#/components/schemas/User' } },
    });
  });

  it('are refused when two of one name differ', () => {
    expect(() =>
      moveNamedSchemas([
        { title: 'User', type: 'object' },
        { title: 'User', type: 'string' },
      ]),
    ).toThrow('named User');
  });

  it('are not taken from data, nor from a member that is called like a keyword', () => {
    const document = {
      example: { title: 'Left' },
      schema: {
        enum: [{ title: 'Left' }],
        properties: { title: { type: 'string' }, example: { title: 'Taken', type: 'string' } },
      },
    };
    const { paths, schemas } = moveNamedSchemas(document);
    expect(Object.keys(schemas)).toEqual(['Taken']);
    expect(dereference(paths, schemas)).toEqual(document);
  });
});

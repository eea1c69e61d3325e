import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { MOMENT_INPUT, RescindError } from '../../contracts/index.js';
import { readAsOf } from './as-of.js';
import { readSince } from '../changes/since.js';
import { readWindow } from './window.js';
import { readKinds, TIMELINE_KIND } from '../timeline/timeline.pg.js';
import { parameterDocs, PATH_DOCS } from './parameter-docs.js';
import * as parameters from './parameters.js';

/** Well formed, and yet refused for what no schema can say. */
const UNSAYABLE = ['as-of-out-of-range', 'time-out-of-range', 'inconsistent-request', 'not-found'];

const TEXTS = [
  '',
  ' ',
  '\ufeff',
  'a',
  'a b',
  'ü',
  'a\u0000',
  'a\n',
  'x'.repeat(512),
  'x'.repeat(513),
  '0',
  '1',
  '01',
  '-1',
  '1.5',
  '1e3',
  '+1',
  '2147483647',
  '2147483648',
  '9223372036854775807',
  '9999999999999999999',
  '10000000000000000000',
  '946684799',
  '946684800',
  '1795600000',
  '1795600800',
  '4102444800',
  '4102444801',
  '100',
  '101',
  'true',
  'false',
  'TRUE',
  'hour',
  'day',
  'user',
  'use',
  'use,rule',
  'use,',
  'agent',
  'json',
  'read',
  'none',
  '30m',
  '0h',
  '24h',
  '90s',
  '2w',
  '99999d',
  '100000d',
  '7y',
  'A'.repeat(43),
  `${'A'.repeat(42)}B`,
  `${'A'.repeat(43)}=`,
  'A'.repeat(22),
  `${'A'.repeat(21)}B`,
  '00000000-0000-4000-8000-000000000000',
  '00000000-0000-4000-8000-00000000000A',
  'issuer:',
  'issuer:a',
  '2026-11-20T09:00:00Z',
  '2026-11-20T09:00:00.123+02:00',
  '2026-11-20T09:00:00.1234Z',
  '2026-02-30T09:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-11-32T00:00:00Z',
  '2026-11-20T24:00:00Z',
  '2026-11-20T09:60:00Z',
  '2026-11-20T09:00:60Z',
  '2026-11-20T09:00:00+24:00',
  '2026-11-20 09:00:00Z',
  '2026-11-20',
  '2026-02-29',
  '@1795600000',
  '@',
  '1899-01-01T00:00:00Z',
  '9999-01-01T00:00:00Z',
  'yesterday',
];

const ajv = new Ajv2020({ strict: false });

/** A parameter of a URL is text; a schema of another type is about what the text says as JSON does. */
function allows(schema: object, text: string): boolean {
  const validate = ajv.compile(schema);
  if (validate(text)) return true;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value !== 'string' && String(value) === text && validate(value);
  } catch {
    return false;
  }
}

function isTaken(read: (given: parameters.Parameters) => unknown, name: string, text: string): boolean {
  try {
    read(parameters.readParameters({ [name]: text }, [name]));
    return true;
  } catch (error) {
    if (error instanceof RescindError) return UNSAYABLE.includes(error.code);
    throw error;
  }
}

const shown = (name: Parameters<typeof parameterDocs>[0][number]) => parameterDocs([name])[0]!.schema;
const READERS: readonly (readonly [string, object, (given: parameters.Parameters, name: string) => unknown])[] = [
  ['user', shown('user'), (given) => parameters.readEntity(given, 'user')],
  ['client', shown('client'), (given) => parameters.readEntity(given, 'client')],
  ['agent', shown('agent'), (given) => parameters.readEntity(given, 'agent')],
  ['resource', shown('resource'), (given) => parameters.readEntity(given, 'resource')],
  ['route', shown('route'), () => undefined],
  ['from', shown('from'), (given) => readWindow(given)],
  ['limit', shown('limit'), (given) => parameters.readLimit(given)],
  ['sha256', shown('sha256'), (given, name) => parameters.readDigest(given, name)],
  ['token', shown('token'), (given) => parameters.readTokenId(given.get('token')!)],
  ['source', shown('source'), (given, name) => parameters.readUuid(given, name)],
  ['operator', shown('operator'), (given, name) => parameters.readFlag(given, name, false)],
  ['as_of', shown('as_of'), (given) => readAsOf(given)],
  ['since', MOMENT_INPUT, (given) => readSince(given)],
  ['kind', TIMELINE_KIND, (given) => readKinds(given)],
  ['index', parameters.INDEX, (given) => parameters.readIndex(given.get('index')!)],
  ['after_index', shown('after_index'), (given, name) => parameters.readIndexBehind(given.get(name)!)],
  ['id', PATH_DOCS.token, (given) => parameters.readTokenId(given.get('id')!)],
];

describe('the schema of a parameter in OpenAPI', () => {
  it.each(READERS)('of `%s` allows what is read, and nothing else', (name, schema, read) => {
    const seen = new Set<boolean>();
    for (const text of TEXTS) {
      const taken = isTaken((given) => read(given, name), name, text);
      seen.add(taken);
      expect([text, allows(schema, text)]).toEqual([text, taken]);
    }
    expect([...seen].sort()).toEqual([false, true]);
  });
});

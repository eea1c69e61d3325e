import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startConformanceService, type ConformanceService } from './service.js';

/** Every time of `/v1` is read and written in one way (`src/contracts/times.ts`): no member of the served document may be a number that is a time. */
const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
const INPUTS = ['#/components/schemas/TimeInput', '#/components/schemas/MomentInput'];
/** Names of members that are times. */
const TIME_NAME =
  /^(?:at|as_of|arrival|since|until|before|from|to|now|moment|time|first|last|(?:first|last)_(?:used|access)|counted_from|counts_from|regrant_after)$|_(?:at|time|since|until|before)$/;
/** Words by which a description tells of a time. A description of a duration or a count has none of them. */
const TIME_WORDS =
  /\bepoch\b|\b1970\b|\btimestamp\b|(?:milli)?seconds since|^(?:the )?(?:time|moment|end|beginning) of\b/i;

/** Members with the name of a time that are something else, or follow a standard of others. */
const NO_TIMES: Readonly<Record<string, string>> = {
  'get /v1/sequences 200 items.gaps.from': 'a sequence number',
  'get /v1/sequences 200 items.gaps.to': 'a sequence number',
  'get /v1/sequences 200 items.first': 'a sequence number',
  'get /v1/sequences 200 items.last': 'a sequence number',
  'get /v1/coverage 200 items.sequence.first': 'a sequence number',
  'get /v1/coverage 200 items.sequence.last': 'a sequence number',
  'get /v1/coverage 200 items.types.last': 'an index',
  'get /v1/sources/{id}/check 200 types.last': 'an index',
  'get /v1/sources/{id}/check 200 keys.from': 'where keys come from',
  'get /v1/export/ocsf 200 time': 'epoch milliseconds, as OCSF demands',
  'get /v1/export/ocsf 200 metadata.logged_time': 'epoch milliseconds, as OCSF demands',
  'get /v1/changes 200 items.before': 'the state of a connection',
  'get /v1/graph 200 edges.from': 'a node',
  'get /v1/graph 200 edges.to': 'a node',
};

type Schema = Readonly<Record<string, any>>;

interface Member {
  /** Operation, direction and path. */
  readonly at: string;
  readonly name: string;
  readonly schema: Schema;
}

let service: ConformanceService;
let document: { readonly paths: Readonly<Record<string, any>>; readonly components: { readonly schemas: Schema } };
beforeAll(async () => {
  service = await startConformanceService();
  document = (await (await fetch(`${service.url}/openapi.json`)).json()) as typeof document;
});
afterAll(() => service.stop());

const resolve = (schema: Schema): Schema =>
  typeof schema['$ref'] === 'string'
    ? document.components.schemas[schema['$ref'].slice('#/components/schemas/'.length)]
    : schema;

/** Alternatives that a schema is made of, named ones included. */
function partsOf(schema: Schema): readonly Schema[] {
  const whole = resolve(schema);
  const parts = ['anyOf', 'oneOf', 'allOf'].flatMap((word) => (whole[word] ?? []) as Schema[]);
  return [whole, ...parts.flatMap(partsOf)];
}

function* membersOf(schema: Schema, at: string, prefix = ''): Generator<Member> {
  for (const part of partsOf(schema)) {
    for (const [name, member] of Object.entries<Schema>(part['properties'] ?? {})) {
      yield { at: `${at} ${prefix}${name}`, name, schema: member };
      yield* membersOf(member, at, `${prefix}${name}.`);
    }
    if (part['items']) yield* membersOf(part['items'], at, prefix);
  }
}

function* operations(): Generator<readonly [name: string, operation: any]> {
  for (const [path, item] of Object.entries(document.paths))
    if (path.startsWith('/v1/'))
      for (const method of METHODS) if (item[method]) yield [`${method} ${path}`, item[method]];
}

const contentsOf = (holder: any): Schema[] =>
  Object.values<any>(holder?.content ?? {}).flatMap(({ schema }) => (schema ? [schema] : []));

function answered(): Member[] {
  return [...operations()].flatMap(([name, { responses }]) =>
    Object.entries<any>(responses).flatMap(([status, response]) => [
      ...contentsOf(response).flatMap((schema) => [...membersOf(schema, `${name} ${status}`)]),
      ...Object.entries<any>(response.headers ?? {}).map(([header, { schema }]) => ({
        at: `${name} ${status} ${header}`,
        name: header,
        schema: schema ?? {},
      })),
    ]),
  );
}

function asked(): Member[] {
  return [...operations()].flatMap(([name, { parameters = [], requestBody }]) => [
    ...parameters.map((parameter: any) => ({
      at: `${name} ${parameter.in} ${parameter.name}`,
      name: parameter.name,
      schema: { description: parameter.description, allOf: [parameter.schema] },
    })),
    // Conditions between members only forbid and demand; they describe none.
    ...contentsOf(requestBody).flatMap((schema) => [...membersOf({ ...resolve(schema), allOf: [] }, `${name} body`)]),
  ]);
}

const descriptionOf = (schema: Schema): string =>
  partsOf(schema)
    .map(({ description }) => description ?? '')
    .join(' ');
const isNumber = (schema: Schema): boolean =>
  partsOf(schema).some(({ type }) => [type].flat().some((one) => one === 'integer' || one === 'number'));
const isTime = ({ at, name, schema }: Member): boolean =>
  NO_TIMES[at] === undefined && (TIME_NAME.test(name) || TIME_WORDS.test(schema['description'] ?? ''));

describe('the times of /v1', () => {
  it('are RFC 3339 in every answer', () => {
    const times = answered().filter(isTime);
    const isWritten = ({ schema }: Member) => partsOf(schema).some(({ format }) => format === 'date-time');
    const isGroup = ({ schema }: Member) => partsOf(schema).some(({ type }) => type === 'object');
    expect(times.filter(({ schema }) => isNumber(schema)).map(({ at }) => at)).toEqual([]);
    expect(times.filter((member) => !isWritten(member) && !isGroup(member)).map(({ at }) => at)).toEqual([]);
    expect(times.length).toBeGreaterThan(60);
    expect(
      answered().filter(
        ({ at, schema }) =>
          NO_TIMES[at] === undefined && /\bepoch (?:milli)?seconds\b/.test(descriptionOf(schema)) && isNumber(schema),
      ),
    ).toEqual([]);
  });

  it('have the common schema in every parameter and body', () => {
    const times = asked().filter(isTime);
    const isCommon = ({ schema }: Member): boolean =>
      [schema, ...(schema['allOf'] ?? [])].some(({ $ref }: Schema) => INPUTS.includes($ref));
    expect(times.filter((member) => !isCommon(member)).map(({ at }) => at)).toEqual([]);
    expect(new Set(times.map(({ name }) => name))).toEqual(
      new Set(['as_of', 'new_since', 'since', 'until', 'from', 'to', 'used_since', 'before', 'expires_at']),
    );
  });

  it('have no exception that nothing needs', () => {
    const known = new Set([...answered(), ...asked()].map(({ at }) => at));
    expect(Object.keys(NO_TIMES).filter((at) => !known.has(at))).toEqual([]);
  });
});

import { describe, expect, it } from '@jest/globals';
import Ajv2020Module from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import {
  eventSchema,
  eventType,
  SOURCE_EVENT_NAMES,
  type RejectCode,
  type SourceEventName,
} from '../../contracts/index.js';
import {
  CONTROL_RECORD_VERSION,
  createControlState,
  DEFAULT_TOKEN_PROFILE,
  type ControlRecord,
  type NewControlRecord,
  type Seq,
} from '../../control/index.js';
import { accept, type Accepted } from './accept.js';

const NOW_MS = Date.UTC(2026, 10, 24, 12);
const NOW = NOW_MS / 1000;
const ISSUER = 'https://login.chat.example';
const API = 'https://api.chat.example';
const TOPIC = 'rescind.events.chat';
const TENANT = '0b7f8e4e-6c1c-4b7e-9b1e-000000000001';

/** Folds a state with one source that may say everything, for one issuer and one resource. */
function foldState() {
  const state = createControlState();
  const source = {
    id: '5e0f0a4e-0000-4000-8000-000000000001',
    name: 'chat',
    uri: 'urn:source:chat',
    topic: TOPIC,
    types: SOURCE_EVENT_NAMES,
    issuers: [ISSUER],
    resources: [API],
    profile: DEFAULT_TOKEN_PROFILE,
    disabled: false,
  };
  const records: NewControlRecord[] = [
    {
      kind: 'tenant.changed',
      tenant: TENANT,
      subject: TENANT,
      body: { id: TENANT, name: 'acme', key: Buffer.alloc(32, 1).toString('base64url') },
    },
    { kind: 'source.changed', tenant: TENANT, subject: source.id, body: source },
  ];
  records.forEach((record, nth) =>
    state.apply({
      ...record,
      seq: BigInt(nth + 1) as Seq,
      version: CONTROL_RECORD_VERSION,
      at: NOW_MS,
    } as ControlRecord),
  );
  return state;
}
const state = foldState();

const ajv = new Ajv2020Module.default({ allErrors: false, strict: false, allowUnionTypes: true });
const shapeOf = new Map(SOURCE_EVENT_NAMES.map((name) => [name, ajv.compile(dataSchema(name))]));

/** Removes members that no schema names, as that validator understands them. Processes the whole value, whatever is wrong with it. */
const remover = new Ajv2020Module.default({
  allErrors: true,
  removeAdditional: true,
  strict: false,
  allowUnionTypes: true,
});
const removeUnknown = new Map(SOURCE_EVENT_NAMES.map((name) => [name, remover.compile(dataSchema(name))]));

function readPart(name: SourceEventName, data: unknown): unknown {
  const copy = JSON.parse(JSON.stringify(data ?? null)) as unknown;
  removeUnknown.get(name)!(copy);
  return copy;
}

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema | false>>;
  readonly required?: readonly string[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

function dataSchema(name: SourceEventName): Schema {
  return (eventSchema(name) as { properties: { data: Schema } }).properties.data;
}

const met = new Set<RejectCode>();
/** Number of accepted events with a member that nobody reads. They are few per type, so they are counted over all types. */
let unread = 0;

describe('accept() and the schemas that are served', () => {
  it.each(SOURCE_EVENT_NAMES)(
    '%s: the same shapes of what is read, and beyond them only what has a rule here',
    (name) => {
      const seen = { accepted: 0, misshapen: 0 };
      const data = fc
        .tuple(fromSchema(dataSchema(name)), fc.array(mutation, { maxLength: 2 }))
        .map(([value, mutations]) => mutations.reduce(mutate, value));
      fc.assert(
        fc.property(data, (value) => {
          const text = JSON.stringify({
            specversion: '1.0',
            type: eventType(name),
            source: 'urn:source:chat',
            id: 'e-1',
            time: '2026-11-24T11:59:00Z',
            data: value,
          });
          const event = JSON.parse(text) as { data: unknown };
          const judged = accept(
            { mode: 'structured', headers: [], bytes: Buffer.from(text), door: { kind: 'kafka', topic: TOPIC } },
            state,
            NOW_MS,
          );
          const code = judged.accepted ? undefined : judged.code;
          const read = readPart(name, event.data);
          if (!shapeOf.get(name)!(read)) {
            seen.misshapen += 1;
            // NUL and unpaired surrogates are found when the JSON is read, before its shape is checked.
            const codes = [...SHAPE, ...textRules(event.data)];
            expect({ data: event.data, codes, code }).toEqual({ data: event.data, codes, code: oneOf(codes) });
            return;
          }
          const rules = [...new Set([...stricterRules(name, read as Data), ...textRules(event.data)])].toSorted();
          if (rules.length === 0) {
            seen.accepted += 1;
            if (!shapeOf.get(name)!(event.data)) unread += 1;
            expect((judged as Accepted).event.data).toEqual(name === 'token.issued' ? ownOf(read as Data) : read);
            expect({ data: event.data, code }).toEqual({ data: event.data, code: undefined });
          } else {
            met.add(code!);
            expect({ data: event.data, rules, code }).toEqual({ data: event.data, rules, code: oneOf(rules) });
          }
        }),
        { numRuns: RUNS },
      );
      expect(seen.accepted).toBeGreaterThan(RUNS / 20);
      expect(seen.misshapen).toBeGreaterThan(RUNS / 20);
    },
  );

  it('each rule was met', () => {
    expect(unread).toBeGreaterThan(0);
    expect([...met].sort()).toEqual([
      'identifier-too-long',
      'lone-surrogate',
      'nul',
      'time-in-future',
      'wrong-issuer',
      'wrong-resource',
    ]);
  });
});

const RUNS = 250;
const SHAPE: readonly RejectCode[] = ['invalid-data', 'invalid-scope', 'identifier-too-long', 'time-out-of-range'];
const oneOf = (codes: readonly RejectCode[]): unknown => expect.stringMatching(new RegExp(`^(?:${codes.join('|')})$`));

type Data = Readonly<Record<string, unknown>>;

/** Returns each reason, apart from its shape, for which an event may be refused. Written independently of `accept`. */
function stricterRules(name: SourceEventName, data: Data): RejectCode[] {
  const rules: [RejectCode, boolean][] = [
    // A text that is not an identifier may be long; the schema bounds it.
    [
      'identifier-too-long',
      stringsOf(data).some(
        ([text, member]) =>
          new TextEncoder().encode(text).length > 512 && !/^(?:path|reason|scope|error|route)$/.test(member),
      ),
    ],
    // Only `exp` may lie ahead, here and in the presented ID-JAG.
    [
      'time-in-future',
      [data, data['id_jag'] as Data | undefined].some((one) =>
        ['iat', 'auth_time', 'from', 'to'].some((member) => Number(one?.[member]) > NOW + 300),
      ),
    ],
    [
      'wrong-issuer',
      !['undefined', ISSUER].includes(
        String(name.startsWith('access.') ? (data['token'] as Data)['iss'] : data['iss']),
      ),
    ],
    ['wrong-resource', isForOthers(name, data)],
  ];
  return [...textRules(data), ...rules.filter(([, broken]) => broken).map(([code]) => code)];
}

/** Returns the rules for text that PostgreSQL cannot hold: NUL and unpaired surrogates. */
function textRules(data: unknown): RejectCode[] {
  const texts = stringsOf(data).map(([text]) => text);
  return [
    ...(texts.some((text) => text.includes('\u0000')) ? ['nul' as const] : []),
    ...(texts.some((text) => /\p{Cs}/u.test(text)) ? ['lone-surrogate' as const] : []),
  ];
}

/**
 * Whether an event is about others: a use names only its source's resources; a token names one of them, or a refresh token its own
 * issuer.
 */
function isForOthers(name: SourceEventName, data: Data): boolean {
  if (name.startsWith('access.'))
    return ((data['resource'] as unknown[] | undefined) ?? []).some((resource) => resource !== API);
  return name === 'token.issued' && (ownOf(data)['aud'] as unknown[]).length === 0;
}

/** Removes foreign audiences and resources, which are not read. */
function ownOf(data: Data): Data {
  const own = (list: unknown): unknown[] =>
    (list as unknown[]).filter((value) => value === API || (data['kind'] === 'refresh' && value === data['iss']));
  return {
    ...data,
    aud: own(data['aud']),
    ...(data['resource'] === undefined ? {} : { resource: own(data['resource']) }),
  };
}

/** Returns every string with the member that it stands in, including names of members. */
function stringsOf(value: unknown, member = ''): [text: string, member: string][] {
  if (typeof value === 'string') return [[value, member]];
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((one) => stringsOf(one, member));
  return Object.entries(value).flatMap(([name, inner]) => [
    [name, member] as [string, string],
    ...stringsOf(inner, name),
  ]);
}

const names = fc.oneof(
  { weight: 40, arbitrary: fc.constantFrom(ISSUER, API, 'alice', 'at-1') },
  { weight: 2, arbitrary: fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'a\u0000b',
      '\ud800',
      'x\udc00y',
      'x'.repeat(512),
      'x'.repeat(513),
      'é'.repeat(257),
      '😀'.repeat(400),
      'e\u0301'.repeat(400),
    ),
  },
);
const times = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: NOW - 1_000, max: NOW }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(NOW + 300, NOW + 301, 946_684_799, 946_684_800, 4_102_444_800, 4_102_444_801, NOW_MS),
  },
);

/** Generates mostly valid values for a schema of `contracts/`. If alternatives exclude each other, some values are invalid. */
function fromSchema(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.minimum === 946_684_800) return times;
  if (schema.type === 'integer')
    return fc.oneof(
      fc.constantFrom(schema.minimum, schema.maximum),
      fc.integer({ min: schema.minimum, max: Math.min(schema.maximum!, 1_000) }),
    );
  if (schema.type === 'array')
    return fc.uniqueArray(weighted(API, fromSchema(schema.items!)), { minLength: schema.minItems ?? 0, maxLength: 2 });
  if (schema.pattern) return fc.stringMatching(new RegExp(schema.pattern));
  if (schema.type === 'string')
    return schema.maxLength! > 512
      ? fc.oneof(names, fc.constantFrom('x'.repeat(schema.maxLength!), 'é'.repeat(schema.maxLength!)))
      : names;
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (!alternatives) return fromObject(schema, []);
  return fc.constantFrom(...alternatives).chain(({ required }) =>
    fromObject(
      schema,
      alternatives.flatMap((one) => one.required!).filter((member) => !required!.includes(member)),
      required,
    ),
  );
}

function fromObject(schema: Schema, without: readonly string[], also: readonly string[] = []): fc.Arbitrary<unknown> {
  const members = Object.entries(schema.properties ?? {}).filter(
    (member): member is [string, Schema] => member[1] !== false && !without.includes(member[0]),
  );
  const required = [...(schema.required ?? []), ...also];
  const arbitraries = members.map(
    ([name, inner]) => [name, name === 'iss' ? weighted(ISSUER, names) : fromSchema(inner)] as const,
  );
  return fc.record(Object.fromEntries(arbitraries), { requiredKeys: required });
}

const weighted = (usual: unknown, other: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });

interface Mutation {
  readonly place: number;
  readonly how: 'replace' | 'remove' | 'add';
  readonly member: string;
  readonly value: unknown;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  place: fc.nat(),
  how: fc.constantFrom('replace', 'remove', 'add'),
  member: fc.constantFrom('iss', 'jti', 'sha256', 'sequence', 'act', 'clientId', '__proto__', 'a\u0000b'),
  value: fc.oneof(
    fc.constantFrom<unknown>(
      null,
      true,
      0,
      -1,
      1.5,
      1e300,
      2 ** 53,
      '',
      'a',
      'a b',
      [],
      {},
      ['a', 'a'],
      Array(9).fill('a'),
      { iss: ISSUER },
      'A'.repeat(43),
      'B'.repeat(43),
    ),
    names,
    times,
  ),
});

function mutate(root: unknown, { place, how, member, value }: Mutation): unknown {
  const copy = structuredClone(root);
  const places = placesIn(copy);
  if (places.length === 0) return value;
  const [parent, key] = places[place % places.length]!;
  if (how === 'replace') parent[key] = value;
  else if (how === 'remove') delete parent[key];
  else Object.defineProperty(parent, member, { value, enumerable: true, configurable: true, writable: true });
  return copy;
}

function placesIn(value: unknown): [parent: Record<string, unknown>, key: string][] {
  if (typeof value !== 'object' || value === null) return [];
  const parent = value as Record<string, unknown>;
  return Object.keys(parent).flatMap((key) => [
    [parent, key] as [Record<string, unknown>, string],
    ...placesIn(parent[key]),
  ]);
}

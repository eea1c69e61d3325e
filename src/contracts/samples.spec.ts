import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import Ajv2020Module from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import {
  EVENT_NAMES,
  eventSchema,
  eventType,
  parseEventTime,
  parseEventType,
  validateEventData,
  type CloudEvent,
  type EventName,
} from './index.js';

const Ajv2020 = Ajv2020Module.default;
const directory = new URL('./samples/', import.meta.url);

function sample<N extends EventName>(name: N): CloudEvent<N> & { data: Record<string, unknown> } {
  return JSON.parse(readFileSync(new URL(`${eventType(name)}.json`, directory), 'utf8')) as never;
}

/** Samples of forms that a schema got after its type was shipped. */
const LATER_FORMS: readonly (readonly [EventName, string])[] = [
  ['key.used', 'person'],
  ['session.ended', 'all-of-user'],
  ['token.denied', 'id-jag-by-subject'],
  ['token.issued', 'id-jag-by-subject'],
];
const laterSample = (name: EventName, form: string): CloudEvent & { data: Record<string, unknown> } =>
  JSON.parse(readFileSync(new URL(`${eventType(name)}.${form}.json`, directory), 'utf8')) as never;
const samplesOf = (name: EventName) => [
  sample(name),
  ...LATER_FORMS.filter(([other]) => other === name).map(([, form]) => laterSample(name, form)),
];

const ajv = new Ajv2020({
  allErrors: true,
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
  strictTypes: false,
});
const ajvAccepts = (name: EventName, event: unknown): boolean =>
  (ajv.getSchema((eventSchema(name) as { $id: string }).$id) ?? ajv.compile(eventSchema(name)))(event) as boolean;

describe('frozen samples', () => {
  it('there is one of every event type and of each later form, and no other file', () => {
    const files = readdirSync(directory).filter((file) => file.endsWith('.json'));
    const later = LATER_FORMS.map(([name, form]) => `${eventType(name)}.${form}.json`);
    expect(files.sort()).toEqual([...EVENT_NAMES.map((name) => `${eventType(name)}.json`), ...later].sort());
  });

  it.each(EVENT_NAMES)('%s parses', (name) => {
    for (const event of samplesOf(name)) {
      expect(parseEventType(event.type)).toBe(name);
      expect(parseEventTime(event.time)).toBeDefined();
      expect(validateEventData(name, event.data)).toBeUndefined();
      expect(ajvAccepts(name, event)).toBe(true);
    }
  });

  it.each(EVENT_NAMES)('%s names its schema', (name) => {
    expect(eventSchema(name)).toMatchObject({ $id: `https://rescind.dev/schemas/dev.rescind.${name}.v1.json` });
  });

  it.each(EVENT_NAMES)('%s shows every member that its schema has', (name) => {
    const properties = (eventSchema(name) as { properties: { data: { properties: object } } }).properties.data
      .properties;
    const alternatives = new Set(['jti', 'sha256', 'signing_input_sha256']);
    const missing = Object.keys(properties).filter(
      (member) => !samplesOf(name).some(({ data }) => member in data) && !alternatives.has(member),
    );
    expect(missing).toEqual([]);
  });
});

// Generates values of every JSON type and at each limit, to replace any member or to be added under any name.
const strange = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -1,
    1.5,
    946_684_799,
    946_684_800,
    4_102_444_801,
    1e300,
    '',
    ' ',
    'a',
    'x y',
    'x  y',
  ),
  fc.constantFrom<unknown>(
    [],
    {},
    [[]],
    ['a', 'a'],
    ['a', 'b'],
    Array(9).fill('a'),
    { iss: 'a' },
    { jti: 'a' },
    { sha256: 'a' },
  ),
  fc.constantFrom<unknown>(
    'A'.repeat(43),
    'B'.repeat(43),
    'é'.repeat(512),
    '😀'.repeat(512),
    'e\u0301'.repeat(300),
    'a'.repeat(513),
  ),
  fc.string(),
  fc.integer(),
  fc.jsonValue({ maxDepth: 3 }),
);

type Path = readonly (string | number)[];
function paths(value: unknown, here: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [here];
  return [
    here,
    ...Object.entries(value).flatMap(([key, inner]) =>
      paths(inner, [...here, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}

function mutate(
  value: unknown,
  path: Path,
  change: (parent: Record<string | number, unknown>, key: string | number) => void,
): unknown {
  const root = { root: structuredClone(value) };
  const full: Path = ['root', ...path];
  let parent: unknown = root;
  for (const step of full.slice(0, -1)) parent = (parent as Record<string | number, unknown>)[step];
  change(parent as Record<string | number, unknown>, full.at(-1)!);
  return root.root;
}

describe('a second validator agrees', () => {
  it.each(EVENT_NAMES)('%s, mutated anywhere', (name) => {
    const event = sample(name);
    const places = paths(event.data);
    const mutation = fc.record({
      path: fc.constantFrom(...places),
      how: fc.constantFrom('replace', 'remove', 'add'),
      value: strange,
      member: fc.oneof(
        fc.constantFrom('iss', 'jti', 'sha256', 'signing_input_sha256', 'act', 'clientId', '__proto__', 'toString'),
        fc.string(),
      ),
    });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 2 }), (mutations) => {
        let data: unknown = event.data;
        for (const { path, how, value, member } of mutations) {
          if (!paths(data).some((known) => known.join('/') === path.join('/'))) continue;
          data = mutate(data, path, (parent, key) => {
            if (how === 'replace') parent[key] = value;
            else if (how === 'remove') delete parent[key];
            // The length of a list is no member in JSON.
            else if (
              typeof parent[key] === 'object' &&
              parent[key] !== null &&
              !(Array.isArray(parent[key]) && member === 'length')
            ) {
              Object.defineProperty(parent[key], member, {
                value,
                enumerable: true,
                configurable: true,
                writable: true,
              });
            }
          });
        }
        data = JSON.parse(JSON.stringify(data ?? null));
        const problem = validateEventData(name, data);
        expect({ data, valid: problem === undefined }).toEqual({ data, valid: ajvAccepts(name, { ...event, data }) });
        if (problem !== undefined) expect(problem.message).not.toBe('');
      }),
      { numRuns: 120 },
    );
  });
});

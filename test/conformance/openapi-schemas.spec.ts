import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { dereference } from '../support/dereference.js';
import { startConformanceService, type ConformanceService } from './service.js';

/**
 * The schemas of parameters are as narrow as the code, and no narrower: what a schema refuses is 400, and what it allows is never
 * `invalid-request`. Other codes of 400 are for what no schema can say.
 */
const MANY_REQUESTS_MS = 240_000;
const TEXTS = [
  '',
  ' ',
  'a',
  'ü',
  '\u0000',
  '\n',
  'x'.repeat(512),
  'x'.repeat(513),
  '0',
  '1',
  '01',
  '-1',
  '1.5',
  '2147483648',
  '9999999999999999999',
  '10000000000000000000',
  '1795600000',
  '1795600800',
  '4102444801',
  'true',
  'TRUE',
  'hour',
  'user',
  'json',
  'none',
  '24h',
  'A'.repeat(43),
  `${'A'.repeat(42)}B`,
  'A'.repeat(22),
  `${'A'.repeat(21)}B`,
  '00000000-0000-4000-8000-000000000000',
  'issuer:a',
  '7d',
  '7y',
  '2026-11-20',
  '@1795600800',
  '2026-11-20T09:00:00Z',
  '2026-13-01T00:00:00Z',
];
/** Fewer than a caller may ask at the same time. */
const AT_ONCE = 8;
const METHODS = ['get', 'post', 'put', 'delete'] as const;

interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required?: boolean;
  readonly schema: object;
}
interface Operation {
  readonly path: string;
  readonly method: string;
  readonly parameters?: readonly Parameter[];
}

let service: ConformanceService;
let operations: readonly Operation[];
beforeAll(async () => {
  service = await startConformanceService();
  const document = (await (await fetch(`${service.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, object> };
  };
  const paths = dereference(document.paths, document.components.schemas);
  operations = Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => (item[method] && path.startsWith('/v1/') ? [{ ...item[method], path, method }] : [])),
  );
});
afterAll(() => service.stop());

const ajv = new Ajv2020({ strict: false });
const compiled = new Map<string, ValidateFunction>();

/** A schema of a number or boolean is about the text as JSON reads it. */
function allows(schema: object, text: string): boolean {
  const key = JSON.stringify(schema);
  const validate = compiled.get(key) ?? ajv.compile(schema);
  compiled.set(key, validate);
  // A parameter that may be repeated stands once here: a list of one.
  if (validate(text) || validate([text])) return true;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value !== 'string' && String(value) === text && validate(value);
  } catch {
    return false;
  }
}

/** A value that each schema of a parameter that must be there allows. */
const good = ({ schema }: Parameter): string => ['a', '1', 'A'.repeat(22)].find((text) => allows(schema, text))!;

async function ask(
  { method, path, parameters = [] }: Operation,
  tried: Parameter,
  text: string,
): Promise<{ status: number; code?: string; detail?: string }> {
  const value = (parameter: Parameter): string =>
    encodeURIComponent(parameter.name === tried.name && parameter.in === tried.in ? text : good(parameter));
  const target = path.replaceAll(/\{([^}]+)\}/g, (_, name: string) =>
    value(parameters.find((parameter) => parameter.in === 'path' && parameter.name === name)!),
  );
  const query = parameters
    .filter((parameter) => parameter.in === 'query' && (parameter.required === true || parameter === tried))
    .map((parameter) => `${parameter.name}=${value(parameter)}`);
  const response = await fetch(`${service.url}${target}?${query.join('&')}`, {
    method,
    headers: { authorization: `Bearer ${service.adminKey}` },
  });
  const body = response.headers.get('content-type')?.startsWith('application/problem+json')
    ? ((await response.json()) as { code: string; detail?: string })
    : (await response.arrayBuffer(), {});
  return { status: response.status, ...body };
}

const seen = { parameters: 0, refused: 0, allowed: 0 };

async function compare(operation: Operation, parameter: Parameter, text: string): Promise<void> {
  const { status, code, detail } = await ask(operation, parameter, text);
  const isAllowed = allows(parameter.schema, text);
  seen[isAllowed ? 'allowed' : 'refused'] += 1;
  const at = `${operation.method} ${operation.path} ${parameter.name}=${text.slice(0, 40)} (${text.length}): ${status} ${code} ${detail}`;
  expect([
    at,
    isAllowed ? [200, 400, 404].includes(status) && code !== 'invalid-request' : [400, 404].includes(status),
  ]).toEqual([at, true]);
}

describe('the schema of each parameter of /v1', () => {
  it(
    'refuses what the endpoint refuses',
    async () => {
      for (const operation of operations.filter(({ method }) => method === 'get' || method === 'delete')) {
        for (const parameter of operation.parameters ?? []) {
          if (parameter.in === 'header') continue;
          seen.parameters += 1;
          // An empty segment makes another path.
          const texts = TEXTS.filter((text) => parameter.in !== 'path' || text !== '');
          // A tenant has two reports at a time.
          const atOnce = /^\/v1\/(?:reports\/|export\/|evidence$)/.test(operation.path) ? 1 : AT_ONCE;
          for (let at = 0; at < texts.length; at += atOnce)
            await Promise.all(texts.slice(at, at + atOnce).map((text) => compare(operation, parameter, text)));
        }
      }
      expect(seen.parameters).toBeGreaterThan(100);
      expect(Math.min(seen.refused, seen.allowed)).toBeGreaterThan(500);
    },
    MANY_REQUESTS_MS,
  );
});

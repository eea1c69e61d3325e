import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { dereference } from '../support/dereference.js';
import { startConformanceService, type ConformanceService } from './service.js';

/** A fuzzer in small: each operation of the document gets what strangers send, and what is answered must stand in the document. */
const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
const JSON_TYPE = 'application/json';
const STREAM_TYPE = 'text/event-stream';
const MANY_REQUESTS_MS = 240_000;

interface Operation {
  readonly path: string;
  readonly method: string;
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: object }>> }>
  >;
  readonly requestBody?: { readonly required?: boolean; readonly content: Readonly<Record<string, unknown>> };
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly required?: boolean }[];
  readonly security?: readonly object[];
}
interface Answer {
  readonly status: number;
  readonly type: string;
  readonly allow: string | undefined;
  readonly body: string;
}

let service: ConformanceService;
let operations: readonly Operation[];
let served: typeof document;
/** The served document with its references resolved. */
let document: {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: any;
};
beforeAll(async () => {
  service = await startConformanceService();
  served = (await (await fetch(`${service.url}/openapi.json`)).json()) as typeof document;
  document = dereference(served, served.components.schemas);
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => (item[method] ? [{ ...item[method], path, method }] : [])),
  );
});
afterAll(() => service.stop());

const ajv = new Ajv2020({ strict: false, validateFormats: false });
const compiled = new Map<object, ValidateFunction>();
function violations(schema: object, value: unknown): unknown {
  let validate = compiled.get(schema);
  if (!validate) compiled.set(schema, (validate = ajv.compile(schema)));
  return validate(value) ? [] : validate.errors;
}

/** On a connection of its own: on one, a client that was told to wait waits. */
async function send(
  method: string,
  path: string,
  headers: OutgoingHttpHeaders | readonly string[],
  body?: string,
): Promise<Answer> {
  const { hostname, port } = new URL(service.url);
  const sent = httpRequest({ host: hostname, port, method: method.toUpperCase(), path, headers, agent: false });
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  // A long body is refused while it is still being sent, and the connection closed: the answer is what counts.
  sent.on('error', () => undefined);
  sent.end(body);
  const [response] = await answered;
  const [type] = (response.headers['content-type'] ?? '').split(';', 1);
  // A stream does not end, so nothing of it is read.
  if (type === STREAM_TYPE) response.destroy();
  const answer = type === STREAM_TYPE ? '' : await text(response);
  return { status: response.statusCode!, type: type!, allow: response.headers.allow, body: answer };
}

/** The answer stands in the document: its status, its content type, its members. */
function expectDocumented({ path, method, responses }: Operation, what: string, { status, type, body }: Answer): void {
  const at = `${method} ${path}, ${what}`;
  expect({ at, status, listed: Object.keys(responses).includes(String(status)) }).toEqual({ at, status, listed: true });
  const { content } = responses[status]!;
  if (body === '') return;
  expect({ at, status, type, listed: content?.[type] !== undefined }).toEqual({ at, status, type, listed: true });
  const { schema } = content![type]!;
  if (!schema || !type.endsWith('json')) return;
  // An answer in lines is described by the schema of one.
  const values = type.endsWith('ndjson') ? body.trimEnd().split('\n') : [body];
  for (const value of values)
    expect({ at, value, violations: violations(schema, JSON.parse(value)) }).toEqual({ at, value, violations: [] });
}

/** Whether another path of the document, with other parameters, stands for this one too. */
const isAlso = (path: string, other: string): boolean => {
  const [segments, others] = [path.split('/'), other.split('/')];
  return (
    path !== other &&
    segments.length === others.length &&
    others.every((segment, at) => segment.startsWith('{') || segment === segments[at])
  );
};
const named = (path: string, name: string): string => path.replaceAll(/\{[^}]+\}/g, encodeURIComponent(name));
const auth = (): OutgoingHttpHeaders => ({ authorization: `Bearer ${service.adminKey}` });
const json = (): OutgoingHttpHeaders => ({ ...auth(), 'content-type': JSON_TYPE });
const writes = (): readonly Operation[] => operations.filter(({ method }) => method !== 'get');

/** Requests that a stranger may send, each with a name that says what is odd about it. */
function requestsFor({
  path,
  method,
}: Operation): readonly (readonly [string, string, OutgoingHttpHeaders | readonly string[], string?])[] {
  const at = named(path, 'nothing');
  const reads = [
    ['as it is', at, auth()],
    ['a parameter that is unknown', `${at}?no_such=1`, auth()],
    ['a parameter that is malformed', `${at}?limit=x&cursor=x&as_of=x&iss=`, auth()],
    ['no credentials', at, {}],
    ['a wrong key', at, { authorization: 'Bearer rsk_wrong' }],
    ['the key of a caller with another role', at, { authorization: `Bearer ${service.secret('crm-api')}` }],
    ['an odd name', named(path, '../\u0000\u{1f600}'), auth()],
    ['a name of digits', named(path, '99999999999999999999'), auth()],
    ['a UUID', named(path, '00000000-0000-4000-8000-000000000000'), auth()],
    ['two Host headers', at, ['Host', 'a', 'Host', 'b']],
    ['two Authorization headers', at, ['Host', 'a', 'Authorization', 'Bearer a', 'Authorization', 'Bearer b']],
  ] as const;
  if (method === 'get') return reads;
  return [
    ...reads,
    ['an empty object', at, json(), '{}'],
    ['a list', at, json(), '[]'],
    ['a number', at, json(), '1'],
    ['members of another kind', at, json(), '{"selector":1,"roles":1,"name":1,"reason":1,"resume":"x","limit":"x"}'],
    ['malformed JSON', at, json(), '{'],
    ['too long a body', at, json(), JSON.stringify('x'.repeat(5 * 1024 * 1024))],
    ['XML', at, { ...auth(), 'content-type': 'text/xml' }, '<a/>'],
    ['a form', at, { ...auth(), 'content-type': 'application/x-www-form-urlencoded' }, 'a=1'],
    ['a compressed body', at, { ...json(), 'content-encoding': 'gzip' }, '{}'],
  ];
}

describe('the OpenAPI document', () => {
  it(
    'lists every answer that each operation gives to requests of strangers',
    async () => {
      expect(operations.length).toBeGreaterThan(50);
      const seen = new Set<number>();
      for (const operation of operations) {
        for (const [what, path, headers, body] of requestsFor(operation)) {
          const answer = await send(operation.method, path, headers, body);
          // A caller that fails too often is told to wait; that is documented where it can be.
          expectDocumented(operation, what, answer);
          expect([operation.path, what, answer.status < 500 || answer.status === 503]).toEqual([
            operation.path,
            what,
            true,
          ]);
          seen.add(answer.status);
        }
      }
      expect([...seen]).toEqual(expect.arrayContaining([200, 400, 401, 403, 404, 413, 415]));
    },
    MANY_REQUESTS_MS,
  );

  it('null as the body is refused by each operation that takes a body: it does not count as no body', async () => {
    for (const operation of writes().filter(
      ({ path, requestBody }) => path.startsWith('/v1/') && requestBody?.content[JSON_TYPE] !== undefined,
    )) {
      const answer = await send(operation.method, named(operation.path, 'nothing'), json(), 'null');
      expect([operation.path, answer.status]).toEqual([operation.path, 400]);
      expectDocumented(operation, 'null', answer);
    }
  });

  it('an empty body with a content type counts as no body if the body is optional', async () => {
    const { id } = (await (
      await fetch(`${service.url}/v1/callers`, {
        method: 'POST',
        headers: json() as Record<string, string>,
        body: JSON.stringify({ id: 'empty', roles: { audit: {} } }),
      })
    ).json()) as { id: string };
    expect((await send('post', `/v1/callers/${id}/secrets`, json(), '')).status).toBe(201);
    expect((await send('post', '/v1/quarantine/replay', json(), '')).status).toBe(200);
  });

  it(
    'names all methods of each path: any other method is 405, and Allow lists the methods',
    async () => {
      for (const [path, item] of Object.entries(document.paths)) {
        const known = METHODS.filter((method) => item[method] !== undefined).map((method) => method.toUpperCase());
        const wrong = [...METHODS.filter((method) => item[method] === undefined), 'options', 'query'];
        for (const method of wrong) {
          if (path.includes('{') && operations.some((other) => other.method === method && isAlso(path, other.path)))
            continue;
          const { status, allow } = await send(method, named(path, 'nothing'), auth());
          expect([method, path, status, known.filter((one) => !allow?.split(', ').includes(one))]).toEqual([
            method,
            path,
            405,
            [],
          ]);
        }
      }
    },
    MANY_REQUESTS_MS,
  );

  it('names the schema of each body and of each successful answer', () => {
    const unnamed = Object.entries(served.paths).flatMap(([path, item]) =>
      METHODS.flatMap((method) => {
        const { requestBody, responses = {} } = item[method] ?? {};
        const contents = [requestBody?.content, responses[200]?.content, responses[201]?.content].flatMap((content) =>
          Object.entries(content ?? {}),
        );
        return contents.flatMap(([type, { schema }]: [string, any]) =>
          !['text/plain', 'application/octet-stream', STREAM_TYPE].includes(type) &&
          schema?.$ref?.startsWith('#/components/schemas/') !== true
            ? [`${method} ${path} ${type}`]
            : [],
        );
      }),
    );
    expect(unnamed).toEqual([]);
    const parts = [
      'AsOf',
      'User',
      'Client',
      'Agent',
      'Resource',
      'Source',
      'Selector',
      'Problem',
      'OAuthError',
      'Event',
      'ConnectionPage',
      'TokenAnswer',
      'Order',
      'Rule',
      'CallerInput',
      'RegisteredSource',
      'Tenant',
    ];
    expect(Object.keys(served.components.schemas)).toEqual(expect.arrayContaining(parts));
    // Generators of clients turn these names into names of a programming language.
    expect(Object.keys(served.components.schemas).filter((name) => !/^[A-Z][A-Za-z0-9]+$/.test(name))).toEqual([]);
  });

  it('shows requests that findings, detections, channels and erasures take', () => {
    const shown = writes().flatMap(({ path, method, requestBody }) => {
      const { schema, examples } = (requestBody?.content[JSON_TYPE] ?? {}) as {
        schema?: object;
        examples?: Readonly<Record<string, { readonly summary: string; readonly value: object }>>;
      };
      return examples === undefined ? [] : [{ operation: `${method} ${path}`, schema: schema!, examples }];
    });
    expect(shown.map(({ operation }) => operation).toSorted()).toEqual([
      'post /v1/channels/{name}/replay',
      'post /v1/channels/{name}/rotate',
      'post /v1/erasures',
      'post /v1/erasures/preview',
      'post /v1/findings/{id}',
      'put /v1/channels/{name}',
      'put /v1/detections/{kind}',
    ]);
    for (const { operation, schema, examples } of shown)
      for (const { summary, value } of Object.values(examples))
        expect([operation, summary, violations(schema, value)]).toEqual([
          operation,
          expect.stringMatching(/^[A-Z]/),
          [],
        ]);
  });

  it('describes every body, and says that keys are opaque', () => {
    expect(document.components.securitySchemes.bearer.bearerFormat).toBe('opaque');
    for (const { path, requestBody } of writes()) {
      if (path === '/v1/directory/import')
        expect(Object.keys(requestBody!.content).toSorted()).toEqual([JSON_TYPE, 'text/csv']);
    }
    const common = ['400', '401', '403', '429', '503'];
    for (const { path, method, responses } of operations.filter(({ path: one }) => one.startsWith('/v1/'))) {
      const wanted = [
        ...common,
        ...(path.includes('{') ? ['404'] : []),
        ...(method === 'get' ? [] : ['408', '409', '413', '415']),
      ];
      expect([method, path, wanted.filter((status) => responses[status] === undefined)]).toEqual([method, path, []]);
    }
  });
});

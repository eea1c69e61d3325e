import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ERROR_CODES } from '../../../src/contracts/index.js';
import { commitment } from '../../../src/merkle/index.js';
import {
  countsOf,
  namesOf,
  ROLES,
  startTwoTenants,
  TENANTS,
  type Answered,
  type Operation,
  type RoleName,
} from './two-tenants.js';
import { neededFor, pathsFor } from './ways.js';

/** Time limit for a few thousand requests on a busy machine. */
const MANY_QUESTIONS_MS = 240_000;

let world: Awaited<ReturnType<typeof startTwoTenants>>;
beforeAll(async () => {
  world = await startTwoTenants();
});
afterAll(() => world.stop());

/** Roles that may ask. A path that is not listed is a question, for the role `audit` alone. */
const ALLOWED: Readonly<Record<string, readonly RoleName[]>> = {
  '/v1/tenants': ['admin'],
  '/v1/tenants/{id}': ['admin'],
  '/v1/sources': ['admin'],
  '/v1/sources/{id}': ['admin'],
  '/v1/sources/{id}/disable': ['admin'],
  '/v1/sources/{id}/check': ['admin', 'audit', 'emit'],
  '/v1/callers': ['admin'],
  '/v1/callers/{id}': ['admin'],
  '/v1/callers/{id}/disable': ['admin'],
  '/v1/callers/{id}/secrets': ['admin'],
  '/v1/callers/{id}/secrets/{secretId}': ['admin'],
  '/v1/partitions': ['admin'],
  '/v1/partitions/{topic}/{partition}/resume': ['admin'],
  '/v1/quarantine': ['admin', 'audit'],
  '/v1/quarantine/{id}': ['admin', 'audit'],
  '/v1/quarantine/replay': ['admin'],
  '/v1/quarantine/{id}/replay': ['admin'],
  '/v1/sequences': ['admin', 'audit'],
  '/v1/coverage': ['admin', 'audit'],
  '/v1/erasures': ['admin'],
  '/v1/erasures/{id}': ['admin'],
  '/v1/erasures/preview': ['admin'],
  '/v1/detections/{kind}': ['admin'],
  '/v1/directory': ['admin', 'audit'],
  '/v1/directory/import': ['admin'],
  '/v1/directory/users/{sub}': ['admin'],
  '/v1/directory/clients/{client_id}': ['admin'],
  '/v1/directory/agents/{id}': ['admin'],
  '/v1/directory/resources/{uri}': ['admin'],
  '/v1/directory/teams/{name}': ['admin'],
  'POST /v1/findings/{id}': ['revoke'],
  '/v1/channels': ['admin'],
  '/v1/channels/{name}': ['admin'],
  '/v1/channels/{name}/try': ['admin'],
  '/v1/channels/{name}/rotate': ['admin'],
  '/v1/channels/{name}/deliveries': ['admin'],
  '/v1/channels/{name}/replay': ['admin'],
  '/v1/revocations': ['revoke', 'audit'],
  'POST /v1/revocations': ['revoke'],
  '/v1/revocations/{id}': ['revoke', 'audit'],
  '/v1/revocations/{id}/lift': ['revoke'],
  '/v1/revocations/preview': ['revoke', 'audit'],
  '/v1/views': ['audit', 'admin'],
  '/v1/views/{id}': ['audit', 'admin'],
  '/v1/me': ['audit', 'revoke', 'admin'],
  '/v1/sign-in-links': ['admin'],
};
const allowedFor = ({ method, path }: { readonly method: string; readonly path: string }): readonly RoleName[] =>
  ALLOWED[`${method} ${path}`] ?? ALLOWED[path] ?? ['audit'];

const pathsOf = ({ path }: Operation): readonly string[] => pathsFor(world.planted.acme, path);

/** A body for methods that take one. The refusal of the caller must come before the refusal of the body. */
const bodyOf = ({ method }: { readonly method: string }): string | undefined =>
  method === 'POST' || method === 'PUT' ? '{}' : undefined;

function expectProblem({ status, type, body }: Answered, at: string): void {
  expect({ at, status: status >= 400 && status < 500, type, code: body?.code in ERROR_CODES }).toEqual({
    at,
    status: true,
    type: 'application/problem+json',
    code: true,
  });
}

/** `asked`: what the question said itself may come back. */
function expectNothingOf(tenant: string, answer: Answered, asked: string): void {
  const { token, rule, view, sources } = world.planted.acme;
  const payload = answer.body?.payload;
  let text = payload
    ? [
        answer.text,
        ...[payload.attributes, payload.bytes].map((bytes: string) => Buffer.from(bytes, 'base64').toString()),
      ].join('\n')
    : answer.text;
  for (const said of decodeURIComponent(asked).split(/[?&=/]/)) if (said.length > 3) text = text.replaceAll(said, '');
  for (const secret of [tenant, token, rule, view, ...sources])
    expect({ asked, found: text.includes(secret) && secret }).toEqual({ asked, found: false });
}

it('the spec takes all endpoints from OpenAPI', () => {
  expect(world.operations.length).toBeGreaterThan(30);
  for (const listed of Object.keys(ALLOWED).map((key) => key.split(' ').at(-1)!)) {
    // Kafka is not there, and with it the partitions.
    if (!listed.startsWith('/v1/partitions')) expect(world.operations.map(({ path }) => path)).toContain(listed);
  }
});

it('every endpoint answers as of a moment, or says that it takes no `as_of` and refuses one', async () => {
  const without: string[] = [];
  for (const operation of world.operations.filter(({ method }) => method === 'GET')) {
    const { path, parameters, description } = operation;
    const takes = parameters.some(({ name }) => name === 'as_of');
    expect({ path, says: description.includes('takes no `as_of`') }).toEqual({ path, says: !takes });
    if (takes) continue;
    without.push(path);
    const [asked] = pathsOf(operation);
    const { status, type, body } = await world.ask(
      'GET',
      `${asked}?as_of=1`,
      world.planted.acme.keys[allowedFor(operation)[0]!],
    );
    expect({ path, status, type, code: body?.code, detail: body?.detail }).toMatchObject({
      path,
      status: 400,
      type: 'application/problem+json',
      code: 'invalid-request',
      detail: expect.stringContaining('unknown parameter `as_of`'),
    });
  }
  expect(without.map((path) => path.slice('/v1/'.length)).toSorted()).toEqual([
    'callers',
    'callers/{id}',
    'changes',
    'channels',
    'channels/{name}',
    'channels/{name}/deliveries',
    'detections',
    'directory',
    'entries/{index}',
    'erasures',
    'erasures/{id}',
    'evidence',
    'export/ocsf',
    'findings/{id}/changes',
    'ledger',
    'me',
    'quarantine',
    'quarantine/{id}',
    'revocations',
    'revocations/standing',
    'revocations/{id}',
    'sequences',
    'sources',
    'sources/{id}',
    'sources/{id}/check',
    'tenants',
    'tenants/{id}',
    'views',
  ]);
});

describe('a caller', () => {
  it('gets nothing without credentials or with wrong ones', async () => {
    const askers = world.operations.flatMap((operation) =>
      [null, 'nobody', `${world.planted.acme.keys.admin}x`].map((key) => ({ operation, key })),
    );
    // On a connection each: on one, whoever has been told to wait waits.
    await Promise.all(
      askers.map(async ({ operation, key }) => {
        const [path] = pathsOf(operation);
        const answer = await world.ask(operation.method, path!, key, bodyOf(operation));
        // A caller that guesses is soon told to wait.
        const told = answer.body?.code === 'too-many-requests' ? [429, 'too-many-requests'] : [401, 'unauthenticated'];
        expect([operation.method, path, answer.status, answer.body?.code]).toEqual([operation.method, path, ...told]);
      }),
    );
  });

  it.each(ROLES)('with the role %s may ask what the role allows, and gets nothing else', async (role) => {
    for (const operation of world.operations) {
      const [path] = pathsOf(operation);
      const allowed = allowedFor(operation).includes(role);
      // Requests that change something are sent only by callers that may not.
      if (allowed && operation.method !== 'GET') continue;
      const answer = await world.ask(operation.method, path!, world.planted.acme.keys[role], bodyOf(operation));
      const at = `${operation.method} ${path} by ${role}`;
      if (allowed) {
        expect({ at, refused: answer.status === 401 || answer.status === 403 || answer.status >= 500 }).toEqual({
          at,
          refused: false,
        });
        if (answer.status !== 200) expectProblem(answer, at);
      } else {
        expect({ at, status: answer.status, code: answer.body?.code, type: answer.type }).toEqual({
          at,
          status: 403,
          code: 'forbidden',
          type: 'application/problem+json',
        });
      }
    }
  });
});

describe('another tenant', () => {
  const asGlobex = async (method: string, path: string, role: RoleName, body?: string): Promise<Answered> => {
    const answer = await world.ask(method, path, world.planted.globex.keys[role], body);
    const at = `${method} ${path} by ${role}`;
    expect({ at, failed: answer.status >= 500 }).toEqual({ at, failed: false });
    if (answer.status >= 300) expectProblem(answer, at);
    expectNothingOf('acme', answer, path);
    return answer;
  };

  it('cannot be asked about by path', async () => {
    for (const operation of world.operations) {
      if (!operation.path.includes('{')) continue;
      for (const path of pathsOf(operation)) {
        for (const role of allowedFor(operation)) {
          const { status } = await asGlobex(operation.method, path, role, bodyOf(operation));
          // A body of nothing may be refused before the thing is looked for; small ids and indexes name something of one's own.
          // A caller that emits is told the same of every source that is not its own, there or not.
          const notIts = role === 'emit' && status === 403;
          const own = /^\/v1\/(entities|users|clients|resources|agents|connections|entries|detections)\//.test(path);
          expect({
            path,
            status: status === 404 || (operation.method !== 'GET' && status === 400) || notIts || own,
          }).toEqual({ path, status: true });
        }
      }
    }
  });

  it('has its own entries under the same indexes', async () => {
    for (const tenant of TENANTS) {
      const others = TENANTS.filter((other) => other !== tenant);
      let looked = 0;
      for (;;) {
        const { status, body } = await world.ask('GET', `/v1/entries/${looked}`, world.planted[tenant].keys.audit);
        if (status === 404) break;
        expect([status, body.index]).toEqual([200, String(looked)]);
        const [salt, attributes, bytes] = [body.payload.salt, body.payload.attributes, body.payload.bytes].map(
          (part: string) => Buffer.from(part, 'base64'),
        ) as [Buffer, Buffer, Buffer];
        // The payload belongs to what the commitment covers.
        expect(commitment({ salt, attributes, bytes }).toString('base64')).toBe(body.commitment);
        for (const other of others)
          expect([tenant, looked, bytes.toString().includes(other)]).toEqual([tenant, looked, false]);
        looked += 1;
      }
      expect(looked).toBeGreaterThan(10);
    }
  });

  it('has its own users at a client, and at a resource, that have the same small id', async () => {
    const answers = await Promise.all(
      TENANTS.map(async (tenant) => {
        const ask = async (query: string) => {
          const { status, body } = await world.ask('GET', `/v1/graph${query}`, world.planted[tenant].keys.audit);
          expect([tenant, query, status]).toEqual([tenant, query, 200]);
          return body;
        };
        const { nodes } = await ask('');
        const [client, resource] = ['client', 'resource'].map(
          (kind) => nodes.find(({ type }: { type: string }) => type === kind).id as string,
        );
        const expanded = await ask(`?expand=${client}`);
        const users = expanded.nodes
          .filter(({ type }: { type: string }) => type === 'user')
          .map(({ name }: { name: string }) => name);
        return { ids: [client, resource], users: users.toSorted(), left_out: expanded.left_out.users };
      }),
    );
    const [acme, globex] = answers;
    // Else this would say nothing.
    expect(globex!.ids).toEqual(acme!.ids);
    for (const [nth, tenant] of TENANTS.entries()) {
      const users = [namesOf(tenant).user, ...countsOf(tenant).otherUsers];
      expect(answers[nth]).toMatchObject({ users: users.toSorted(), left_out: 0 });
    }
  });

  it('has its own sequences', async () => {
    for (const tenant of TENANTS) {
      const [first, last] = countsOf(tenant).sequence;
      const { body } = await world.ask('GET', '/v1/sequences', world.planted[tenant].keys.audit);
      expect(body.items.map((item: any) => [item.source.name, item.first, item.last, item.missing])).toEqual([
        [namesOf(tenant).apiSource, first, last, last - first - 1],
      ]);
    }
  });

  it('does not appear in any list or graph', async () => {
    for (const operation of world.operations.filter(({ method, path }) => method === 'GET' && !path.includes('{'))) {
      for (const role of allowedFor(operation)) await asGlobex('GET', operation.path, role);
    }
  });

  it(
    'is not found by any filter',
    async () => {
      const { token, rule, sources, entities } = world.planted.acme;
      const names = Object.values(namesOf('acme'));
      const cursors = [...(await cursorsOf('acme')).values()];
      let asked = 0;
      for (const { path, parameters } of world.operations.filter(
        ({ method, path: one }) => method === 'GET' && !one.includes('{'),
      )) {
        const [role] = allowedFor({ method: 'GET', path });
        for (const { name } of parameters.filter((parameter) => parameter.in === 'query')) {
          const values =
            name === 'cursor'
              ? cursors
              : [token, rule, ...sources, ...names, ...entities.slice(0, 3), entities.at(-1)!];
          for (const some of inGroups(values))
            await Promise.all(
              some.map((value) => asGlobex('GET', `${path}?${name}=${encodeURIComponent(value)}`, role!)),
            );
          asked += values.length;
        }
        for (const query of pairsOf(parameters.map(({ name }) => name)))
          await asGlobex('GET', `${path}?${query}`, role!);
      }
      expect(asked).toBeGreaterThan(500);
    },
    MANY_QUESTIONS_MS,
  );
});

/** A caller has so many questions at a time; one more is told to come again after a second. */
const AT_A_TIME = 16;

const inGroups = (values: readonly string[]): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(values.length / AT_A_TIME) }, (_, nth) =>
    values.slice(nth * AT_A_TIME, (nth + 1) * AT_A_TIME),
  );

/** Names of the tenant `acme` that take two parameters. */
function pairsOf(known: readonly string[]): readonly string[] {
  const { idp, as, user, client, agent, session, grant, jti } = namesOf('acme');
  const pairs = [
    { user_iss: idp, user_sub: user },
    { client_iss: as, client_id: client },
    { agent_iss: idp, agent_id: agent },
    { session_iss: idp, session_sid: session },
    { id_jag_iss: idp, id_jag_jti: grant },
    { iss: as, jti },
  ];
  return pairs
    .filter((pair) => Object.keys(pair).every((name) => known.includes(name)))
    .map((pair) => String(new URLSearchParams(pair as unknown as Record<string, string>)));
}

/** Cursors of every list that has a second page, by path. */
async function cursorsOf(tenant: 'acme' | 'globex'): Promise<ReadonlyMap<string, string>> {
  const cursors = new Map<string, string>();
  for (const { path, parameters } of world.operations.filter(
    ({ method, path: one }) => method === 'GET' && !one.includes('{'),
  )) {
    if (!parameters.some(({ name }) => name === 'cursor')) continue;
    const { body } = await world.ask(
      'GET',
      `${path}?limit=1`,
      world.planted[tenant].keys[allowedFor({ method: 'GET', path })[0]!],
    );
    if (typeof body?.next === 'string') cursors.set(path, body.next);
  }
  expect(cursors.size).toBeGreaterThan(1);
  return cursors;
}

const NASTY = [
  '',
  '%00',
  '%20',
  '-1',
  '1e3',
  '01',
  '9999999999999999999999',
  '%27%20OR%201=1--',
  '%F0%9F%98%80',
  '%ED%A0%80',
  '%zz',
  'a'.repeat(513),
  '{}',
  '__proto__',
  '4102444801',
  '9223372036854775808',
];

describe('malformed questions', () => {
  const asked = (path: string, query: string): Promise<Answered> =>
    world.ask('GET', `${path}?${query}`, world.planted.acme.keys[allowedFor({ method: 'GET', path })[0]!]);
  const questions = () => world.operations.filter(({ method, path }) => method === 'GET' && !path.includes('{'));
  const having = (...names: readonly string[]) =>
    questions().filter(({ parameters }) =>
      names.every((name) => parameters.some((parameter) => parameter.name === name)),
    );

  it(
    'are refused or empty whatever a parameter holds, and never fail',
    async () => {
      for (const { path, parameters } of questions()) {
        for (const name of [
          ...parameters.filter((parameter) => parameter.in === 'query').map((parameter) => parameter.name),
          '__proto__',
          'unknown',
        ]) {
          const answers = await Promise.all(NASTY.map((value) => asked(path, `${name}=${value}`)));
          answers.forEach(
            (answer, nth) =>
              answer.status === 200 || expectProblem(answer, `${path}?${name}=${NASTY[nth]!.slice(0, 40)}`),
          );
          if (name === '__proto__' || name === 'unknown') continue;
          const twice = await asked(path, `${name}=1&${name}=2`);
          // The list of rules takes no filter; its two parameters are read one by one.
          // An archive of evidence is the one that takes several values of a parameter.
          const status = path === '/v1/evidence' && name === 'index' ? 200 : 400;
          expect({ path, name, status: twice.status }).toEqual({ path, name, status });
        }
      }
    },
    MANY_QUESTIONS_MS,
  );

  it('are refused if the moment is malformed', async () => {
    const moments = [
      ['9999999', 'as-of-out-of-range'],
      ['0', 'as-of-out-of-range'],
      ['2098-01-01T00:00:00Z', 'as-of-out-of-range'],
      ['2001-01-01T00:00:00Z', 'as-of-out-of-range'],
      ['1899-01-01T00:00:00Z', 'as-of-out-of-range'],
      ['yesterday', 'invalid-request'],
      ['1.5', 'invalid-request'],
      ['2026-13-01T00:00:00Z', 'invalid-request'],
      ['2001-01-01', 'as-of-out-of-range'],
      ['9999d', 'as-of-out-of-range'],
      ['2026-02-29', 'invalid-request'],
      ['7y', 'invalid-request'],
    ] as const;
    const taking = having('as_of');
    expect(taking.length).toBeGreaterThan(3);
    for (const { path } of taking) {
      const needed = neededBy(path);
      for (const [moment, code] of moments) {
        const answer = await asked(path, `${needed}as_of=${moment}`);
        expect([path, moment, answer.status, answer.body?.code]).toEqual([path, moment, 400, code]);
      }
    }
  });

  it('are refused with the cursor of another question', async () => {
    const cursors = await cursorsOf('acme');
    const taking = having('cursor');
    expect(taking.length).toBeGreaterThan(3);
    let refused = 0;
    for (const { path } of taking) {
      for (const [of, cursor] of cursors) {
        const answer = await asked(path, `${neededBy(path)}cursor=${cursor}`);
        const told = of === path ? [200, undefined] : [400, 'invalid-cursor'];
        expect([path, of, answer.status, answer.body?.code]).toEqual([path, of, ...told]);
        refused += of === path ? 0 : 1;
      }
    }
    expect(refused).toBeGreaterThan(taking.length);
  });

  it('are refused over ten years or over an empty window', async () => {
    const bounded = having('from', 'to');
    expect(bounded.length).toBeGreaterThan(2);
    for (const { path } of bounded) {
      const needed = neededBy(path);
      const wide = await asked(path, `${needed}from=1480000000&to=1800000000`);
      if (wide.status !== 200) expectProblem(wide, path);
      for (const query of ['from=1800000000&to=1480000000', 'from=1480000000&to=1480000000']) {
        const answer = await asked(path, `${needed}${query}`);
        expect([path, query, answer.status, answer.body?.code]).toEqual([path, query, 400, 'inconsistent-request']);
      }
    }
  });

  it('are refused if they contradict themselves', async () => {
    for (const kind of ['user', 'client', 'agent'] as const) {
      const second = { user: 'user_sub', client: 'client_id', agent: 'agent_id' }[kind];
      const taking = having(kind, `${kind}_iss`);
      expect([kind, taking.length > 2]).toEqual([kind, true]);
      for (const { path } of taking) {
        for (const query of [`${kind}=1&${kind}_iss=a&${second}=b`, `${kind}_iss=a`, `${second}=b`]) {
          const answer = await asked(path, `${path === '/v1/changes' ? neededBy(path) : ''}${query}`);
          expect([path, query, answer.status, answer.body?.code]).toEqual([path, query, 400, 'inconsistent-request']);
        }
      }
    }
  });
});

const neededBy = (path: string): string => neededFor(world.planted.acme, path);

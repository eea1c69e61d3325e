import { randomBytes } from 'node:crypto';
import { get, type ClientRequest } from 'node:http';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from '@jest/globals';
import { MAX_QUESTIONS_A_CALLER, MAX_QUESTIONS_A_TENANT } from '../../../src/registry/index.js';
import { createRescindAdmin } from '../../../src/sandbox/index.js';
import { hold } from '../../support/hold.js';
import { until } from '../control/control-fixture.js';
import { namesOf, startTwoTenants, type TenantName } from './two-tenants.js';

/** A question that a lock on one table keeps waiting, for two seconds at most. */
const BLOCKED = '/v1/quarantine';
/** A question that does not read that table. */
const FREE = '/v1/graph';
const MANY_TRIES_MS = 240_000;

let world: Awaited<ReturnType<typeof startTwoTenants>>;
/** Further callers with the role `audit` of `acme`. */
let auditors: readonly string[];
beforeAll(async () => {
  world = await startTwoTenants();
  const admin = createRescindAdmin(world.url, world.planted.acme.keys.admin);
  const made = [];
  for (const id of ['second', 'third', 'fourth'])
    made.push(await admin.post<{ secret: string }>('/v1/callers', { id, roles: { audit: {} } }));
  auditors = made.map(({ secret }) => secret);
}, MANY_TRIES_MS);
afterAll(() => world.stop());

const keyOf = (tenant: TenantName): string => world.planted[tenant].keys.audit;

interface Reader {
  leave(): void;
}

/** Pause of readers that are refused in large numbers: without it their work, in this process, would delay the answers. */
const REFUSED_PAUSE_MS = 100;

/** Asks again whenever it is answered or refused, on one connection after another, until it leaves. */
function readGreedily(key: string, refusedPauseMs = 0): Reader {
  let request: ClientRequest;
  let hasLeft = false;
  const ask = (): void => {
    if (hasLeft) return;
    request = get(
      `${world.url}${BLOCKED}`,
      { headers: { authorization: `Bearer ${key}` }, agent: false },
      (response) => {
        response
          .resume()
          .on('end', () =>
            response.statusCode === 429 && refusedPauseMs > 0 ? setTimeout(ask, refusedPauseMs) : ask(),
          );
      },
    );
    request.on('error', ask);
  };
  ask();
  return {
    leave() {
      hasLeft = true;
      request.destroy();
    },
  };
}

interface Running {
  readonly pid: number;
  readonly began: string;
}

/** Statements that wait for the lock, the oldest first. */
async function blocked(): Promise<readonly Running[]> {
  const { rows } = await world.pool.query<Running>(
    `SELECT pid, query_start::text AS began FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND wait_event_type = 'Lock' ORDER BY query_start`,
  );
  return rows;
}

/** Questions end by and by, on a busy machine before an answer is there: then it is tried again, as long as the spec may take. */
async function untilWhileSame(count: number, ask: () => Promise<void>): Promise<void> {
  for (;;) {
    const before = await blocked();
    await ask();
    if (before.length === count && isSame(before, await blocked())) return;
  }
}

const isSame = (one: readonly Running[], other: readonly Running[]): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

let letGo: () => Promise<void>;
let readers: Reader[];
beforeEach(async () => {
  readers = [];
  letGo = await hold(world.pool, 'LOCK TABLE quarantine IN ACCESS EXCLUSIVE MODE');
});
afterEach(async () => {
  for (const reader of readers) reader.leave();
  await letGo();
  await until('all questions to end', async () => (await blocked()).length === 0);
});

const AT_ONCE = 4;

async function takeAllTurns(): Promise<void> {
  for (const tenant of ['acme', 'globex'] as const)
    for (let i = 0; i < MAX_QUESTIONS_A_CALLER; i += 1) readers.push(readGreedily(keyOf(tenant)));
  await until('every turn to be taken', async () => (await blocked()).length === AT_ONCE);
}

describe('while every turn of questions is taken by long ones', () => {
  beforeEach(takeAllTurns, MANY_TRIES_MS);

  const { as } = namesOf('acme');
  const form = (path: string, role: 'introspect' | 'revoke-own', fields: Record<string, string>): Promise<Response> =>
    fetch(`${world.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${world.planted.acme.keys[role]}` },
      body: new URLSearchParams(fields),
    });
  /** Makes a token that nobody has seen, so that memory cannot answer. */
  const unknownToken = (): string => randomBytes(32).toString('base64url');

  it.each<[string, () => Promise<unknown>, unknown]>([
    [
      'an order',
      () =>
        world
          .ask(
            'POST',
            '/v1/revocations',
            world.planted.acme.keys.revoke,
            JSON.stringify({
              selector: { user: { iss: as, sub: randomBytes(8).toString('hex') } },
              effect: 'revoke',
              reason: 'busy',
            }),
          )
          .then(({ status }) => status),
      201,
    ],
    [
      '/revoke',
      () => form('/revoke', 'revoke-own', { token: unknownToken() }).then(({ status }) => status < 500),
      true,
    ],
    [
      'cold introspection',
      async () => (await form('/introspect', 'introspect', { token: unknownToken() })).json(),
      { active: false },
    ],
    [
      'readiness',
      async () => ((await (await fetch(`${world.url}/health/ready`)).json()) as { ready: boolean }).ready,
      true,
    ],
    ['/metrics', () => fetch(`${world.url}/metrics`).then(({ status }) => status), 200],
  ])(
    '%s is answered while none of them has ended',
    async (_what, ask, expected) => {
      await untilWhileSame(AT_ONCE, async () => expect(await ask()).toEqual(expected));
    },
    MANY_TRIES_MS,
  );
});

it(
  'another tenant’s reader is answered while one tenant uses all its turns',
  async () => {
    for (const key of [keyOf('acme'), ...auditors])
      for (let i = 0; i < MAX_QUESTIONS_A_CALLER; i += 1) readers.push(readGreedily(key, REFUSED_PAUSE_MS));
    await until('the tenant to have its turns', async () => (await blocked()).length === AT_ONCE - 1);
    await untilWhileSame(AT_ONCE - 1, async () =>
      expect((await world.ask('GET', FREE, keyOf('globex'))).status).toBe(200),
    );
  },
  MANY_TRIES_MS,
);

describe('beyond the limits', () => {
  const ask = (key: string) => fetch(`${world.url}${BLOCKED}`, { headers: { authorization: `Bearer ${key}` } });

  async function expectRefused(key: string, whose: RegExp): Promise<void> {
    let refused: Response | undefined;
    await until('a refusal', async () => {
      refused = await ask(key);
      return refused.status === 429;
    });
    expect(refused!.headers.get('retry-after')).toBe('1');
    expect(await refused!.json()).toMatchObject({ code: 'too-many-requests', detail: expect.stringMatching(whose) });
  }

  it(
    'the next question of a caller is refused, and not that of another caller',
    async () => {
      for (let i = 0; i < 2 * MAX_QUESTIONS_A_CALLER; i += 1) readers.push(readGreedily(keyOf('acme')));
      await expectRefused(keyOf('acme'), /^a caller may ask 16 /);
      // It waits for its turn among those of the tenant.
      await until('an answer', async () => (await world.ask('GET', FREE, auditors[0]!)).status === 200);
    },
    MANY_TRIES_MS,
  );

  it(
    'the next question of any caller of a tenant is refused',
    async () => {
      for (const key of [keyOf('acme'), ...auditors.slice(0, 2)])
        for (let i = 0; i < MAX_QUESTIONS_A_CALLER; i += 1) readers.push(readGreedily(key));
      expect(readers.length).toBeGreaterThan(MAX_QUESTIONS_A_TENANT);
      await expectRefused(auditors[2]!, /^a tenant may ask 32 /);
    },
    MANY_TRIES_MS,
  );
});

it(
  'the statement of a client that left ends before an older statement',
  async () => {
    await until('the younger to end first', async () => {
      const older = readGreedily(keyOf('acme'));
      readers.push(older);
      await until('the older one to run', async () => (await blocked()).length === 1);
      const younger = readGreedily(keyOf('acme'));
      await until('both to run, or the older to have ended', async () => (await blocked()).length === 2);
      const [first, second] = await blocked();
      younger.leave();
      let left = await blocked();
      await until('one to end', async () => {
        left = await blocked();
        return !left.some(({ pid, began }) => pid === second?.pid && began === second?.began);
      });
      older.leave();
      await until('all to end', async () => (await blocked()).length === 0);
      return left.some(({ pid, began }) => pid === first?.pid && began === first?.began);
    });
  },
  MANY_TRIES_MS,
);

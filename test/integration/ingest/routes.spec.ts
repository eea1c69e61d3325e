import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Caller } from '../../../src/control/index.js';
import { MAX_ROUTES_A_SOURCE, OTHER_ROUTES } from '../../../src/projections/index.js';
import { access, createStage, fromChat, RAS, type Stage } from '../../support/stage.js';

const DOCS = 'https://login.docs.example';

let stage: Stage;
let caller: Caller;
beforeAll(async () => {
  stage = await createStage();
  const actor = { id: 'spec', tenant: stage.tenant };
  await stage.registry.createSource(actor, {
    name: 'docs',
    uri: `${DOCS}/events`,
    types: ['access.allowed'],
    issuers: [DOCS],
    resources: ['https://api.docs.example'],
  });
  await stage.registry.createCaller(actor, { id: 'both', roles: { emit: { sources: ['chat', 'docs'] } } });
  caller = stage.follower.state.caller('both')!;
});
afterAll(() => stage.stop());

const rows = async <T extends object>(sql: string, parameters: unknown[] = []): Promise<T[]> =>
  (await stage.database.pool.query<T>(sql, parameters)).rows;

const chat = (route: string) => fromChat('access.allowed', access({ route, token: { iss: RAS, jti: 'routes' } }));
const docs = (route: string) => ({
  ...fromChat('access.allowed', access({ route, token: { iss: DOCS, jti: 'routes' } })),
  source: `${DOCS}/events`,
});

/** The routes that the uses were stored under, in order. */
async function storedRoutes(batches: readonly (readonly ReturnType<typeof chat>[])[]): Promise<string[]> {
  const indexes: string[] = [];
  for (const batch of batches) {
    const answer = await stage.intake.take({
      contentType: 'application/cloudevents-batch+json',
      body: Buffer.from(JSON.stringify(batch)),
      caller,
    });
    if (!('batch' in answer)) throw new Error('not a batch');
    indexes.push(...answer.batch.map((result) => (result as { index: string }).index));
  }
  const found = await rows<{ route: string }>(
    `SELECT e.parts->>0 AS route FROM access a JOIN entity e ON e.tenant = a.tenant AND e.id = a.route
     WHERE a.tenant = $1 AND a.ix = ANY ($2::bigint[]) ORDER BY a.ix`,
    [stage.tenant, indexes],
  );
  return found.map(({ route }) => route);
}

/** Leaves room for one more route of the source. */
async function leaveOne(): Promise<void> {
  await storedRoutes([[chat('GET /first'), docs('GET /first-docs')]]);
  await rows(
    `UPDATE source_routes SET routes = CASE WHEN source = $1 THEN $2 ELSE 1 END, over = 0, over_from_ix = NULL`,
    [stage.chat.id, MAX_ROUTES_A_SOURCE - 1],
  );
}

/** Known, the last that is new, one too many, the same from a source that has room, the same again, another too many. */
const uses = (name: string) => [
  chat('GET /first'),
  chat(`${name}-a`),
  chat(`${name}-b`),
  docs(`${name}-b`),
  chat(`${name}-b`),
  chat(`${name}-c`),
];
const stored = (name: string) => ['GET /first', `${name}-a`, OTHER_ROUTES, `${name}-b`, `${name}-b`, OTHER_ROUTES];

describe('routes that a source brings beyond its bound', () => {
  it.each([
    ['one batch', (all: ReturnType<typeof uses>) => [all]],
    ['batches of one', (all: ReturnType<typeof uses>) => all.map((one) => [one])],
    ['batches of two', (all: ReturnType<typeof uses>) => [all.slice(0, 2), all.slice(2, 4), all.slice(4)]],
  ])('count as one route, wherever a batch ends: %s', async (name, cut) => {
    await leaveOne();
    expect(await storedRoutes(cut(uses(name)))).toEqual(stored(name));
    const [counted] = await rows<{ routes: number; over: string }>(
      'SELECT routes, over, over_from_ix IS NOT NULL AS since FROM source_routes WHERE source = $1',
      [stage.chat.id],
    );
    expect(counted).toEqual({ routes: MAX_ROUTES_A_SOURCE, over: '2', since: true });
  });

  it('are counted', async () => {
    const text = await stage.metrics.text();
    expect(text).toContain(`rescind_ingest_routes_over_total{source="${stage.chat.id}"} 6`);
  });
});

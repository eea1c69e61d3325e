import { createErasures, type Erasures, type RunOptions } from '../../../src/erasure/index.js';
import { advance } from '../../../src/erasure/index.js';
import { contentOf, createOwnTeller } from '../../../src/ingest/index.js';
import { createForgetting } from '../../../src/registry/index.js';
import { testLog } from '../../support/services.js';
import { fromChat, fromIdp, IDP, idJag, RAS, token, createStage, type Stage } from '../../support/stage.js';

/** A name that nothing else contains. */
export const ALICE = 'alice.archer@acme.example';
/** Alice's name at the chat application. */
export const LOCAL = 'local-alice-4711';
export const BOB = 'bob.baker@acme.example';
/** Alice's display name. */
export const SHOWN = 'Alice Archer';

export const aliceJag = (over: Parameters<typeof idJag>[0] = {}) =>
  idJag({ jti: 'gr-alice', sub: ALICE, aud_sub: LOCAL, sid: 's-17', ...over });
export const aliceToken = (over: Parameters<typeof token>[0] = {}) =>
  token({
    jti: 'at-alice',
    sub: LOCAL,
    id_jag: { iss: IDP, jti: 'gr-alice', sub: ALICE, client_id: 'wiki-at-chat' },
    ...over,
  });

export interface ErasureWorld {
  readonly stage: Stage;
  readonly erasures: Erasures;
  readonly options: RunOptions;
  readonly asker: { readonly id: string; readonly tenant: string };
  /** Orders an erasure and does its steps, at most `steps` of them. Resolves to the number of steps. */
  erase(user?: { readonly iss: string; readonly sub: string }, steps?: number): Promise<number>;
  /** Does the steps of what runs. */
  goOn(steps?: number): Promise<number>;
  rows<R extends object>(sql: string, values?: readonly unknown[]): Promise<R[]>;
  stop(): Promise<void>;
}

export async function createErasureWorld(over: Partial<RunOptions> = {}): Promise<ErasureWorld> {
  const stage = await createStage();
  const { pool } = stage.database;
  const { state } = stage.follower;
  const options: RunOptions = {
    pool,
    contentOf,
    tell: createOwnTeller({ name: 'person.erased', state, appender: stage.appender, pool }),
    forget: createForgetting(stage),
    ...over,
  };
  const erasures = createErasures({ ...options, tenants: () => state.tenants(), log: testLog() });
  const asker = { id: 'admin', tenant: stage.tenant };
  const goOn = async (steps = 1_000): Promise<number> => {
    for (let done = 0; done < steps; done += 1)
      if ((await advance(options, state.tenant(stage.tenant)!)) !== 'moved') return done;
    return steps;
  };
  return {
    stage,
    erasures,
    options,
    asker,
    goOn,
    async erase(user = { iss: IDP, sub: ALICE }, steps) {
      await erasures.order(asker, { user, reason: 'request 2026-117' });
      return goOn(steps);
    },
    rows: async <R extends object>(sql: string, values: readonly unknown[] = []) =>
      (await pool.query<R>(sql, [...values])).rows,
    async stop() {
      await erasures.stop();
      await stage.stop();
    },
  };
}

/** Events that name Alice in every place where an event can, and some that name others. */
export const aliceEvents = () => [
  fromIdp('id-jag.issued', aliceJag(), `issued-for-${ALICE}`),
  fromChat('token.issued', aliceToken()),
  fromChat('access.allowed', {
    token: { iss: RAS, jti: 'at-alice' },
    operation: 'read',
    route: 'GET /users/{id}',
    path: `/users/${encodeURIComponent(ALICE)}/${ALICE}`,
    client_address: '192.0.2.7',
  }),
  fromIdp('id-jag.denied', {
    iss: IDP,
    sub: ALICE,
    idp_client_id: 'wiki-at-idp',
    aud: [RAS],
    error: 'access_denied',
    reason: `${ALICE} may not`,
  }),
  fromChat('token.denied', {
    iss: RAS,
    id_jag: { iss: IDP, jti: 'gr-alice', sub: ALICE },
    error: 'invalid_grant',
    reason: `unknown user ${ALICE} (${SHOWN})`,
  }),
  fromIdp('session.ended', { iss: IDP, sid: 's-17', sub: ALICE }),
  fromIdp('user.disabled', { iss: IDP, sub: ALICE }, `disabled ${ALICE}`),
  fromIdp('id-jag.issued', idJag({ jti: 'gr-bob', sub: BOB })),
];

/** An entry that names two people. */
export const twoPeople = () =>
  fromIdp('id-jag.issued', aliceJag({ jti: 'gr-two', act: { iss: IDP, sub: BOB } }), 'two-people');

/**
 * Tables of the database in which any row holds the text, as a dump would show it: with bytes in hexadecimal. Partitions are read through their tables.
 */
export async function tablesWith(world: Pick<ErasureWorld, 'rows'>, text: string): Promise<Record<string, number>> {
  const tables = await world.rows<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1",
  );
  const found: Record<string, number> = {};
  const hex = Buffer.from(text).toString('hex');
  for (const { name } of tables) {
    const [row] = await world.rows<{ n: number }>(
      `SELECT count(*)::int AS n FROM ${name} t WHERE strpos(t::text, $1) > 0 OR strpos(t::text, $2) > 0`,
      [text, hex],
    );
    if (row!.n > 0) found[name] = row!.n;
  }
  return found;
}

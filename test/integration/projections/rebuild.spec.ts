import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RescindError } from '../../../src/contracts/index.js';
import { inTransaction } from '../../../src/platform/postgres/index.js';
import { ALL_PROJECTIONS, ENTER_GATE, PROJECTIONS, type Progress } from '../../../src/projections/index.js';
import { hold } from '../../support/hold.js';
import { access, createStage, fromChat, fromIdp, idJag, token, type Stage } from '../../support/stage.js';
import {
  differing,
  keepEmitting,
  readRows,
  readSchemas,
  readShape,
  rebuild,
  submitTraffic,
} from './rebuild-fixture.js';

let stage: Stage;
beforeEach(async () => {
  stage = await createStage();
});
afterEach(() => stage.stop());

const query = async <T extends object>(sql: string, values: unknown[] = []): Promise<T[]> =>
  (await stage.database.pool.query<T>(sql, values)).rows;
const oidOf = async (table: string): Promise<number> =>
  (await query<{ oid: number }>('SELECT $1::regclass::oid AS oid', [table]))[0]!.oid;
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: RescindError) => error.code,
  );

describe('a rebuild', () => {
  it('makes the same rows from the ledger alone, and replaces the live ones', async () => {
    await submitTraffic(stage, 20261127, 120);
    // Tokens whose ID-JAG names another client, told in both orders.
    await stage.emit(
      fromIdp('id-jag.issued', idJag({ jti: 'gr-stray' })),
      fromChat(
        'token.issued',
        token({ jti: 'at-stray', client_id: 'other-at-chat', id_jag: { iss: idJag().iss, jti: 'gr-stray' } }),
      ),
    );
    await stage.emit(
      fromChat(
        'token.issued',
        token({ jti: 'at-late', client_id: 'other-at-chat', id_jag: { iss: idJag().iss, jti: 'gr-late' } }),
      ),
    );
    await stage.emit(fromIdp('id-jag.issued', idJag({ jti: 'gr-late' })));
    const before = {
      shape: await readShape(stage.database.pool),
      rows: await readRows(stage),
      oid: await oidOf('token'),
    };
    // Batches that begin and end elsewhere than the appender's did.
    const rebuilt = await rebuild(stage, { batchEntries: 37n });
    expect(differing(rebuilt)).toEqual({});
    expect(rebuilt).toMatchObject({ switched: true, verified: true, erased: 0n });
    // Nothing is proven about a table that is empty.
    const filled = rebuilt.tables.filter(({ rows }) => rows !== '0').map(({ table }) => table);
    expect(filled).toEqual(
      expect.arrayContaining([
        'entity',
        'token',
        'token_name',
        'client_resource',
        'id_jag',
        'access',
        'first_use',
        'source_routes',
        'grant_version',
        'connection_version',
        'alias',
        'session',
        'use_total',
        'use_client',
        'use_res',
        'use_source',
        'edge_use',
        'edge_scope_used',
        'edge_agent_used',
        'edge_grant',
        'edge_scope_granted',
        'edge_agent_granted',
        'edge_seen',
        'client_user',
        'issuer_user',
        'source_count',
        'source_event',
        'rule_event',
        'said',
      ]),
    );
    expect(await oidOf('token')).not.toBe(before.oid);
    expect(await readShape(stage.database.pool)).toEqual(before.shape);
    expect(await readRows(stage)).toEqual(before.rows);
    expect(await readSchemas(stage.database.pool)).toEqual([]);
  });

  it('adds up the uses of users in a closed block', async () => {
    const block = 16_384;
    let said = 0;
    const use = () => fromChat('access.allowed', access({ trace_id: `use-${(said += 1)}` }));
    await stage.emit(fromIdp('id-jag.issued', idJag()), fromChat('token.issued', token()));
    const head = async () =>
      Number(
        (await query<{ ix: string }>('SELECT next_ix AS ix FROM ledger_head WHERE tenant = $1', [stage.tenant]))[0]!.ix,
      );
    for (let left = block - 2 - (await head()); left > 0; left -= 1_000)
      await stage.emit(...Array.from({ length: Math.min(left, 1_000) }, use));
    // Two of a batch's uses are the last of the block, the third is the first of the next.
    await stage.emit(use(), use(), use());
    const before = (
      await query<{ n: number }>('SELECT count(*)::int AS n FROM access WHERE bound_ix < $1', [block])
    )[0]!.n;
    expect([await head(), await query('SELECT blk, n::int FROM use_usr')]).toEqual([
      block + 1,
      [{ blk: 0, n: before }],
    ]);
    const rebuilt = await rebuild(stage, { batchEntries: 5_000n });
    expect(differing(rebuilt)).toEqual({});
    expect(
      rebuilt.tables.filter(({ table }) => table.startsWith('use_usr')).map(({ rebuiltRows }) => rebuiltRows),
    ).toEqual(['1', '1']);
  });

  it('makes the same rows an entry at a time, too', async () => {
    await submitTraffic(stage, 5, 8);
    expect(differing(await rebuild(stage, { batchEntries: 1n }))).toEqual({});
  });

  it('switches while ingest goes on: ingest loses and doubles nothing, and writes to the new tables', async () => {
    await submitTraffic(stage, 7, 60);
    const emitting = keepEmitting(stage);
    await emitting.reached(20);
    const rebuilt = await rebuild(stage);
    await emitting.reached(emitting.count() + 20);
    const emitted = await emitting.stop();
    expect(rebuilt).toMatchObject({ switched: true, verified: true });
    expect(differing(rebuilt)).toEqual({});
    const counted = await query<{ n: string }>(
      "SELECT count(*) AS n FROM access a JOIN token t ON t.tenant = a.tenant AND t.key = a.tok WHERE t.facts->>'jti' LIKE 'live-%' AND a.bound_ix IS NOT NULL",
    );
    expect(Number(counted[0]!.n)).toBe(emitted);
    // Both the rows of before and those that came since are what the ledger says.
    const again = await rebuild(stage);
    expect(differing(again)).toEqual({});
    expect(again.switched).toBe(true);
  });

  it('finds a live row that differs from the ledger, switches nothing, and repairs the row when told so', async () => {
    await submitTraffic(stage, 11, 30);
    const good = await readRows(stage);
    await query(
      'UPDATE token SET usr = 1, facts = facts || \'{"scope": "everything"}\' WHERE ix = (SELECT min(ix) FROM token)',
    );
    await query('DELETE FROM grant_version WHERE from_ix = (SELECT max(from_ix) FROM grant_version)');
    await query('UPDATE access SET n = n + 1 WHERE ix = (SELECT max(ix) FROM access)');
    const [bad, oid] = [await readRows(stage), await oidOf('token')];
    const found = await rebuild(stage);
    expect(found).toMatchObject({ switched: false, verified: undefined });
    const { grant_version: grants, ...others } = differing(found);
    expect(others).toEqual({ token: [1, 1], access: [1, 1] });
    expect(grants).toEqual([0, expect.any(Number)]);
    expect(grants![1]).toBeGreaterThan(0);
    expect([await readRows(stage), await oidOf('token'), await readSchemas(stage.database.pool)]).toEqual([
      bad,
      oid,
      [],
    ]);

    expect(await rebuild(stage, { acceptDifference: true })).toMatchObject({ switched: true });
    expect(await readRows(stage)).toEqual(good);
    expect(differing(await rebuild(stage))).toEqual({});
  });

  it('gives a lost name a new id, in every table and for every session that remembers the old one', async () => {
    const said = [
      fromIdp('id-jag.issued', idJag()),
      fromChat('token.issued', token()),
      fromChat('access.allowed', access()),
    ];
    await stage.emit(...said);
    await query("DELETE FROM entity WHERE kind = 1 AND parts->>2 = 'alice'");
    expect(await codeOf(rebuild(stage, { name: 'usage', acceptDifference: true }))).toBe('rebuild-differs');
    const rebuilt = await rebuild(stage, { acceptDifference: true });
    expect(rebuilt.switched).toBe(true);
    await stage.emit(
      fromChat('token.issued', token({ jti: 'at-2' })),
      fromChat('access.allowed', access({ token: { iss: token().iss, jti: 'at-2' } })),
    );
    const users = await query<{ name: string | null }>(
      'SELECT DISTINCT e.parts->>2 AS name FROM access a LEFT JOIN entity e ON e.tenant = a.tenant AND e.id = a.usr',
    );
    expect(users).toEqual([{ name: 'alice' }]);
    expect(differing(await rebuild(stage))).toEqual({});
  });

  it('rebuilds the named projections, those that they read and those that read them, and no others', async () => {
    await submitTraffic(stage, 13, 20);
    const watched = [
      'entity',
      'token',
      'access',
      'grant_version',
      'edge_seen',
      'session',
      'source_sequence',
      'rule_event',
    ];
    const oids = () => Promise.all(watched.map(oidOf));
    const changed = (before: readonly number[], after: readonly number[]): string[] =>
      watched.filter((_, nth) => before[nth] !== after[nth]);
    const before = await oids();
    expect((await rebuild(stage, { name: 'sessions' })).projections).toEqual(['sessions']);
    const after = await oids();
    expect(changed(before, after)).toEqual(['session']);
    // Edges are counted over uses, grants and connections; uses and sources read tokens.
    expect([...(await rebuild(stage, { name: 'tokens' })).projections].sort()).toEqual([
      'connections',
      'edges',
      'grants',
      'sources',
      'tokens',
      'usage',
    ]);
    expect(changed(after, await oids())).toEqual(['token', 'access', 'grant_version', 'edge_seen']);
    for (const name of ['connections', 'rules', 'sequences'])
      expect(differing(await rebuild(stage, { name }))).toEqual({});
  });

  it('refuses an unknown name, and lists the names', async () => {
    const refused = await rebuild(stage, { name: 'entities' }).catch((error: RescindError) => error);
    expect(refused).toMatchObject({
      code: 'invalid-request',
      detail: expect.stringContaining(
        'all, tokens, usage, grants, connections, edges, sessions, said, rules, sources, sequences',
      ),
    });
    expect(await codeOf(rebuild(stage, { leftOut: ['nothing.at_all'] }))).toBe('invalid-request');
  });

  it('does not compare what a release has changed', async () => {
    await submitTraffic(stage, 17, 10);
    await query("ALTER TABLE alias ADD COLUMN note text; UPDATE alias SET note = 'of the release before'");
    expect(differing(await rebuild(stage))).toHaveProperty('alias');
    const rebuilt = await rebuild(stage, { leftOut: ['alias.note', 'first_use'] });
    expect(rebuilt).toMatchObject({ switched: true, verified: true });
    expect(rebuilt.tables.find(({ table }) => table === 'alias')!.leftOut).toEqual(['note']);
    expect(rebuilt.tables.some(({ table }) => table === 'first_use')).toBe(false);
    expect(await query('SELECT FROM alias WHERE note IS NOT NULL')).toEqual([]);
  });

  it('knows every table that a projection may write', async () => {
    const declared = [...ALL_PROJECTIONS].flatMap((name) => Object.keys(PROJECTIONS[name].tables));
    const all = (
      await query<{ name: string }>(
        "SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition",
      )
    ).map(({ name }) => name);
    const others = [
      /^control_/,
      /^node/,
      /^(ledger|tree)_/,
      /^(entry|payload|entry_remainder|dedupe|erasure)$/,
      /^quarantine/,
      /^kafka_/,
      // Made anew by `rescind rebuild archive`, not from the ledger.
      /^archive_/,
      /^topic_/,
      /^migration$/,
      /^projection_gate$/,
      /^(directory|detection_change)$/,
      /^rule_confirmation$/,
      /^contradiction_owed$/,
      /^(signed_manifest|source_keys)$/,
      /^refused_token$/,
      /^caller_network$/,
      /^(?:person_session|sign_in_link|saved_view)$/,
      // Made by a follower of the ledgers.
      /^finding/,
      /^channel/,
    ];
    expect(all.filter((name) => !others.some((other) => other.test(name))).sort()).toEqual(declared.sort());
  });
});

describe('the ledger', () => {
  it('is trusted only if its bytes match the commitments', async () => {
    await submitTraffic(stage, 19, 5);
    await query("UPDATE payload SET bytes = bytes || ' '::bytea WHERE ix = (SELECT max(ix) FROM payload)");
    expect(await codeOf(rebuild(stage))).toBe('ledger-inconsistent');
    expect(await readSchemas(stage.database.pool)).toEqual([]);
  });

  it('says nothing about an event whose payload was erased: the event is counted, and its rows differ', async () => {
    await stage.emit(
      fromIdp('id-jag.issued', idJag()),
      fromChat('token.issued', token()),
      fromChat('access.allowed', access()),
    );
    await query(
      "DELETE FROM payload p USING entry e WHERE e.tenant = p.tenant AND e.ix = p.ix AND e.type = 'dev.rescind.access.allowed.v1'",
    );
    const rebuilt = await rebuild(stage);
    expect(rebuilt).toMatchObject({ erased: 1n, switched: false });
    expect(differing(rebuilt)).toMatchObject({ access: [1, 0] });
  });
});

describe('somebody who asks', () => {
  it('reads the tables of their snapshot to the end while ingest goes on', async () => {
    await submitTraffic(stage, 23, 10);
    let rebuilding: Promise<unknown> = Promise.resolve();
    const phases = new Set<Progress['phase']>();
    const counted = await inTransaction(stage.database.pool, async (client) => {
      await client.query(
        `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0; ${ENTER_GATE}`,
      );
      const [head] = (
        await client.query<{ next_ix: string }>('SELECT next_ix FROM ledger_head WHERE tenant = $1', [stage.tenant])
      ).rows;
      rebuilding = rebuild(stage, { onProgress: ({ phase }) => phases.add(phase) });
      while (!phases.has('switching')) await delay(10);
      // The lock that the switch waits for keeps nobody from writing.
      await stage.emit(fromChat('access.allowed', access()));
      // Long enough for a switch that did not wait.
      await delay(1_000);
      const [accesses] = (
        await client.query<{ n: string }>('SELECT count(*) AS n FROM access WHERE tenant = $1', [stage.tenant])
      ).rows;
      const [entries] = (
        await client.query<{ n: string }>(
          "SELECT count(*) AS n FROM entry WHERE tenant = $1 AND ix < $2 AND type LIKE 'dev.rescind.access.%'",
          [stage.tenant, head!.next_ix],
        )
      ).rows;
      return [accesses!.n, entries!.n];
    });
    expect(counted[0]).toBe(counted[1]);
    expect(await rebuilding).toMatchObject({ switched: true, verified: true });
  });
});

describe('two rebuilds', () => {
  it('do not run at the same time', async () => {
    await submitTraffic(stage, 29, 10);
    let second: Promise<string> | undefined;
    await rebuild(stage, { onProgress: () => (second ??= codeOf(rebuild(stage))) });
    expect(await second).toBe('rebuild-running');
    expect((await rebuild(stage)).switched).toBe(true);
  });
});

describe('a rebuild that is killed', () => {
  it.each(['reading', 'comparing', 'switching', 'verifying'] as const)(
    'leaves the live tables whole while %s, and the next one removes its remains',
    async (phase) => {
      await submitTraffic(stage, 31, 10);
      const before = await readRows(stage);
      const kill = (): Promise<unknown> =>
        query(
          "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = (7305808869231650670 & 4294967295)::oid AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        );
      let killed: Promise<unknown> | undefined;
      const outcome = await codeOf(
        rebuild(stage, { onProgress: (progress) => (progress.phase === phase ? (killed ??= kill()) : undefined) }),
      );
      await killed;
      expect(killed).toBeDefined();
      // Killed when the tables had been switched, it had nothing left to lose.
      expect(outcome === 'none').toBe(phase === 'verifying');
      expect(await readSchemas(stage.database.pool)).not.toEqual([]);
      expect(await readRows(stage)).toEqual(before);
      await stage.emit(fromChat('access.allowed', access({ token: { iss: token().iss, jti: 'after-all' } })));
      while ((await codeOf(rebuild(stage))) === 'rebuild-running') await delay(20);
      expect(await readSchemas(stage.database.pool)).toEqual([]);
      expect(differing(await rebuild(stage))).toEqual({});
    },
  );
});

describe('a rebuild that cannot have its locks', () => {
  it('lets ingest go on between its attempts', async () => {
    await submitTraffic(stage, 37, 5);
    const letGo = await hold(stage.database.pool, 'SELECT count(*) FROM token');
    const phases = new Set<Progress['phase']>();
    const rebuilding = rebuild(stage, { onProgress: ({ phase }) => phases.add(phase) });
    while (!phases.has('switching')) await delay(10);
    const answered: number[] = [];
    for (let n = 0; n < 5; n += 1) {
      const from = performance.now();
      await stage.emit(fromChat('access.allowed', access()));
      answered.push(performance.now() - from);
      await delay(150);
    }
    await letGo();
    const { ingestHeldMs, switched } = await rebuilding;
    expect(switched).toBe(true);
    // One attempt's locks at the longest: the promise of `hold.pg.ts`.
    expect(Math.max(...answered)).toBeLessThan(3_000);
    expect(ingestHeldMs).toBeLessThan(3_000);
    expect(differing(await rebuild(stage))).toEqual({});
  });
});

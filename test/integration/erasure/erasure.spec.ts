import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createControlState, writeSnapshot } from '../../../src/control/index.js';
import { checkDatabase } from '../../../src/fsck/index.js';
import { commitment, encodeEntry, leafHash } from '../../../src/merkle/index.js';
import { createLineageReader } from '../../../src/projections/index.js';
import { ruleKey, tokenKeys } from '../../../src/rules/index.js';
import { advance } from '../../../src/erasure/index.js';
import { differing, keepEmitting, rebuild, submitTraffic } from '../projections/rebuild-fixture.js';
import { fromChat, fromIdp, IDP, idJag, RAS } from '../../support/stage.js';
import {
  ALICE,
  aliceEvents,
  aliceJag,
  aliceToken,
  BOB,
  createErasureWorld,
  LOCAL,
  SHOWN,
  tablesWith,
  twoPeople,
  type ErasureWorld,
} from './erasure-fixture.js';

let world: ErasureWorld;
beforeEach(async () => {
  world = await createErasureWorld();
});
afterEach(() => world.stop());

const names = [ALICE, LOCAL, SHOWN];

/** Puts Alice's name into every place that is no entry. */
async function nameElsewhere(): Promise<void> {
  const { rows, stage } = world;
  const key = Buffer.from(
    ruleKey(stage.follower.state.tenant(stage.tenant)!.key, 'user', [IDP, null, ALICE]),
    'latin1',
  );
  await rows(
    `INSERT INTO directory (tenant, kind, key, parts, display_name, emails, tags, updated_at, updated_by)
     VALUES ($1, 1, $2, $3, $4, ARRAY[lower($5)], '{}', 1, 'admin')`,
    [stage.tenant, key, JSON.stringify([IDP, null, ALICE]), SHOWN, ALICE],
  );
  await rows(
    `INSERT INTO directory (tenant, kind, key, parts, display_name, emails, tags, owner, updated_at, updated_by)
     VALUES ($1, 2, '\\x01', '["https://idp.acme.example", "wiki"]', 'Wiki', '{}', '{}', $2, 1, $3)`,
    [stage.tenant, ALICE, `person:${IDP}#${ALICE}`],
  );
  await rows(
    `INSERT INTO person_session (tenant, id, iss, sub, name, roles, authenticated_at, seen_seq, began_at, used_at, ends_at)
     VALUES ($1, '\\x02', $2, $3, $4, '{admin}', 1, 1, 1, 1, 1)`,
    [stage.tenant, IDP, ALICE, SHOWN],
  );
  // Two names of the person tell these two views apart.
  for (const name of [ALICE, SHOWN])
    await rows(
      `INSERT INTO saved_view (tenant, id, owner, name, page, search, shared, updated_at, updated_by)
       VALUES ($1, gen_random_uuid(), 'carol', $2, '/access', '', true, 1, 'carol')`,
      [stage.tenant, name],
    );
  for (const shared of [true, false])
    await rows(
      `INSERT INTO saved_view (tenant, id, owner, name, page, search, shared, updated_at, updated_by)
       VALUES ($1, gen_random_uuid(), $2, $3, '/access', $4, $5, 1, $2)`,
      [
        stage.tenant,
        `person:${IDP}#${ALICE}`,
        `${SHOWN} ${String(shared)}`,
        `sub=${encodeURIComponent(ALICE)}`,
        shared,
      ],
    );
  await rows(
    `INSERT INTO finding (tenant, id, kind, subject, severity, count, first_at, last_at, entries, details, found_ms, grown_ms, grown_ix, opened_ix)
     VALUES ($1, gen_random_uuid(), 'administration', $2, 1, 1, 1, 1, '{}', $3, 1, 1, 1, 1)`,
    [
      stage.tenant,
      `key person:${IDP}#${ALICE} 192.0.2.0/24`,
      JSON.stringify({ how: 'person', person: { iss: IDP, sub: ALICE }, caller: `person:${IDP}#${ALICE}` }),
    ],
  );
  // She administers, and a snapshot of the control log remembers the callers.
  await stage.registry.createCaller(
    { id: `person:${IDP}#${ALICE}`, tenant: stage.tenant, person: { iss: IDP, sub: ALICE, authenticatedAt: 1 } },
    { id: 'made-by-a-person', roles: { audit: {} } },
  );
  await writeSnapshot(stage.database.pool, stage.follower.state, 0);
  // A refused event lies in quarantine.
  await stage.emit(fromIdp('user.enabled', { iss: 'https://not-ours.example', sub: ALICE }));
}

const hashes = () => world.rows('SELECT ix, arrival, type, source, commitment, leaf_hash FROM entry ORDER BY ix');
const payloads = async (): Promise<number> =>
  (await world.rows<{ n: number }>('SELECT count(*)::int AS n FROM payload'))[0]!.n;

describe('an erasure', () => {
  it('leaves the names of the person in no row of any table', async () => {
    await world.stage.emit(...aliceEvents());
    await nameElsewhere();
    for (const name of names) expect(Object.keys(await tablesWith(world, name)).length).toBeGreaterThan(1);
    const before = await payloads();

    const preview = await world.erasures.preview(world.asker, { user: { iss: IDP, sub: ALICE } });
    await world.erase();

    for (const name of names) expect({ [name]: await tablesWith(world, name) }).toEqual({ [name]: {} });
    const [erasure] = await world.erasures.list(world.asker);
    expect(erasure).toMatchObject({ state: 'done', reason: 'request 2026-117', author: { caller: 'admin' } });
    // The preview told what came.
    expect(preview.entries).toMatchObject({ complete: true, erased: erasure!.entries.erased, kept: 0 });
    expect(before - (await payloads())).toBe(erasure!.entries.erased - 1);
    expect(preview.tables.map(({ table }) => table)).toEqual(
      expect.arrayContaining(['entity', 'directory', 'person_session', 'saved_view', 'quarantine', 'control_log']),
    );
    expect(preview.names).toEqual([
      { iss: IDP, sub: ALICE },
      { iss: RAS, sub: LOCAL },
    ]);
    expect(await world.rows("SELECT name FROM saved_view WHERE owner = 'carol'")).toEqual([{ name: erasure!.shown }]);
    // Bob is as he was.
    expect(await tablesWith(world, BOB)).toMatchObject({ payload: 1, entity: 1, id_jag: 1 });
  });

  it('changes no entry, and every payload that is left is what was committed to', async () => {
    await world.stage.emit(...aliceEvents());
    await world.erasures.order(world.asker, { user: { iss: IDP, sub: ALICE }, reason: 'request 2026-117' });
    const before = await hashes();
    await world.goOn();
    const after = await hashes();
    // The last one is `person.erased`.
    expect(after.slice(0, -1)).toEqual(before);
    expect(after.at(-1)).toMatchObject({ type: 'dev.rescind.person.erased.v1' });
    type Row = { ix: string; arrival: string; type: string; source: string; leaf_hash: Buffer; commitment: Buffer };
    const whole = await world.rows<Row & { salt: Buffer; attributes: Buffer; bytes: Buffer }>(
      'SELECT * FROM entry JOIN payload USING (tenant, ix)',
    );
    expect(whole.length).toBeGreaterThan(1);
    for (const row of whole) {
      expect(commitment(row)).toEqual(row.commitment);
      const { ix, arrival, type, source } = row;
      expect(
        leafHash(
          encodeEntry({ index: BigInt(ix), arrivalMs: BigInt(arrival), type, source, commitment: row.commitment }),
        ),
      ).toEqual(row.leaf_hash);
    }
  });

  it('still knows the events that it erased: the same one is a duplicate, another under its id a conflict', async () => {
    const events = aliceEvents();
    await world.stage.emit(...events);
    const before = await payloads();
    await world.erase();
    expect(await payloads()).toBeLessThan(before);
    const head = (await hashes()).length;
    const again = await world.stage.emit(...events);
    expect(again).toEqual(events.map(() => expect.objectContaining({ duplicate: true })));
    expect(await world.stage.emit({ ...events[6]!, data: { iss: IDP, sub: BOB } })).toEqual([
      expect.objectContaining({ error: 'conflict' }),
    ]);
    expect((await hashes()).length).toBe(head);
  });

  it('leaves rules in force: of tokens of the person, earlier and later, and in a state that is folded anew', async () => {
    await world.stage.emit(...aliceEvents());
    // Only the rule on the user stops this token.
    await world.stage.emit(
      fromIdp('id-jag.issued', aliceJag({ jti: 'gr-other', sid: 's-18' })),
      fromChat('token.issued', aliceToken({ jti: 'at-other', id_jag: { iss: IDP, jti: 'gr-other', sub: ALICE } })),
    );
    const { stage } = world;
    const tenant = stage.follower.state.tenant(stage.tenant)!;
    const stops = async (state: Pick<typeof stage.follower.state, 'tenant'>, jti: string): Promise<boolean> => {
      const key = ruleKey(tenant.key, 'token', [RAS, jti]);
      const [stored] = await createLineageReader({ pool: stage.database.pool }).tokens(stage.tenant, [key]);
      const { tokens, idJags } = stored!;
      const keys = tokenKeys(tenant.key, {
        tokens: tokens.map(({ facts }) => facts),
        idJags: idJags.map(({ facts }) => facts),
        seenSeq: 0n,
        skew: 0,
      })!;
      return state.tenant(stage.tenant)!.rules.isStopped(keys, Math.floor(Date.now() / 1000));
    };
    await world.erase();
    await stage.emit(
      fromIdp('id-jag.issued', aliceJag({ jti: 'gr-later', sid: 's-18' })),
      fromChat('token.issued', aliceToken({ jti: 'at-later', id_jag: { iss: IDP, jti: 'gr-later' } })),
      fromChat('token.issued', aliceToken({ jti: 'at-bob', sub: 'local-bob', id_jag: { iss: IDP, jti: 'gr-bob' } })),
    );
    const folded = createControlState();
    for (const record of await stage.controlLog.readAfter(0n as never)) folded.apply(record);
    for (const state of [stage.follower.state, folded])
      expect([await stops(state, 'at-later'), await stops(state, 'at-other'), await stops(state, 'at-bob')]).toEqual([
        true,
        true,
        false,
      ]);
  });

  it('keeps the payload of an entry that names somebody else too, and says so', async () => {
    const [{ index }] = (await world.stage.emit(twoPeople())) as [{ index: string }];
    await world.stage.emit(fromIdp('id-jag.issued', aliceJag()));
    const preview = await world.erasures.preview(world.asker, { user: { iss: IDP, sub: ALICE } });
    expect(preview.entries).toMatchObject({ erased: 1, kept: 1, kept_first: [String(index)] });
    await world.erase();
    // Its payload is the one place that is left.
    expect(await tablesWith(world, ALICE)).toEqual({ payload: 1 });
    expect(await tablesWith(world, BOB)).toEqual({ payload: 1, id_jag: 1, entry_remainder: 1 });
    // When the other one is erased too, nobody else is named.
    await world.erase({ iss: IDP, sub: BOB });
    expect([await tablesWith(world, ALICE), await tablesWith(world, BOB)]).toEqual([{}, {}]);
  });

  it('lets a rebuild from the ledger make the same rows', async () => {
    await submitTraffic(world.stage, 20261201, 40);
    await world.stage.emit(...aliceEvents(), twoPeople());
    await world.stage.emit(fromIdp('id-jag.issued', aliceJag({ jti: 'gr-many', aud: [RAS, 'https://other.example'] })));
    await world.erase();
    // New data: the person is named again.
    await world.stage.emit(
      fromIdp('id-jag.issued', aliceJag({ jti: 'gr-new' })),
      fromChat('token.issued', aliceToken({ jti: 'at-new' })),
    );
    for (const batchEntries of [1n, 4_000n]) {
      const rebuilt = await rebuild(world.stage, { batchEntries });
      expect(differing(rebuilt)).toEqual({});
      expect(rebuilt).toMatchObject({ switched: true, verified: true });
      expect(rebuilt.erased).toBeGreaterThan(5n);
    }
    const users = await world.rows<{ sub: string }>('SELECT parts ->> -1 AS sub FROM entity WHERE kind = 1');
    expect(users.map(({ sub }) => sub)).not.toContain(ALICE);
    expect(users.filter(({ sub }) => sub.startsWith('erased person ')).length).toBeGreaterThan(1);
  });

  it('goes on after a kill between any two steps, and tells once; a check of the ledger finds nothing wrong at any of them', async () => {
    await submitTraffic(world.stage, 7, 10);
    await world.stage.emit(...aliceEvents());
    await world.erasures.order(world.asker, { user: { iss: IDP, sub: ALICE }, reason: 'request 2026-117' });
    const steps: string[] = [];
    for (let moved = 1; moved === 1; ) {
      steps.push((await world.erasures.list(world.asker))[0]!.step);
      // Every step dies once at its end, before it is noted as done.
      if (steps.at(-1) !== 'done') await expect(dying(world)).rejects.toThrow('killed');
      moved = await world.goOn(1);
      const [report] = await checkDatabase({ pool: world.stage.database.pool, ledgerDir: '/none' });
      expect(report).toMatchObject({ wrong: [], rules: expect.any(Number) });
    }
    expect([...new Set(steps)]).toEqual(['entries', 'tables', 'archive', 'tell', 'done']);
    for (const name of [ALICE, LOCAL]) expect(await tablesWith(world, name)).toEqual({});
    expect(await world.rows("SELECT FROM entry WHERE type = 'dev.rescind.person.erased.v1'")).toHaveLength(1);
  });

  it('is one at a time of a person, and a later one erases what came since', async () => {
    await world.stage.emit(...aliceEvents());
    const order = () => world.erasures.order(world.asker, { user: { iss: IDP, sub: ALICE }, reason: 'request 2' });
    const [one, other] = [await order(), await order()];
    expect(other.id).toBe(one.id);
    // An event that comes while it runs is new data.
    await world.goOn(1);
    await world.stage.emit(fromIdp('id-jag.issued', aliceJag({ jti: 'gr-meanwhile' })));
    await world.goOn();
    expect(await tablesWith(world, ALICE)).toEqual({ payload: 1, id_jag: 1 });
    expect((await order()).id).not.toBe(one.id);
    await world.goOn();
    expect(await tablesWith(world, ALICE)).toEqual({});
    expect(await world.erasures.list(world.asker)).toHaveLength(2);
  });

  it('does not stop ingest: what comes meanwhile is stored, and a rebuild makes the same rows', async () => {
    await submitTraffic(world.stage, 11, 20);
    await world.stage.emit(...aliceEvents());
    await world.erasures.order(world.asker, { user: { iss: IDP, sub: ALICE }, reason: 'request 2026-117' });
    const emitting = keepEmitting(world.stage);
    await emitting.reached(2);
    const came = await Promise.all([
      world.goOn(),
      ...Array.from({ length: 20 }, (_, n) =>
        world.stage.emit(fromIdp('id-jag.issued', aliceJag({ jti: `gr-meanwhile-${n}` }))),
      ),
    ]);
    await emitting.reached(emitting.count() + 2);
    await emitting.stop();
    expect(came.slice(1)).toEqual(Array.from({ length: 20 }, () => [expect.objectContaining({ state: 'sequenced' })]));
    expect((await world.erasures.list(world.asker))[0]).toMatchObject({ state: 'done' });
    expect(await tablesWith(world, ALICE)).toEqual({ payload: 20, id_jag: 20 });
    expect(differing(await rebuild(world.stage))).toEqual({});
  });

  it('leaves names of things, which are not the person', async () => {
    await world.stage.emit(
      fromIdp(
        'id-jag.issued',
        idJag({ jti: 'gr-agent', sub: BOB, agent: { id: `agent-of-${ALICE}`, type: 'assistant' } }),
      ),
      fromIdp('id-jag.issued', aliceJag()),
    );
    const preview = await world.erasures.preview(world.asker, { user: { iss: IDP, sub: ALICE } });
    expect(preview.stays).toEqual([{ what: 'agent whose name contains the person’s', count: 1 }]);
    await world.erase();
    expect(Object.keys(await tablesWith(world, ALICE)).toSorted()).toEqual([
      'entity',
      'entry_remainder',
      'id_jag',
      'payload',
    ]);
  });

  it('takes no reason that names the person, and no name that stands for one', async () => {
    await world.stage.emit(...aliceEvents());
    const user = { iss: IDP, sub: ALICE };
    await expect(world.erasures.order(world.asker, { user, reason: `for ${ALICE}` })).rejects.toMatchObject({
      code: 'invalid-request',
    });
    await world.erase();
    const [row] = await world.rows<{ sub: string }>(
      "SELECT parts ->> -1 AS sub FROM entity WHERE parts ->> -1 LIKE 'erased%'",
    );
    await expect(
      world.erasures.order(world.asker, { user: { iss: IDP, sub: row!.sub }, reason: 'again' }),
    ).rejects.toMatchObject({ code: 'inconsistent-request' });
  });
});

/** Does a step that loses its session before its COMMIT. */
async function dying({ options, stage }: ErasureWorld): Promise<unknown> {
  // The step `archive` begins with a transaction that only reads, and `tell` ends with a statement of its own.
  const [{ step }] = (await stage.database.pool.query<{ step: string }>('SELECT step FROM erasure')).rows as [
    { readonly step: string },
  ];
  let commits = { archive: 1, tell: 2 }[step] ?? 0;
  const pool = {
    query: async (sql: string, values?: unknown[]) => {
      if (sql.includes("SET step = 'done'")) throw new Error('killed');
      return options.pool.query(sql, values as never);
    },
    connect: async () => {
      const client = await options.pool.connect();
      return new Proxy(client, {
        get: (target, name) => {
          if (name === 'query')
            return async (sql: string, values?: unknown[]) => {
              if (sql === 'COMMIT' && commits-- === 0) throw new Error('killed');
              return target.query(sql, values as never);
            };
          const value = Reflect.get(target, name) as unknown;
          return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
        },
      });
    },
  };
  return advance({ ...options, pool: pool as never }, stage.follower.state.tenant(stage.tenant)!);
}

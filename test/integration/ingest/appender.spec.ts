import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { contentOf } from '../../../src/ingest/index.js';
import { contentHash } from '../../../src/log/index.js';
import { commitment, encodeEntry, leafHash } from '../../../src/merkle/index.js';
import { access, createStage, fromChat, fromIdp, idJag, token, type Stage } from '../../support/stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
  // The registry's changes are owed their entries: until they have them, an index may be taken by one of them.
  while ((await rows('SELECT 1 FROM control_outbox o, control_head h WHERE o.seq < h.seq')).length > 0) await delay(10);
});
afterAll(() => stage.stop());

const rows = async <T extends object>(sql: string, parameters: unknown[] = []): Promise<T[]> =>
  (await stage.database.pool.query<T>(sql, parameters)).rows;

const head = async (): Promise<bigint> =>
  BigInt(
    (await rows<{ next_ix: string }>('SELECT next_ix FROM ledger_head WHERE tenant = $1', [stage.tenant]))[0]!.next_ix,
  );

describe('the appender', () => {
  it('answers each event with its dense index, in the order of arrival', async () => {
    const before = await head();
    const results = await stage.emit(...[1, 2, 3].map((n) => fromIdp('id-jag.issued', idJag({ jti: `dense-${n}` }))));
    expect(results).toEqual([0n, 1n, 2n].map((n) => ({ index: String(before + n), state: 'sequenced' })));
  });

  it('stores an event once, within a batch and across batches, whatever its spelling', async () => {
    const event = fromIdp('id-jag.issued', idJag({ jti: 'once' }));
    const respelled = {
      ...event,
      time: event.time.replace('Z', '+00:00'),
      data: Object.fromEntries(Object.entries(event.data).toReversed()),
    };
    const [first, second] = (await stage.emit(event, respelled as typeof event)) as [{ index: string }, unknown];
    expect(second).toEqual({ duplicate: true, index: first.index });
    expect(await stage.emit(event)).toEqual([{ duplicate: true, index: first.index }]);
  });

  it('keeps the first content of an id and quarantines the other', async () => {
    const id = randomUUID();
    const [first] = (await stage.emit(fromIdp('id-jag.issued', idJag({ jti: 'first' }), id))) as [{ index: string }];
    const [other] = await stage.emit(fromIdp('id-jag.issued', idJag({ jti: 'other' }), id));
    expect(other).toEqual({ error: 'conflict', detail: `other content than the entry at index ${first.index}` });
    const quarantined = await rows<{ code: string; source: string }>(
      `SELECT code, source FROM quarantine WHERE code = 'conflict'`,
    );
    expect(quarantined).toEqual([{ code: 'conflict', source: stage.idp.id }]);
  });

  it('knows an event whose payload is erased by the hash that was kept, and takes nothing for it without the hash', async () => {
    const [id, unkept] = [randomUUID(), randomUUID()];
    const said = (jti: string, of: string) => fromIdp('id-jag.issued', idJag({ jti }), of);
    const events = [said('erased', id), said('unkept', unkept)];
    const stored = (await stage.emit(...events)) as { index: string }[];
    const indexes = stored.map(({ index }) => index);
    const [payload] = await rows<{ mode: 'batch'; attributes: Buffer; bytes: Buffer }>(
      'SELECT mode, attributes, bytes FROM payload WHERE tenant = $1 AND ix = $2',
      [stage.tenant, indexes[0]],
    );
    await rows('UPDATE dedupe SET hash = $3 WHERE tenant = $1 AND ix = $2', [
      stage.tenant,
      indexes[0],
      contentHash(payload!, contentOf),
    ]);
    await rows('DELETE FROM payload WHERE tenant = $1 AND ix = ANY ($2)', [stage.tenant, indexes]);
    expect(await stage.emit(...events, said('other', id))).toMatchObject([
      { duplicate: true, index: indexes[0] },
      { error: 'conflict' },
      { error: 'conflict' },
    ]);
  });

  it('writes entries that the merkle folder recomputes from their payload', async () => {
    await stage.emit(fromIdp('id-jag.issued', idJag({ jti: 'recomputed' })));
    const entries = await rows<EntryRow>('SELECT * FROM entry JOIN payload USING (tenant, ix) WHERE tenant = $1', [
      stage.tenant,
    ]);
    expect(entries.length).toBeGreaterThan(4);
    for (const row of entries) {
      const recomputed = commitment({ salt: row.salt, attributes: row.attributes, bytes: row.bytes });
      expect(row.commitment).toEqual(recomputed);
      const entry = encodeEntry({
        index: BigInt(row.ix),
        arrivalMs: BigInt(row.arrival),
        type: row.type,
        source: row.source,
        commitment: recomputed,
      });
      expect(row.leaf_hash).toEqual(leafHash(entry));
    }
  });

  it('never lets arrival run backwards, also when the clock does', async () => {
    const ahead = Date.now() + 60_000;
    await stage.database.pool.query('UPDATE ledger_head SET last_arrival = $2 WHERE tenant = $1', [
      stage.tenant,
      ahead,
    ]);
    const [result] = (await stage.emit(fromIdp('id-jag.issued', idJag({ jti: 'late-clock' })))) as [{ index: string }];
    const [entry] = await rows<{ arrival: string }>('SELECT arrival FROM entry WHERE tenant = $1 AND ix = $2', [
      stage.tenant,
      result.index,
    ]);
    expect(Number(entry!.arrival)).toBe(ahead);
  });

  it('gives every registry change its ledger entry, once, without secrets or keys', async () => {
    const own = await rows<{ type: string; bytes: Buffer }>(
      `SELECT type, bytes FROM entry JOIN payload USING (tenant, ix) WHERE tenant = $1 AND mode = 'own' ORDER BY ix`,
      [stage.tenant],
    );
    expect(own.map(({ type }) => type)).toEqual([
      'dev.rescind.tenant.changed.v1',
      'dev.rescind.caller.changed.v1',
      'dev.rescind.source.changed.v1',
      'dev.rescind.source.changed.v1',
      'dev.rescind.caller.changed.v1',
    ]);
    const text = own.map(({ bytes }) => bytes.toString()).join('\n');
    const tenantKey = stage.follower.state.tenant(stage.tenant)!.key.toString('base64url');
    expect(text).not.toContain(tenantKey);
    expect(text).not.toContain(stage.caller.secrets[0]!.sha256);
  });
});

interface EntryRow {
  ix: string;
  arrival: string;
  type: string;
  source: string;
  commitment: Buffer;
  leaf_hash: Buffer;
  salt: Buffer;
  attributes: Buffer;
  bytes: Buffer;
}

describe('projections', () => {
  it('binds usage that comes before its lineage, in the lineage event’s own transaction', async () => {
    const early = await stage.emit(
      fromChat('access.allowed', access({ token: { iss: stage.chat.issuers[0]!, jti: 'early' } })),
    );
    const ix = (early[0] as { index: string }).index;
    expect(await rows('SELECT bound_ix, usr FROM access WHERE tenant = $1 AND ix = $2', [stage.tenant, ix])).toEqual([
      { bound_ix: null, usr: null },
    ]);
    const [issued] = (await stage.emit(fromChat('token.issued', token({ jti: 'early' })))) as [{ index: string }];
    const bound = await rows<{ bound_ix: string; parts: unknown }>(
      'SELECT bound_ix, e.parts FROM access a JOIN entity e ON e.tenant = a.tenant AND e.id = a.usr WHERE a.tenant = $1 AND ix = $2',
      [stage.tenant, ix],
    );
    expect(bound).toEqual([{ bound_ix: issued.index, parts: ['https://idp.acme.example', null, 'alice'] }]);
  });

  it('knows the user of a token whose RAS states none once the IdP has spoken', async () => {
    const stated = { iss: 'https://idp.acme.example', jti: 'unstated' };
    await stage.emit(fromChat('token.issued', token({ jti: 'unstated-at', id_jag: stated })));
    await stage.emit(
      fromChat('access.allowed', access({ token: { iss: stage.chat.issuers[0]!, jti: 'unstated-at' } })),
    );
    const attributed = (): Promise<object[]> =>
      rows(`SELECT 1 FROM access a JOIN token t ON t.tenant = a.tenant AND t.key = a.tok
            WHERE t.facts->>'jti' = 'unstated-at' AND a.usr IS NOT NULL AND a.agent IS NOT NULL`);
    expect(await attributed()).toEqual([]);
    await stage.emit(fromIdp('id-jag.issued', idJag({ jti: 'unstated' })));
    expect(await attributed()).toHaveLength(1);
  });

  it('keeps a version of a grant for each growth of its scopes', async () => {
    const user = { sub: 'grower' };
    await stage.emit(fromIdp('id-jag.issued', idJag({ ...user, jti: 'g1', scope: 'chat.read' })));
    await stage.emit(fromIdp('id-jag.issued', idJag({ ...user, jti: 'g2', scope: 'chat.read' })));
    await stage.emit(fromIdp('id-jag.issued', idJag({ ...user, jti: 'g3', scope: 'chat.write' })));
    const versions = await rows(
      `SELECT g.scopes, g.to_ix IS NULL AS open FROM grant_version g JOIN entity e ON e.tenant = g.tenant AND e.id = g.usr
       WHERE e.parts->>2 = 'grower' ORDER BY g.from_ix`,
    );
    expect(versions).toEqual([
      { scopes: ['chat.read'], open: false },
      { scopes: ['chat.read', 'chat.write'], open: true },
    ]);
  });

  it('marks a token with two contradicting events, and stops it by a rule', async () => {
    await stage.emit(fromChat('token.issued', token({ jti: 'twice' })));
    await stage.emit(fromChat('token.issued', token({ jti: 'twice', scope: 'chat.read chat.admin' })));
    expect(await rows(`SELECT conflict_ix IS NOT NULL AS conflict FROM token WHERE facts->>'jti' = 'twice'`)).toEqual([
      { conflict: true },
    ]);
    const rules = await rows<{ selector: unknown }>(
      `SELECT body->'selector' AS selector FROM control_log WHERE kind = 'rule.ordered'`,
    );
    expect(rules).toEqual([{ selector: { token: { iss: 'https://login.chat.example', jti: 'twice' } } }]);
  });
});

describe('a token with two events', () => {
  const conflictOf = (jti: string) => rows(`SELECT conflict_ix FROM token WHERE facts->>'jti' = $1`, [jti]);
  const blocksOf = (jti: string) =>
    rows(`SELECT 1 FROM control_log WHERE kind = 'rule.ordered' AND body->'selector'->'token'->>'jti' = $1`, [jti]);

  it('is no contradiction if both events say the same, in one batch or in two', async () => {
    const told = token({ jti: 'same-facts' });
    const again = token({ jti: 'same-facts-at-once' });
    await stage.emit(fromChat('token.issued', told, 'same-facts-1'));
    await stage.emit(fromChat('token.issued', told, 'same-facts-2'));
    await stage.emit(fromChat('token.issued', again, 'same-facts-3'), fromChat('token.issued', again, 'same-facts-4'));
    for (const jti of ['same-facts', 'same-facts-at-once'])
      expect([await conflictOf(jti), await blocksOf(jti)]).toEqual([[{ conflict_ix: null }], []]);
  });
});

describe('the position that a token was seen at', () => {
  it('is the head of the control log: a later order “as of now” reaches it, whatever its clock says', async () => {
    await stage.emit(fromChat('token.issued', token({ jti: 'seen' })));
    const [{ seq }] = (await rows<{ seq: string }>('SELECT seq FROM control_head')) as [{ seq: string }];
    expect(await rows(`SELECT seen_seq FROM token WHERE facts->>'jti' = 'seen'`)).toEqual([{ seen_seq: seq }]);
  });
});

describe('an event that the database refuses', () => {
  it('is found by halving and quarantined, while its neighbours are stored', async () => {
    // 23514: a check that the schema of the event does not know.
    await stage.database.pool.query(
      `ALTER TABLE id_jag ADD CONSTRAINT spec CHECK (facts->>'jti' <> 'poison') NOT VALID`,
    );
    const results = await stage.emit(
      ...['before', 'poison', 'after', 'end'].map((jti) => fromIdp('id-jag.issued', idJag({ jti, sub: 'bisected' }))),
    );
    await stage.database.pool.query('ALTER TABLE id_jag DROP CONSTRAINT spec');
    expect(results).toEqual([
      { index: expect.any(String), state: 'sequenced' },
      { error: 'refused-by-database', detail: 'the database refused it' },
      { index: expect.any(String), state: 'sequenced' },
      { index: expect.any(String), state: 'sequenced' },
    ]);
    expect(await rows(`SELECT facts->>'jti' AS jti FROM id_jag WHERE facts->>'sub' = 'bisected' ORDER BY ix`)).toEqual([
      { jti: 'before' },
      { jti: 'after' },
      { jti: 'end' },
    ]);
  });

  it('is found even if it is refused only together with another', async () => {
    await stage.database.pool.query('CREATE UNIQUE INDEX spec ON access (status) WHERE status = 299');
    const seen = (n: number, status: number) =>
      fromChat('access.allowed', access({ status, token: { iss: stage.chat.issuers[0]!, jti: `pair-${n}` } }));
    const results = await stage.emit(
      seen(1, 299),
      seen(2, 200),
      seen(3, 200),
      seen(4, 299),
      seen(5, 200),
      seen(6, 299),
    );
    await stage.database.pool.query('DROP INDEX spec');
    const refused = { error: 'refused-by-database', detail: 'the database refused it' };
    const stored = { index: expect.any(String), state: 'sequenced' };
    expect(results).toEqual([stored, stored, stored, refused, stored, refused]);
  });
});

describe('an event that is submitted at once after the answer to another', () => {
  it.each([0, 1, 2, 3, 4, 5])('is written without waiting for a third: %i turns later', async (turns) => {
    const take = (name: string) => {
      const body = Buffer.from(JSON.stringify(fromIdp('id-jag.issued', idJag({ jti: `${name}-${turns}` }))));
      return stage.intake.take({ contentType: 'application/cloudevents+json', body, caller: stage.caller });
    };
    await take('first');
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    expect(await take('second')).toMatchObject({ single: { state: 'sequenced' } });
  });
});

describe('a session', () => {
  const pool = () => stage.database.pool;

  async function endSessions(): Promise<void> {
    const own = await pool().connect();
    await own.query(`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                     WHERE datname = current_database() AND application_name = current_setting('application_name') AND pid <> pg_backend_pid()`);
    own.release(true);
    while (pool().totalCount > 0) await delay(10);
  }

  it('whose first batch is rolled back takes the next ones', async () => {
    await pool().query(`ALTER TABLE id_jag ADD CONSTRAINT spec CHECK (facts->>'jti' <> 'first-poison') NOT VALID`);
    await endSessions();
    const [refused] = await stage.emit(fromIdp('id-jag.issued', idJag({ jti: 'first-poison' })));
    const [stored] = await stage.emit(fromIdp('id-jag.issued', idJag({ jti: 'after-first-poison' })));
    await pool().query('ALTER TABLE id_jag DROP CONSTRAINT spec');
    expect([refused, stored]).toMatchObject([{ error: 'refused-by-database' }, { state: 'sequenced' }]);
  });

  it('keeps no plan between batches: a plan for small tables would stay while they grow', async () => {
    await stage.emit(fromIdp('id-jag.issued', idJag({ jti: 'planned' })), fromChat('access.allowed', access()));
    const sessions = await Promise.all(Array.from({ length: pool().totalCount }, () => pool().connect()));
    const kept = await Promise.all(
      sessions.map((session) =>
        session.query(`SELECT statement FROM pg_prepared_statements WHERE statement ~ '(entry|access|entity)'`),
      ),
    );
    for (const session of sessions) session.release();
    expect(kept.flatMap(({ rows: statements }) => statements)).toEqual([]);
  });
});

describe('events that become rules', () => {
  const ordered = async (jti: string): Promise<object[]> =>
    rows(
      `SELECT body->>'effect' AS effect FROM control_log WHERE kind = 'rule.ordered' AND body->'selector'->'token'->>'jti' = $1`,
      [jti],
    );
  const revoked = (jti: string, id: string) => fromChat('token.revoked', { iss: stage.chat.issuers[0]!, jti }, id);

  it('order their rule once, however often they arrive', async () => {
    const event = revoked('rule-1', 'rule-1');
    await stage.emit(event, event);
    await stage.emit(event);
    expect(await ordered('rule-1')).toEqual([{ effect: 'revoke' }]);
  });

  it('order nothing under an id that another event used, before or in the same batch', async () => {
    await stage.emit(fromChat('token.issued', token({ jti: 'used' }), 'used'));
    const [later] = await stage.emit(revoked('rule-2', 'used'));
    const [, together] = await stage.emit(
      fromChat('token.issued', token({ jti: 'same' }), 'same'),
      revoked('rule-3', 'same'),
    );
    expect([later, together]).toMatchObject([{ error: 'conflict' }, { error: 'conflict' }]);
    expect([...(await ordered('rule-2')), ...(await ordered('rule-3'))]).toEqual([]);
  });
});

describe('a user that is disabled and enabled within a second', () => {
  it.each([
    [
      'enabled last',
      [
        ['user.disabled', 200],
        ['user.enabled', 800],
      ],
      1,
    ],
    [
      'enabled last, said first',
      [
        ['user.enabled', 800],
        ['user.disabled', 200],
      ],
      1,
    ],
    [
      'disabled last, said first',
      [
        ['user.disabled', 800],
        ['user.enabled', 200],
      ],
      0,
    ],
    [
      'both at once',
      [
        ['user.disabled', 500],
        ['user.enabled', 500],
      ],
      0,
    ],
  ] as const)('%s', async (name, said, state) => {
    const second = Math.floor(Date.now() / 1000) * 1000 - 5_000;
    for (const [type, ms] of said) {
      await stage.emit({
        ...fromIdp(type, { iss: stage.idp.issuers[0]!, sub: name }),
        time: new Date(second + ms).toISOString(),
      });
    }
    const versions = await rows(
      `SELECT p.state FROM principal_version p JOIN entity e ON e.tenant = p.tenant AND e.id = p.entity WHERE e.parts->>2 = $1 AND p.to_ix IS NULL`,
      [name],
    );
    expect(versions).toEqual([{ state }]);
  });
});

describe('first_use', () => {
  it('has the earliest index at which a use was bound, even if one batch brings the use and binds it', async () => {
    const used = (jti: string) =>
      fromChat('access.allowed', access({ token: { iss: stage.chat.issuers[0]!, jti }, scope: 'chat.first' }));
    const issued = (jti: string) =>
      fromChat(
        'token.issued',
        token({ jti, sub: 'first', id_jag: { iss: stage.idp.issuers[0]!, jti: 'x', sub: 'first' } }),
      );
    await stage.emit(issued('known'), used('unknown'));
    const [brought] = (await stage.emit(used('known'), issued('unknown'))) as [{ index: string }];
    const first = await rows(
      `SELECT first_ix FROM first_use f JOIN entity e ON e.tenant = f.tenant AND e.id = f.scope WHERE e.parts->>0 = 'chat.first'`,
    );
    expect(first).toEqual([{ first_ix: brought.index }]);
  });
});

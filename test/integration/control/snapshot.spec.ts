import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createControlState,
  keepSnapshots,
  readSnapshot,
  writeSnapshot,
  type ControlLog,
  type ControlState,
  type NewControlRecord,
  type Seq,
} from '../../../src/control/index.js';
import { selectorKey, type Selector } from '../../../src/rules/index.js';
import { testLog } from '../../support/services.js';
import { createControlDatabase, record, TENANT, until, type ControlDatabase } from './control-fixture.js';

const KEY = Buffer.alloc(32, 3);
/** More than one part holds. */
const RULES = 20_000;

const block = (sub: string): NewControlRecord => {
  const selector: Selector = { user: { iss: 'https://idp.example', sub } };
  const { shape, key } = selectorKey(KEY, selector);
  const id = randomUUID();
  const body = {
    id,
    effect: 'block',
    selector,
    shape,
    key: Buffer.from(key, 'latin1').toString('base64url'),
    reauthenticate: false,
    reason: 'spec',
    author: { caller: 'spec' },
  } as const;
  return { kind: 'rule.ordered', tenant: TENANT, subject: id, body };
};

describe('snapshots of the control state', () => {
  let database: ControlDatabase;
  let whole: ControlState;

  beforeAll(async () => {
    database = await createControlDatabase();
    await database.append(record());
    for (let from = 0; from < RULES; from += 2_000)
      await database.append(...Array.from({ length: 2_000 }, (_, nth) => block(`u-${from + nth}`)));
    whole = await catchUp(createControlState());
  });
  afterAll(() => database.drop());

  async function catchUp(state: ControlState): Promise<ControlState> {
    for (;;) {
      const records = await database.controlLog.readAfter(state.head);
      if (records.length === 0) return state;
      for (const one of records) state.apply(one);
    }
  }
  async function restored(): Promise<{ found: boolean; state: ControlState }> {
    const state = createControlState();
    const client = await database.pool.connect();
    try {
      return { found: await readSnapshot(client, state), state };
    } finally {
      client.release();
    }
  }
  const sizes = (state: ControlState): unknown => [state.head, state.registryVersion, state.tenant(TENANT)?.rules.size];

  it('a state begins with the log if there is no snapshot', async () => {
    expect(await restored()).toMatchObject({ found: false, state: { head: 0n } });
  });

  it('one of several processes writes it, and none does before enough has changed', async () => {
    expect(await writeSnapshot(database.pool, whole, RULES + 2)).toBe(false);
    const written = await Promise.all([1, 2, 3].map(() => writeSnapshot(database.pool, whole, 1_000)));
    expect(written.filter(Boolean)).toHaveLength(1);
    expect(await database.value('SELECT count(*)::int FROM control_snapshot_part')).toBeGreaterThan(3);
  });

  it('restores the state, and later records are read on top', async () => {
    const { found, state } = await restored();
    expect([found, sizes(state)]).toEqual([true, sizes(whole)]);
    const last = (await database.controlLog.readAfter((whole.head - 1n) as Seq))[0]!;
    expect(state.tenant(TENANT)!.rules.get(last.subject)).toEqual(whole.tenant(TENANT)!.rules.get(last.subject));
    await database.append(block('since'), record('renamed'));
    expect(sizes(await catchUp(state))).toEqual(sizes(await catchUp(whole)));
    expect(state.tenantByName('renamed')?.rules.size).toBe(RULES + 1);
  });

  it('replaces the previous snapshot', async () => {
    expect(await writeSnapshot(database.pool, whole, 2)).toBe(true);
    expect(await database.value('SELECT count(*)::int FROM control_snapshot')).toBe(1);
    expect(sizes((await restored()).state)).toEqual(sizes(whole));
  });

  it('is where a process starts: it reads the log from there, and ends with the same state as a process that read all of it', async () => {
    const { head } = (await restored()).state;
    await database.append(block('after-the-snapshot'));
    const read: bigint[] = [];
    const controlLog: ControlLog = {
      ...database.controlLog,
      readAfter(seq, session) {
        read.push(seq);
        return database.controlLog.readAfter(seq, session);
      },
    };
    const follower = database.follow({ controlLog });
    const told: bigint[] = [];
    follower.onApplied((records) => told.push(...records.map(({ seq }) => seq)));
    const applied = follower.whenApplied(head);
    await follower.start();
    await applied;
    // The snapshot's own last record is kept, so that the next records are known to follow it.
    expect(read[0]).toBe(head - 1n);
    expect(told).toEqual([head + 1n]);
    expect([follower.isCurrent(), sizes(follower.state)]).toEqual([true, sizes(await catchUp(whole))]);
  });

  it('is renewed while a process runs, which drops dead rules too', async () => {
    const revoked = block('long-dead');
    const { body } = revoked as Extract<NewControlRecord, { kind: 'rule.ordered' }>;
    await database.append(
      { ...revoked, body: { ...body, effect: 'revoke', before: 1_000_000_000 } } as NewControlRecord,
      record(),
    );
    await catchUp(whole);
    expect(whole.tenant(TENANT)!.rules.get(body.id)).toBeDefined();
    const end = keepSnapshots({
      pool: database.pool,
      state: whole,
      log: testLog(),
      lastUses: async () => new Map(),
      intervalMs: 5,
      recordsASnapshot: 1,
    });
    await until('a snapshot of the new head', async () => (await restored()).state.head === whole.head);
    await end();
    expect(whole.tenant(TENANT)!.rules.get(body.id)).toBeUndefined();
    expect(sizes((await restored()).state)).toEqual(sizes(whole));
  });

  it('is not read if it has another format, or belongs to a record that this log does not have', async () => {
    await database.pool.query(`UPDATE control_snapshot SET dumped_as = '0/0/little'`);
    expect((await restored()).found).toBe(false);
    await writeSnapshot(database.pool, whole);
    expect(await writeSnapshot(database.pool, whole, 1)).toBe(true);
    expect((await restored()).found).toBe(true);
    await database.pool.query(`UPDATE control_snapshot SET at = at + interval '1 millisecond'`);
    expect((await restored()).found).toBe(false);
  });
});

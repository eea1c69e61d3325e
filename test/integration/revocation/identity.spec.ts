import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CloudEvent } from '../../../src/contracts/index.js';
import {
  createControlState,
  dropUnused,
  type Caller,
  type ControlState,
  type LastUses,
  type Seq,
} from '../../../src/control/index.js';
import { createIntrospection, type Introspection } from '../../../src/introspection/index.js';
import { createLineageReader, lastUsesOf, rulesAsOf, type TenantRows } from '../../../src/projections/index.js';
import { createAuthenticator, createKeySets, type KeySets } from '../../../src/registry/index.js';
import { createRevocations, type Revocations } from '../../../src/revocation/index.js';
import { KEPT_S, type Selector } from '../../../src/rules/index.js';
import { testLog } from '../../support/services.js';
import { API, createStage, fromChat, fromIdp, IDP, idJag, RAS, token, type Stage } from '../../support/stage.js';
import { until } from '../control/control-fixture.js';

const DAY_S = 86_400;
/** A token granted this much after an order lies beyond every skew of the order, and within the bound that intake accepts. */
const LATER_S = 120;

let stage: Stage;
let revocations: Revocations;
let introspection: Introspection;
let keySets: KeySets;
let analyst: Caller;
let secret: string;
let rows: TenantRows;
const seconds = (): number => Math.floor(Date.now() / 1_000);
const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');

beforeAll(async () => {
  stage = await createStage();
  const { registry, follower, controlLog, database, tenant, metrics } = stage;
  const actor = { id: 'admin', tenant };
  await registry.createCaller(actor, { id: 'analyst', roles: { revoke: { tenant: true } } });
  secret = (
    await registry.createCaller(actor, { id: 'api', roles: { introspect: { resources: [API], issuers: [RAS] } } })
  ).secret;
  analyst = follower.state.caller('analyst')!;
  revocations = createRevocations({ controlLog, follower, pool: database.pool });
  keySets = createKeySets({ state: follower.state, log: testLog(), allowedHosts: [] });
  const authenticate = createAuthenticator({ state: () => follower.state });
  // The clock is ahead, so that a token granted later than an order is good already.
  const now = (): number => Date.now() + LATER_S * 1_000;
  introspection = createIntrospection({
    follower,
    authenticate,
    keySets,
    lineage: createLineageReader({ pool: database.pool }),
    metrics,
    log: testLog(),
    now,
  });
  rows = async (sql, values = []) =>
    (await database.pool.query(typeof sql === 'string' ? sql : sql.text, [tenant, ...values])).rows as never;
}, 60_000);
afterAll(async () => {
  keySets.stop();
  await introspection.stop();
  await stage.stop();
});

async function emit(...events: readonly CloudEvent[]): Promise<void> {
  for (const result of await stage.emit(...events)) expect(result).toMatchObject({ state: 'sequenced' });
  const { rows: heads } = await stage.database.pool.query<{ seq: string }>('SELECT seq FROM control_head');
  await stage.follower.whenInForce(BigInt(heads[0]!.seq) as Seq);
}

async function isActive(text: string): Promise<boolean> {
  const authorization = `Basic ${Buffer.from(`api:${secret}`).toString('base64')}`;
  const authenticate = () =>
    createAuthenticator({ state: () => stage.follower.state })({ authorization, remoteAddress: '127.0.0.1' });
  const answer = await introspection.introspect({ token: text, hint: undefined, authenticate });
  if (answer.kind !== 'decided') throw new Error(answer.kind);
  return (JSON.parse(answer.body) as { active: boolean }).active;
}

interface Issued {
  readonly idJag?: string;
  readonly sid?: string;
  readonly parent?: string;
  readonly at?: number;
}

/** An opaque token as its RAS tells of it: of its ID-JAG no time, and nothing by the IdP. */
async function issue({ idJag: jti = randomUUID(), sid, parent, at = seconds() }: Issued): Promise<string> {
  const text = `opaque-${randomUUID()}`;
  const stated = { iss: IDP, jti, sub: 'alice', ...(sid === undefined ? {} : { sid }) };
  const of = parent === undefined ? {} : { parent: { sha256: digest(parent) } };
  await emit(
    fromChat(
      'token.issued',
      token({ jti: undefined, sha256: digest(text), iat: at, exp: at + 900, id_jag: stated, ...of }),
    ),
  );
  return text;
}

const revoke = (selector: Selector) => revocations.order(analyst, { selector, reason: 'spec' });

describe('a revocation by identity lasts', () => {
  it('for an ID-JAG that is redeemed again', async () => {
    const jti = randomUUID();
    const first = await issue({ idJag: jti });
    expect(await isActive(first)).toBe(true);
    expect(await revoke({ id_jag: { iss: IDP, jti } })).toMatchObject({ regrant_after: null });
    const again = await issue({ idJag: jti, at: seconds() + LATER_S });
    const other = await issue({ at: seconds() + LATER_S });
    expect([await isActive(first), await isActive(again), await isActive(other)]).toEqual([false, false, true]);
  });

  it.each<[string, (sid: string) => Promise<unknown>]>([
    ['by API', (sid) => revoke({ session: { iss: IDP, sid } })],
    ['by API, with another member', (sid) => revoke({ session: { iss: IDP, sid }, issuer: RAS })],
    [
      'by a block that was lifted',
      async (sid) => {
        const { id } = await revocations.order(analyst, {
          selector: { session: { iss: IDP, sid } },
          effect: 'block',
          reason: 'spec',
        });
        await revocations.lift(analyst, id, {});
      },
    ],
    ['by event', (sid) => emit(fromIdp('session.ended', { iss: IDP, sid, sub: 'alice' }))],
  ])('for a session that is exchanged again, ended %s', async (_name, end) => {
    const sid = randomUUID();
    const first = await issue({ sid });
    expect(await isActive(first)).toBe(true);
    await end(sid);
    const at = seconds() + LATER_S;
    const jti = randomUUID();
    await emit(fromIdp('id-jag.issued', idJag({ jti, sid, iat: at, exp: at + 300 })));
    const told = await issue({ idJag: jti, at });
    const stated = await issue({ sid, at });
    const other = await issue({ sid: randomUUID(), at });
    expect([await isActive(first), await isActive(told), await isActive(stated), await isActive(other)]).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  it.each<[string, (refresh: string) => Promise<unknown>]>([
    ['by API', (refresh) => revoke({ token: { sha256: digest(refresh) } })],
    ['by event', (refresh) => emit(fromChat('token.revoked', { iss: RAS, sha256: digest(refresh), kind: 'refresh' }))],
  ])('for a refresh token that a token comes from later, revoked %s', async (_name, end) => {
    const refresh = await issue({});
    await end(refresh);
    expect(await isActive(await issue({ parent: refresh, at: seconds() + LATER_S }))).toBe(false);
  });

  it('and refuses a moment', async () => {
    const order = {
      selector: { session: { iss: IDP, sid: 's' } },
      effect: 'revoke',
      before: seconds() - 60,
      reason: 'spec',
    };
    await expect(revocations.order(analyst, order)).rejects.toMatchObject({ code: 'invalid-effect' });
    await expect(revocations.preview(analyst, order)).rejects.toMatchObject({ code: 'invalid-effect' });
  });
});

describe('a rule by identity is kept for a lineage’s age after the last token or ID-JAG that was recorded with it', () => {
  /** Moves the recording of what was issued last to so many seconds after `from`. */
  async function recordedAt(from: number, after: number): Promise<void> {
    await stage.database.pool.query(
      'UPDATE entry SET arrival = $2 WHERE tenant = $1 AND ix = (SELECT max(ix) FROM entry WHERE tenant = $1 AND type LIKE $3)',
      [stage.tenant, (from + after) * 1_000, '%.issued.v1'],
    );
  }

  const lastUses: LastUses = (_tenant, rules) => lastUsesOf(rows, rules);

  /** The state that this log folds to, read by a process so long after it. */
  async function foldedLater(at: number): Promise<ControlState> {
    const state = createControlState();
    for (const record of await stage.controlLog.readAfter(0n as Seq)) state.apply(record);
    const tenant = state.tenant(stage.tenant)!;
    state.apply({
      kind: 'tenant.changed',
      tenant: tenant.id,
      subject: tenant.id,
      body: { id: tenant.id, name: tenant.name, key: tenant.key.toString('base64url') },
      seq: (state.head + 1n) as Seq,
      version: 1,
      at: at * 1_000,
    });
    return state;
  }

  it.each<[string, (name: string) => Selector, (name: string) => Promise<unknown>]>([
    [
      'a session, by the IdP’s word',
      (sid) => ({ session: { iss: IDP, sid } }),
      (sid) => emit(fromIdp('id-jag.issued', idJag({ jti: randomUUID(), sid }))),
    ],
    ['a session, by the RAS’s word', (sid) => ({ session: { iss: IDP, sid } }), (sid) => issue({ sid })],
    ['an ID-JAG, by the RAS’s word', (jti) => ({ id_jag: { iss: IDP, jti } }), (jti) => issue({ idJag: jti })],
    [
      'a token that is named as a parent',
      (text) => ({ token: { sha256: digest(text) } }),
      (text) => issue({ parent: text }),
    ],
    [
      'a token and its session',
      (text) => ({ token: { sha256: digest(text) }, session: { iss: IDP, sid: 'any' } }),
      (text) => issue({ parent: text }),
    ],
  ])('%s', async (_name, selectorOf, use) => {
    const name = randomUUID();
    const { id, seq } = await revoke(selectorOf(name));
    const [record] = await stage.controlLog.readRange(BigInt(seq) as Seq, BigInt(seq) as Seq);
    const ordered = Math.floor(record!.at / 1_000);
    await until(
      'the entry of the order',
      async () => (await rows('SELECT FROM rule_version WHERE tenant = $1 AND rule = $2', [id])).length === 1,
    );
    // Twice within its time, and once when nothing had come for longer.
    for (const days of [20, 45, 100]) {
      await use(name);
      await recordedAt(ordered, days * DAY_S);
    }
    const last = ordered + 45 * DAY_S;
    expect((await lastUsesOf(rows, [{ rule: id, lastUse: ordered }])).get(id)).toBe(last);

    const { rows: heads } = await stage.database.pool.query<{ next_ix: string }>(
      'SELECT next_ix FROM ledger_head WHERE tenant = $1',
      [stage.tenant],
    );
    const index = BigInt(heads[0]!.next_ix);
    const toldAt = async (moment: number, below = index): Promise<boolean> =>
      (await rulesAsOf(rows, { index: below, at: moment }, 'all')).some(({ rule }) => rule === id);
    expect([await toldAt(last + KEPT_S - 1), await toldAt(last + KEPT_S), await toldAt(ordered + 110 * DAY_S)]).toEqual(
      [true, false, false],
    );
    // The last two of the three recordings had not come yet.
    expect([
      await toldAt(ordered + 20 * DAY_S + KEPT_S - 1, index - 2n),
      await toldAt(ordered + 20 * DAY_S + KEPT_S, index - 2n),
    ]).toEqual([true, false]);

    const isKept = async (moment: number): Promise<boolean> => {
      const state = await foldedLater(moment);
      await dropUnused(state, lastUses, moment);
      return state.tenant(stage.tenant)!.rules.get(id) !== undefined;
    };
    expect([
      await isKept(ordered + KEPT_S),
      await isKept(last + KEPT_S - 1),
      await isKept(last + KEPT_S),
      await isKept(ordered + 110 * DAY_S),
    ]).toEqual([true, true, false, false]);
  });

  it('a rule that the ledger does not have yet is kept', async () => {
    const state = await foldedLater(seconds() + 400 * DAY_S);
    const rules = state.due(seconds() + 400 * DAY_S).get(stage.tenant)!;
    expect(rules.length).toBeGreaterThan(0);
    expect([
      await dropUnused(state, async () => new Map(), seconds() + 400 * DAY_S),
      state.due(seconds() + 400 * DAY_S).get(stage.tenant)!.length,
    ]).toEqual([0, rules.length]);
  });
});

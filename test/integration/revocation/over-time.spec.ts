import { createHash, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { CloudEvent, PresentedIdJag } from '../../../src/contracts/index.js';
import {
  createControlFollower,
  createControlState,
  readSnapshot,
  writeSnapshot,
  type Caller,
  type ControlFollower,
  type ControlState,
  type Seq,
} from '../../../src/control/index.js';
import { buildEvent } from '../../../src/emit/index.js';
import { createIntrospection } from '../../../src/introspection/index.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { createLineageReader } from '../../../src/projections/index.js';
import { createAuthenticator, createKeySets, type KeySets } from '../../../src/registry/index.js';
import { createRevocations, type Revocations } from '../../../src/revocation/index.js';
import { deadFrom, MAX_LINEAGE_AGE_S, tokenKeys, type TokenKeys } from '../../../src/rules/index.js';
import { testLog } from '../../support/services.js';
import { API, createStage, fromChat, fromIdp, IDP, RAS, token, type Stage } from '../../support/stage.js';

const SKEW = 5;
const DAY_S = 86_400;

/** The real appender, introspection and orders over one clock that the specs move. */
describe('rules over time, on PostgreSQL', () => {
  let stage: Stage;
  let revocations: Revocations;
  let keySets: KeySets;
  let server: Server;
  let url: string;
  let analyst: Caller;
  let secret: string;
  let aheadMs = 0;
  const now = (): number => Date.now() + aheadMs;
  afterEach(() => {
    aheadMs = 0;
  });
  const seconds = (): number => Math.floor(now() / 1000);

  beforeAll(async () => {
    stage = await createStage();
    const { registry, follower, controlLog, database, tenant, metrics } = stage;
    const actor = { id: 'admin', tenant };
    await registry.createCaller(actor, { id: 'analyst', roles: { revoke: { tenant: true } } });
    secret = (
      await registry.createCaller(actor, { id: 'api', roles: { introspect: { resources: [API], issuers: [RAS] } } })
    ).secret;
    analyst = follower.state.caller('analyst')!;
    revocations = createRevocations({ controlLog, follower, pool: database.pool, now });
    keySets = createKeySets({ state: follower.state, log: testLog(), allowedHosts: [] });
    const lineage = createLineageReader({ pool: database.pool });
    const { handle } = createIntrospection({
      follower,
      authenticate: createAuthenticator({ state: () => follower.state }),
      keySets,
      lineage,
      metrics: metrics ?? createMetrics(),
      log: testLog(),
      now,
    });
    server = createServer(handle);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/introspect`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    keySets.stop();
    await stage.stop();
  });

  async function isActive(text: string): Promise<boolean> {
    const authorization = `Basic ${Buffer.from(`api:${secret}`).toString('base64')}`;
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token: text }).toString(),
    });
    expect(response.status).toBe(200);
    return ((await response.json()) as { active: boolean }).active;
  }

  /** An opaque token of a user, recorded; good for an hour of the moved clock. */
  async function issue(
    sub: string,
    ageSeconds = 0,
    idJag: Partial<PresentedIdJag> = { jti: randomUUID() },
  ): Promise<string> {
    const text = `opaque-${randomUUID()}`;
    const iat = Math.floor(Date.now() / 1000) - ageSeconds;
    const facts = token({
      jti: undefined,
      sha256: createHash('sha256').update(text).digest('base64url'),
      sub: undefined,
      iat,
      exp: iat + 3_600,
      id_jag: { iss: IDP, sub, ...idJag },
    });
    expect(await stage.emit(fromChat('token.issued', facts))).toEqual([
      expect.objectContaining({ state: 'sequenced' }),
    ]);
    return text;
  }

  it('the registry keeps the limits that compaction relies on', async () => {
    const dead = deadFrom({
      seq: 1,
      effect: 'revoke',
      byIdentity: false,
      before: 0,
      asOfOrder: true,
      reauthenticate: false,
    })!;
    const register = (skew: number) =>
      stage.registry.createSource(
        { id: 'admin', tenant: stage.tenant },
        {
          name: `skewed-${skew}`,
          uri: `urn:skewed:${skew}`,
          types: ['session.ended'],
          issuers: ['https://skewed.example'],
          profile: { skew },
        },
      );
    await expect(register(dead - MAX_LINEAGE_AGE_S)).rejects.toMatchObject({ kind: 'invalid' });
    expect((await register(300)).profile.skew).toBe(300);
    await expect(register(301)).rejects.toMatchObject({ kind: 'invalid' });
  });

  describe('a user whose sessions all end', () => {
    const endAll = (sub: string, ageSeconds: number) =>
      stage.emit(
        buildEvent('session.ended', {
          source: `${IDP}/events`,
          time: new Date(Date.now() - ageSeconds * 1000),
          data: { iss: IDP, sub },
        }),
      );

    it('loses at once all tokens granted until then, and keeps those granted afterwards', async () => {
      const [before, after, other] = [await issue('fay', 120), await issue('fay', 30), await issue('gus', 120)];
      expect([await isActive(before), await isActive(after)]).toEqual([true, true]);
      expect(await endAll('fay', 60)).toEqual([expect.objectContaining({ state: 'sequenced' })]);
      expect([await isActive(before), await isActive(after), await isActive(other)]).toEqual([false, true, true]);
      expect([await isActive(await issue('fay', 120)), await isActive(await issue('fay'))]).toEqual([false, true]);
    });

    it('is known by the ID-JAG that a server states without an identity', async () => {
      const text = await issue('hal', 120, {});
      expect(await isActive(text)).toBe(true);
      await endAll('hal', 60);
      expect(await isActive(text)).toBe(false);
    });
  });

  describe('a block with an end', () => {
    it('stops all tokens until then, and from then on those granted before, as a revoke does', async () => {
      const text = await issue('ann');
      const { id } = await revocations.order(analyst, {
        selector: { user: { iss: IDP, sub: 'ann' } },
        until: seconds() + 600,
        reason: 'spec',
      });
      expect(await isActive(text)).toBe(false);
      aheadMs = 700_000;
      expect(await isActive(text)).toBe(false);
      expect((await revocations.read(analyst, id)).state).toBe('turned-revoke');
      aheadMs = 0;
    });

    it('stops all tokens until then and nothing afterwards if it resumes', async () => {
      const text = await issue('ben');
      const { id } = await revocations.order(analyst, {
        selector: { user: { iss: IDP, sub: 'ben' } },
        until: seconds() + 600,
        resume: true,
        reason: 'spec',
      });
      expect(await isActive(text)).toBe(false);
      aheadMs = 500_000;
      expect(await isActive(text)).toBe(false);
      aheadMs = 601_000;
      expect(await isActive(text)).toBe(true);
      aheadMs = 0;
      expect((await revocations.read(analyst, id)).state).toBe('live');
    });

    it('is the same after a restart, from the log and from a snapshot, before and after its end', async () => {
      const until = seconds() + 600;
      await revocations.order(analyst, { selector: { user: { iss: IDP, sub: 'cid' } }, until, reason: 'spec' });
      await revocations.order(analyst, {
        selector: { user: { iss: IDP, sub: 'dan' } },
        until,
        resume: true,
        reason: 'spec',
      });
      const answers = (state: ControlState): boolean[] =>
        ['cid', 'dan'].flatMap((sub) =>
          [until - 1, until].flatMap((at) =>
            [until, until + 60].map((iat) => state.tenant(stage.tenant)!.rules.isStopped(keysOf(sub, iat), at)),
          ),
        );
      const expected = [true, true, true, false, true, true, false, false];
      expect(answers(stage.follower.state)).toEqual(expected);
      expect(await writeSnapshot(stage.database.pool, stage.follower.state, 1)).toBe(true);
      for (const restarted of [await restart(), await restore()]) expect(answers(restarted)).toEqual(expected);
    });
  });

  const keysOf = (sub: string, iat: number): TokenKeys =>
    tokenKeys(stage.follower.state.tenant(stage.tenant)!.key, {
      tokens: [],
      idJags: [{ iss: IDP, jti: `gr-${sub}`, sub, iat }],
      seenSeq: undefined,
      skew: SKEW,
    })!;

  /** Another process on the same database. */
  async function restart(): Promise<ControlState> {
    const follower: ControlFollower = createControlFollower({
      url: stage.database.url,
      controlLog: stage.controlLog,
      log: testLog(),
      serves: false,
    });
    await follower.start();
    await follower.stop();
    return follower.state;
  }

  async function restore(): Promise<ControlState> {
    const state = createControlState();
    const session = await stage.database.pool.connect();
    expect(await readSnapshot(session, state)).toBe(true);
    session.release();
    for (const record of await stage.controlLog.readAfter(state.head)) state.apply(record);
    return state;
  }

  describe('users that an IdP disables and enables', () => {
    /** An event's answer says that its rule is committed; this process has it a moment later. */
    async function emit(...events: readonly CloudEvent[]): Promise<void> {
      for (const result of await stage.emit(...events)) expect(result).not.toHaveProperty('error');
      const { rows } = await stage.database.pool.query<{ seq: string }>('SELECT seq FROM control_head');
      await stage.follower.whenApplied(BigInt(rows[0]!.seq) as Seq);
    }

    type Told = { readonly name: 'user.disabled' | 'user.enabled'; readonly at: number };
    const tell = (sub: string, { name, at }: Told) => ({
      ...fromIdp(name, { iss: IDP, sub }),
      time: new Date(at * 1_000).toISOString(),
    });
    const disabled = (at: number): Told => ({ name: 'user.disabled', at });
    const enabled = (at: number): Told => ({ name: 'user.enabled', at });
    const isStopped = (state: ControlState, sub: string, iat: number): boolean =>
      state.tenant(stage.tenant)!.rules.isStopped(keysOf(sub, iat), seconds());

    /** All orders of arrival of the same events. */
    function orders<T>(of: readonly T[]): T[][] {
      return of.length < 2
        ? [[...of]]
        : of.flatMap((first, at) => orders(of.toSpliced(at, 1)).map((rest) => [first, ...rest]));
    }

    it.each<[string, (base: number) => readonly Told[], boolean]>([
      ['disabled', (base) => [disabled(base)], true],
      ['disabled, then enabled', (base) => [disabled(base), enabled(base + 10)], false],
      ['enabled, then disabled', (base) => [enabled(base), disabled(base + 10)], true],
      ['both at one moment', (base) => [enabled(base), disabled(base)], true],
      ['disabled, enabled, disabled', (base) => [disabled(base), enabled(base + 10), disabled(base + 20)], true],
      ['disabled twice, then enabled', (base) => [disabled(base), disabled(base + 10), enabled(base + 20)], false],
      [
        'enabled, disabled, enabled, in one second',
        (base) => [enabled(base), disabled(base + 0.2), enabled(base + 0.7)],
        false,
      ],
    ])(
      '%s: the last event by event time counts, in whatever order and batches they arrive, even after a restart',
      async (_name, told, stays) => {
        const base = seconds() - 1_000;
        const users = orders(told(base)).flatMap((order, nth) => [
          { sub: `one-${nth}-${base}-${stays}-${order.length}`, order, together: false },
          { sub: `all-${nth}-${base}-${stays}-${order.length}`, order, together: true },
        ]);
        for (const { sub, order, together } of users) {
          const events = order.map((one) => tell(sub, one));
          const batches = together ? [events] : events.map((event) => [event]);
          for (const batch of batches) await emit(...batch);
        }
        const newestDisabling = Math.max(
          ...told(base)
            .filter(({ name }) => name === 'user.disabled')
            .map(({ at }) => Math.floor(at)),
        );
        for (const state of [stage.follower.state, await restart()]) {
          for (const { sub } of users) {
            expect([sub, isStopped(state, sub, seconds() + DAY_S)]).toEqual([sub, stays]);
            // Nothing granted by the time of a disabling is ever given back.
            expect(isStopped(state, sub, newestDisabling)).toBe(true);
          }
        }
      },
    );

    it('a repeated event disables once', async () => {
      const { head } = stage.follower.state;
      const event = tell('twice', disabled(seconds() - 10));
      await emit(event);
      await emit(event);
      expect(stage.follower.state.head).toBe(head + 1n);
    });

    it('an enabling makes tokens active that were granted after the disabling', async () => {
      const before = seconds();
      await emit(tell('eve', disabled(before - 100)));
      const text = await issue('eve');
      expect(await isActive(text)).toBe(false);
      await emit(tell('eve', enabled(before - 50)));
      expect(await isActive(text)).toBe(true);
    });
  });
});

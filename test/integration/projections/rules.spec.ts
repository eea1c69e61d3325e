import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Caller } from '../../../src/control/index.js';
import { LEAD_OF_ALL, rulesAsOf, type RuleVersion, type TenantRows } from '../../../src/projections/index.js';
import { createRevocations, type Revocations } from '../../../src/revocation/index.js';
import { ruleKey, ruleKeyToBytes, type Rule } from '../../../src/rules/index.js';
import { createStage, fromChat, fromIdp, IDP, RAS, type Stage } from '../../support/stage.js';
import { until } from '../control/control-fixture.js';

const seconds = (): number => Math.floor(Date.now() / 1000);

/** The members of a rule that are compared, wherever the rule comes from. */
const termsOf = ({
  effect,
  before,
  asOfOrder,
  reauthenticate,
  until: end,
  resume,
  seq,
}: Rule | RuleVersion['terms']) =>
  effect === 'block'
    ? { effect, seq: String(seq), until: end, resume: resume ?? false }
    : { effect, seq: String(seq), before, asOfOrder, reauthenticate };

describe('the history of rules', () => {
  let stage: Stage;
  let revocations: Revocations;
  let analyst: Caller;
  let rows: TenantRows;
  /** Rules in the control state when the ledger had `index` entries. */
  const held: { readonly index: bigint; readonly rules: Record<string, unknown> }[] = [];
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    stage = await createStage();
    const { registry, follower, controlLog, database, tenant } = stage;
    await registry.createCaller(
      { id: 'admin', tenant },
      { id: 'analyst', roles: { revoke: { tenant: true }, admin: {} } },
    );
    analyst = follower.state.caller('analyst')!;
    revocations = createRevocations({ controlLog, follower, pool: database.pool });
    rows = async (sql, values = []) => (await database.pool.query(sql, [tenant, ...values])).rows as never;
    await tell();
  }, 60_000);
  afterAll(() => stage.stop());

  async function tell(): Promise<void> {
    const user = { iss: IDP, sub: 'alice' };
    const at = (ms: number): string => new Date(Date.now() + ms).toISOString();
    const dated = (event: object, ms: number) => ({ ...event, time: at(ms) }) as never;
    const order = async (name: string, body: object) =>
      void (ids[name] = (await revocations.order(analyst, { reason: name, ...body })).id);

    await step(() => order('block', { selector: { user } }));
    await step(() =>
      order('until', { selector: { client: { iss: RAS, client_id: 'c' } }, until: seconds() + 1_000, resume: true }),
    );
    await step(() =>
      order('revoke', {
        selector: { agent: { iss: IDP, id: 'agent-7' }, resource: 'https://api.chat.example' },
        effect: 'revoke',
        before: seconds() - 50,
        reauthenticate: true,
      }),
    );
    await step(() => order('as of order', { selector: { session: { iss: IDP, sid: 's-1' } } }));
    await step(() => order('all', { selector: { all: true }, effect: 'block', confirm: true }));
    await step(() => revocations.lift(analyst, ids['block']!, { reason: 'found' }));
    await step(() => revocations.lift(analyst, ids['all']!, { resume: true }));
    // A source disables a user, enables and disables it again; for another user the enabling arrives before an older disabling.
    await step(() => stage.emit(dated(fromIdp('user.disabled', user, 'd-1'), -9_000)));
    await step(() => stage.emit(dated(fromIdp('user.enabled', user, 'e-1'), -8_000)));
    await step(() => stage.emit(dated(fromIdp('user.disabled', user, 'd-2'), -7_000)));
    await step(() => stage.emit(dated(fromIdp('user.enabled', { iss: IDP, sub: 'bob' }, 'e-2'), -5_000)));
    await step(() => stage.emit(dated(fromIdp('user.disabled', { iss: IDP, sub: 'bob' }, 'd-3'), -6_000)));
    const connection = {
      iss: IDP,
      idp_client_id: 'wiki',
      aud: [RAS],
      client_id: 'wiki-at-ras',
      resource: ['https://api.chat.example'],
      scope: 'chat.read',
    };
    await step(() =>
      stage.emit(dated(fromIdp('connection.deleted', { ...connection, tenant: 'acme' }, 'c-1'), -4_000)),
    );
    // Another tenant's connection with the same selectors lifts nothing.
    await step(() => stage.emit(dated(fromIdp('connection.created', connection, 'c-2'), -3_000)));
    await step(() =>
      stage.emit(dated(fromIdp('connection.updated', { ...connection, tenant: 'acme' }, 'c-3'), -2_000)),
    );
    await step(() =>
      stage.emit(
        fromIdp('session.ended', { iss: IDP, sub: 'alice', sid: 's-9' }),
        fromChat('token.revoked', { iss: RAS, jti: 'at-9' }),
      ),
    );
  }

  /** Does something, waits until the ledger tells all of it, and keeps what the nodes hold. */
  async function step(act: () => Promise<unknown>): Promise<void> {
    await act();
    const { follower, database, tenant } = stage;
    await until('the outbox to be empty', async () => {
      const found = await database.pool.query<{ all: boolean }>(
        'SELECT o.seq = (SELECT max(seq) FROM control_log) AS all FROM control_outbox o',
      );
      return found.rows[0]!.all;
    });
    await until(
      'the follower',
      async () =>
        String(follower.state.head) ===
        (await database.pool.query('SELECT max(seq) AS seq FROM control_log')).rows[0].seq,
    );
    const { rows: heads } = await database.pool.query<{ next_ix: string }>(
      'SELECT next_ix FROM ledger_head WHERE tenant = $1',
      [tenant],
    );
    const { rows: told } = await database.pool.query<{ subject: string }>(
      `SELECT DISTINCT body ->> 'id' AS subject FROM control_log WHERE kind = 'rule.ordered'`,
    );
    const rules = told.flatMap(({ subject }) => follower.state.tenant(tenant)!.rules.get(subject) ?? []);
    held.push({
      index: BigInt(heads[0]!.next_ix),
      rules: Object.fromEntries(rules.map((rule) => [rule.id, termsOf(rule)])),
    });
  }

  const asOf = async (index: bigint, at = seconds()) =>
    Object.fromEntries((await rulesAsOf(rows, { index, at }, 'all')).map(({ rule, terms }) => [rule, termsOf(terms)]));

  it('equals at every index the rules of the nodes when the ledger had that many entries', async () => {
    expect(held.map(({ rules }) => Object.keys(rules).length)).toEqual([
      1, 2, 3, 4, 5, 5, 4, 5, 5, 6, 6, 7, 8, 8, 8, 10,
    ]);
    for (const { index, rules } of held) expect(await asOf(index)).toEqual(rules);
  });

  it('ends a block with `resume` at its `until`, by the clock of the moment', async () => {
    const last = held.at(-1)!.index;
    expect(Object.keys(await asOf(last, seconds() + 900))).toContain(ids['until']);
    expect(Object.keys(await asOf(last, seconds() + 1_001))).not.toContain(ids['until']);
  });

  it('finds rules by the first key of their selector, by any of its keys, and by id', async () => {
    const { tenant, follower } = stage;
    const tenantKey = follower.state.tenant(tenant)!.key;
    const key = (dimension: string, ...parts: string[]) => ruleKeyToBytes(ruleKey(tenantKey, dimension, parts));
    const found = async (index: bigint, which: Parameters<typeof rulesAsOf>[2]) =>
      (await rulesAsOf(rows, { index, at: seconds() }, which)).map(({ reason }) => reason);
    const before = held[4]!.index;
    expect(
      await found(before, { leads: [key('agent', IDP, 'agent-7'), key('resource', 'https://api.chat.example')] }),
    ).toEqual(['revoke']);
    expect(await found(before, { leads: [LEAD_OF_ALL, key('session', IDP, 's-1')] })).toEqual(['all', 'as of order']);
    expect(await found(before, { keys: [key('resource', 'https://api.chat.example')] })).toEqual(['revoke']);
    const last = held.at(-1)!.index;
    const [lifted] = await rulesAsOf(rows, { index: last, at: seconds() }, { rule: ids['block']! });
    expect(lifted).toMatchObject({
      reason: 'block',
      selector: { user: { iss: IDP, sub: 'alice' } },
      author: { caller: 'analyst' },
      lift: { reason: 'found', resume: false },
    });
    const [notYet] = await rulesAsOf(rows, { index: before, at: seconds() }, { rule: ids['block']! });
    expect(notYet).toMatchObject({ rule: ids['block'], lift: undefined });
    expect(await found(0n, { rule: ids['block']! })).toEqual([]);
  });
});

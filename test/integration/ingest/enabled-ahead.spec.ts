import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rulesAsOf, type TenantRows } from '../../../src/projections/index.js';
import { createStage, fromIdp, IDP, type Stage } from '../../support/stage.js';
import { until } from '../control/control-fixture.js';

/** Two nodes of one IdP, the clock of one minutes ahead. */
let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
afterAll(() => stage.stop());

const user = { iss: IDP, sub: 'alice' };
const dated = <E extends { readonly time: string }>(event: E, aheadMs: number): E => ({
  ...event,
  time: new Date(Date.now() + aheadMs).toISOString(),
});

describe('an enabling event dated later than its arrival', () => {
  it('ends no block that is ordered after it arrived: neither on the nodes, nor in the ledger’s rules, nor of the user', async () => {
    const { follower, database, tenant } = stage;
    await stage.emit(dated(fromIdp('user.enabled', user), 240_000));
    // The two clocks that tell of the arrival, the process's and the database's, may differ by some milliseconds: this is not about them.
    await stage.emit(dated(fromIdp('user.disabled', user), 60_000));
    const ordered = await database.pool.query<{ id: string; seq: string }>(
      `SELECT body ->> 'id' AS id, seq FROM control_log WHERE kind = 'rule.ordered'`,
    );
    const { id, seq } = ordered.rows[0]!;
    await until('the follower', () => Promise.resolve(follower.state.head >= BigInt(seq)));
    expect(follower.state.tenant(tenant)!.rules.get(id)).toMatchObject({ effect: 'block' });

    await until(
      'the entry of the order',
      async () => (await database.pool.query('SELECT 1 FROM rule_version')).rows.length === 1,
    );
    const rows: TenantRows = async (sql, values = []) =>
      (await database.pool.query(sql, [tenant, ...values])).rows as never;
    const [rule] = await rulesAsOf(rows, { index: 1_000_000n, at: Math.floor(Date.now() / 1000) }, 'all');
    expect(rule!.terms).toMatchObject({ effect: 'block' });
    const principals = await database.pool.query('SELECT state FROM principal_version WHERE to_ix IS NULL');
    expect(principals.rows).toEqual([{ state: 0 }]);
  });
});

import { randomUUID } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { createConfirmationKeeper, type Seq } from '../../../src/control/index.js';
import { testLog } from '../../support/services.js';
import { createControlDatabase, TENANT } from './control-fixture.js';

const DAY_MS = 86_400_000;

it('keeps the confirmations of a rule for 90 days, and none of rules on a single token', async () => {
  const { pool, drop } = await createControlDatabase();
  try {
    const now = Date.now();
    const sut = createConfirmationKeeper({ pool, log: testLog(), now: () => now });
    const settle = async (seq: number, selector: object, atMs: number): Promise<void> => {
      await pool.query(
        `INSERT INTO control_log (seq, tenant, kind, subject, version, at, body) VALUES ($1, $2, 'rule.ordered', 'x', 1, now(), $3)`,
        [seq, TENANT, { selector }],
      );
      sut.keep(BigInt(seq) as Seq, [{ node: randomUUID(), outcome: 'confirmed', guards: 0, atMs }]);
    };
    await settle(1_001, { user: {} }, now - 90 * DAY_MS - 1);
    await settle(1_002, { user: {} }, now - 90 * DAY_MS + 1);
    await settle(1_003, { issuer: 'https://ras.example', token: {} }, now);
    await sut.stop();
    const { rows } = await pool.query<{ seq: string }>('SELECT seq FROM rule_confirmation');
    expect(rows).toEqual([{ seq: '1002' }]);
  } finally {
    await drop();
  }
});

import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { IdJagIssued, TokenIssued } from '../contracts/index.js';
import type { Command, ControlState } from '../control/index.js';
import { selectorKey, tokenRef, type Selector } from '../rules/index.js';
import { ownSource } from './own-events.js';

interface Row {
  tenant: string;
  kind: 'token' | 'id_jag';
  facts: TokenIssued | IdJagIssued;
  conflict_ix: string;
}

const READ = `
  SELECT tenant, 'token' AS kind, facts, conflict_ix FROM token WHERE conflict_ix IS NOT NULL
  UNION ALL
  SELECT tenant, 'id_jag', facts, conflict_ix FROM id_jag WHERE conflict_ix IS NOT NULL`;

/**
 * A block for each token and ID-JAG that two events contradict each other about. The command's key makes each apply
 * once, so that the same answer after a crash orders nothing twice.
 */
export async function findConflicted(pool: Pool, state: ControlState): Promise<Command[]> {
  const { rows } = await pool.query<Row>(READ);
  return rows.map((row) => {
    const tenant = state.tenant(row.tenant)!;
    const selector: Selector =
      row.kind === 'token' ? { token: tokenRef(row.facts as TokenIssued) } : { id_jag: { iss: row.facts.iss, jti: row.facts.jti! } };
    const { shape, key } = selectorKey(tenant.key, selector);
    const encoded = Buffer.from(key, 'latin1').toString('base64url');
    const id = randomUUID();
    return {
      records: [
        {
          kind: 'rule.ordered',
          tenant: tenant.id,
          subject: id,
          body: {
            id,
            effect: 'block',
            selector,
            shape,
            key: encoded,
            reauthenticate: false,
            reason: `events contradict each other, the later at index ${row.conflict_ix}`,
            author: { caller: ownSource(tenant.id) },
          },
        },
      ],
      once: { key: ['conflict', tenant.id, row.kind, encoded], content: encoded },
    };
  });
}

import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { IdJagIssued, TokenIssued } from '../contracts/index.js';
import { commandFromContradiction, type Command, type ControlState } from '../control/index.js';
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

/** A block for each token and ID-JAG that events contradict each other about; ordered again after a crash, each applies once. */
export async function findConflicted(pool: Pool, state: ControlState): Promise<Command[]> {
  const { rows } = await pool.query<Row>(READ);
  return rows.map(({ tenant, kind, facts, conflict_ix }) =>
    commandFromContradiction({
      tenant: state.tenant(tenant)!,
      subject: kind === 'token' ? { kind, facts: facts as TokenIssued } : { kind, iss: facts.iss, jti: facts.jti! },
      reason: `events contradict each other, the later at index ${conflict_ix}`,
      author: ownSource(tenant),
      newId: randomUUID,
    }),
  );
}

import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { TokenReference } from '../../contracts/index.js';
import { commandFromContradiction, type Command, type ControlLog, type ControlState } from '../../control/index.js';
import type { Log } from '../../platform/log/index.js';
import type { Conflict } from '../../projections/index.js';
import { ownSource } from './own-events.js';

/** Contradictions that one statement takes. Further ones wait for the next statement. */
const ORDERED_AT_ONCE = 500;

/** Delay before owed rules are ordered again after a failure. */
const RETRY_MS = 1_000;

const OWE = `
  INSERT INTO contradiction_owed (tenant, kind, key, ix, named)
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::bigint[], $5::jsonb[])
  ON CONFLICT DO NOTHING`;
const READ_OWED = 'SELECT tenant, kind, key, ix, named FROM contradiction_owed ORDER BY tenant, kind, key LIMIT $1';
const PAID = `
  DELETE FROM contradiction_owed o USING unnest($1::uuid[], $2::text[], $3::bytea[]) AS p (tenant, kind, key)
  WHERE o.tenant = p.tenant AND o.kind = p.kind AND o.key = p.key`;

interface OwedRow {
  readonly tenant: string;
  readonly kind: Conflict['kind'];
  readonly key: Buffer;
  readonly ix: string;
  readonly named: TokenReference;
}

/** Records which tokens and ID-JAGs are owed a block, in the transaction that marks them as contradicted. */
export async function oweRules(client: PoolClient, conflicts: readonly Conflict[]): Promise<void> {
  if (conflicts.length === 0) return;
  await client.query(OWE, [
    conflicts.map(({ tenant }) => tenant),
    conflicts.map(({ kind }) => kind),
    conflicts.map(({ key }) => key),
    conflicts.map(({ ix }) => String(ix)),
    conflicts.map(({ named }) => JSON.stringify(named)),
  ]);
}

export interface ContradictionOrders {
  /**
   * Resolves when every rule owed by now is ordered. Rejects if that failed; a retry follows every second until it succeeds. The writer of
   * batches does not wait for it.
   */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Blocks every token and ID-JAG that two events contradict each other about, so that no cached copy of the facts stays in use. The
 * database holds the debt from the transaction that found the contradiction until the block is ordered. Each block is ordered once, in
 * sets, even after a crash.
 */
export function createContradictionOrders({
  pool,
  controlLog,
  state,
  log,
}: {
  readonly pool: Pool;
  readonly controlLog: ControlLog;
  readonly state: ControlState;
  readonly log: Log;
}): ContradictionOrders {
  let last: Promise<void> = Promise.resolve();
  let retry: NodeJS.Timeout | undefined;
  let stopping = false;

  async function orderOwed(): Promise<void> {
    for (;;) {
      const { rows } = await pool.query<OwedRow>(READ_OWED, [ORDERED_AT_ONCE]);
      if (rows.length === 0) return;
      // Commands that wait in one process share a statement.
      await Promise.all(rows.map((row) => controlLog.append(commandOf(row))));
      await pool.query(PAID, [
        rows.map(({ tenant }) => tenant),
        rows.map(({ kind }) => kind),
        rows.map(({ key }) => key),
      ]);
    }
  }

  function commandOf({ tenant, kind, ix, named }: OwedRow): Command {
    return commandFromContradiction({
      tenant: state.tenant(tenant)!,
      subject: kind === 'token' ? { kind, named } : { kind, iss: named.iss!, jti: named.jti! },
      reason: `events contradict each other, the later at index ${ix}`,
      author: ownSource(tenant),
      newId: randomUUID,
    });
  }

  function settle(): Promise<void> {
    clearTimeout(retry);
    last = last.catch(() => undefined).then(orderOwed);
    last.catch((error: unknown) => {
      log.error({ err: error }, 'cannot order the blocks of contradicted tokens; retrying');
      if (stopping) return;
      clearTimeout(retry);
      retry = setTimeout(settle, RETRY_MS);
      retry.unref();
    });
    return last;
  }

  return {
    settle,
    async stop() {
      stopping = true;
      clearTimeout(retry);
      await last.catch(() => undefined);
    },
  };
}

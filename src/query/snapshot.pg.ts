import type { Pool, QueryResultRow } from 'pg';
import { RescindError } from '../contracts/index.js';
import { inTransaction } from '../platform/index.js';
import { createLineageReader, type LineageReader } from '../projections/index.js';

/** A question that takes longer is ended: it would hold a connection that others wait for. */
export const QUESTION_TIMEOUT_MS = 2_000;

const BEGIN_SNAPSHOT = `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL statement_timeout = ${QUESTION_TIMEOUT_MS}`;
const READ_HEAD = 'SELECT next_ix FROM ledger_head WHERE tenant = $1';

/** One tenant's tables as they were at one moment. */
export interface Snapshot {
  readonly tenant: string;
  /** Entries of the tenant's ledger then: every entry with a lower index is in the answer. */
  readonly head: bigint;
  /** `$1` is the tenant, always; `values` are `$2` and on. */
  rows<R extends QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<R[]>;
  /** Reads in the same transaction. */
  readonly lineage: LineageReader;
}

/** Runs a question on one snapshot of one tenant. */
export type Ask = <T>(tenant: string, question: (snapshot: Snapshot) => Promise<T>) => Promise<T>;

/**
 * Every question is one read-only REPEATABLE READ transaction, so that its statements see the same moment. Rejects with
 * `filter-too-wide` when a statement exceeds {@link QUESTION_TIMEOUT_MS}.
 */
export function createAsk({ pool }: { readonly pool: Pool }): Ask {
  return async (tenant, question) => {
    try {
      return await inTransaction(pool, async (client) => {
        await client.query(BEGIN_SNAPSHOT);
        const rows: Snapshot['rows'] = async <R extends QueryResultRow>(sql: string, values: readonly unknown[] = []) =>
          (await client.query<R>(sql, [tenant, ...values])).rows;
        const [head] = await rows<{ next_ix: string }>(READ_HEAD);
        // The reader only calls `query`, which a connection has too.
        const lineage = createLineageReader({ pool: client as unknown as Pool });
        return question({ tenant, head: BigInt(head?.next_ix ?? 0), rows, lineage });
      });
    } catch (error) {
      throw explain(error);
    }
  };
}

const QUERY_CANCELED = '57014';

function explain(error: unknown): unknown {
  if ((error as { code?: unknown }).code !== QUERY_CANCELED) return error;
  const detail = `the answer took longer than ${QUESTION_TIMEOUT_MS / 1000} s: narrow the window with \`from\` and \`to\`, or add a filter`;
  return new RescindError('filter-too-wide', { detail, cause: error });
}

import type { Pool, PoolClient } from 'pg';

/** A statement as a question sent it. */
export interface Sent {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** A pool that tells of every statement of its sessions. */
export function overheard(pool: Pool, hear: (sent: Sent) => void): Pool {
  return new Proxy(pool, {
    get(target, property) {
      if (property !== 'connect') return Reflect.get(target, property, target);
      return async () => overheardClient(await target.connect(), hear);
    },
  });
}

interface Config {
  readonly text: string;
  readonly values?: unknown;
}

function overheardClient(client: PoolClient, hear: (sent: Sent) => void): PoolClient {
  return new Proxy(client, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      if (property !== 'query') return value.bind(target);
      return (...args: unknown[]) => {
        const [first, second] = args;
        // Several that go together, or one.
        const { statements } = first as { readonly statements?: readonly Config[] };
        for (const config of statements ?? [
          typeof first === 'string' ? { text: first, values: second } : (first as Config),
        ]) {
          hear({ text: config.text, values: Array.isArray(config.values) ? config.values : [] });
        }
        return value.apply(target, args) as unknown;
      };
    },
  });
}

export interface Walked {
  /** Rows that its scans looked at, those that a filter left out among them. */
  readonly read: number;
  readonly returned: number;
  readonly ms: number;
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
}

export async function explain(pool: Pool, { text, values }: Sent): Promise<Walked> {
  const { rows } = await pool.query<{
    'QUERY PLAN': readonly [{ readonly Plan: PlanNode; readonly 'Execution Time': number }];
  }>(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, [...values]);
  const [{ Plan: plan, 'Execution Time': ms }] = rows[0]!['QUERY PLAN'];
  return { read: Math.round(readBy(plan)), returned: plan['Actual Rows'], ms };
}

function readBy(node: PlanNode): number {
  const own = /Scan/.test(node['Node Type']) && !/CTE|Subquery|Function|Values/.test(node['Node Type']);
  const looked =
    node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  return (own ? looked * node['Actual Loops'] : 0) + (node.Plans ?? []).reduce((sum, each) => sum + readBy(each), 0);
}

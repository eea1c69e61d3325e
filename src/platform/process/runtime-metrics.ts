import type { Health, Metrics } from '../observe/index.js';
import type { Pool } from '../postgres/index.js';

/** Measures each pool's connections and the callers that wait for one. Returns a function that adds a pool. */
export function createPoolMetrics(metrics: Metrics): (name: string, pool: Pool) => void {
  const pools = new Map<string, Pool>();
  const read = <T extends string>(labels: (pool: string) => Record<T, string>, value: (pool: Pool) => number) =>
    [...pools].map(([name, pool]) => [labels(name), value(pool)] as const);
  metrics.observed('rescind_database_connections', 'Connections of a pool, by what they do.', ['pool', 'state'], () => [
    ...read(
      (pool) => ({ pool, state: 'idle' }),
      ({ idleCount }) => idleCount,
    ),
    ...read(
      (pool) => ({ pool, state: 'busy' }),
      ({ totalCount, idleCount }) => totalCount - idleCount,
    ),
  ]);
  metrics.observed('rescind_database_waiting', 'Callers that wait for a connection of a pool.', ['pool'], () =>
    read(
      (pool) => ({ pool }),
      ({ waitingCount }) => waitingCount,
    ),
  );
  return (name, pool) => void pools.set(name, pool);
}

/** Reports whether each check of `/health/ready` passes, for each role of this process. */
export function createReadinessMetrics(metrics: Metrics, health: Health): void {
  metrics.observed(
    'rescind_ready',
    'Whether a check passes (1) or not (0). A process is ready for a role (serve, ingest) while all checks of the role pass.',
    ['role', 'check'],
    () =>
      health.roles.flatMap((role) =>
        health.report(role).checks.map(({ name, ok }) => [{ role, check: name }, ok ? 1 : 0] as const),
      ),
  );
}

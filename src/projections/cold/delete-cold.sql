-- Deletes some uses that may leave, and widens the bounds of cold uses in the same statement.
-- The words in braces are replaced in leave.pg.ts.  $1 tenants, $2 ends of their archives  $3 time before which uses leave  $4 rows
WITH l AS MATERIALIZED ({bounds}),
found AS MATERIALIZED (
  SELECT a.ctid FROM {table} a JOIN l ON l.tenant = a.tenant WHERE a.at < $3::bigint AND {may_leave} LIMIT $4::int
),
gone AS (
  DELETE FROM {table} a USING found f WHERE a.ctid = f.ctid
  RETURNING a.tenant, greatest(a.ix, a.bound_ix, a.agent_ix, a.foreign_ix) AS last_ix, a.at
),
told AS (
  INSERT INTO access_cold AS c (tenant, end_ix, end_at)
  SELECT tenant, max(last_ix) + 1, max(at) + 1 FROM gone GROUP BY tenant
  ON CONFLICT (tenant) DO UPDATE SET end_ix = greatest(c.end_ix, excluded.end_ix), end_at = greatest(c.end_at, excluded.end_at)
)
SELECT count(*)::int AS gone FROM gone

-- Writes the snapshots of pairs that do not exist yet.  $1 tenants  $2 snapshots, multiples of 16
-- Returns the snapshots that existed already.
WITH due AS MATERIALIZED (
  SELECT tenant, snap, EXISTS (SELECT FROM edge_cum c WHERE c.tenant = w.tenant AND c.snap = w.snap) AS known,
         coalesce((SELECT max(c.snap) FROM edge_cum c WHERE c.tenant = w.tenant AND c.snap < w.snap), 0) AS before
  FROM unnest($1::uuid[], $2::int[]) AS w (tenant, snap)
),
taken AS (
  INSERT INTO edge_cum (tenant, snap, client, res, n, allowed, reads, writes, deletes, exports, admins, records, bytes,
                        first_at, last_at, first_allowed, last_allowed)
  SELECT tenant, snap, client, res, capped(sum(n)), capped(sum(allowed)), capped(sum(reads)), capped(sum(writes)), capped(sum(deletes)), capped(sum(exports)), capped(sum(admins)), capped(sum(records)), capped(sum(bytes)),
         min(first_at), max(last_at), min(first_allowed), max(last_allowed)
  FROM (
    SELECT d.snap, c.tenant, c.client, c.res, c.n, c.allowed, c.reads, c.writes, c.deletes, c.exports, c.admins, c.records, c.bytes,
           c.first_at, c.last_at, c.first_allowed, c.last_allowed
    FROM due d JOIN edge_cum c ON c.tenant = d.tenant AND c.snap = d.before
    WHERE NOT d.known
    UNION ALL
    SELECT d.snap, u.tenant, u.client, u.res, u.n, u.allowed, u.reads, u.writes, u.deletes, u.exports, u.admins, u.records, u.bytes,
           u.first_at, u.last_at, u.first_allowed, u.last_allowed
    FROM due d JOIN edge_use u ON u.tenant = d.tenant AND u.blk >= d.before AND u.blk < d.snap
    WHERE NOT d.known
  ) e
  GROUP BY tenant, snap, client, res
)
SELECT tenant, snap FROM due WHERE known

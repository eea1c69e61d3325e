-- Writes a batch in one pass: binds earlier uses, writes the uses of the batch, and adds both to the aggregates.
-- Earlier uses are bound first; the uses of the batch find their tokens when they are written.
-- A use counts for its token only if the token's audience meets the resources of its source: {meets …}. A use without a token keeps its source's
-- resources, as keys, until the token arrives. If the token is not for its source, the use is foreign from then on and attributed to nobody.
-- $1 tenants, $2 keys of tokens that have become known, $3 the batch's first index in their tenant; $4 to $19: uses;
-- $20 which of the sets of resources in $21 is its source's, from 1
WITH speaker AS MATERIALIZED (
  SELECT nth, resources::bytea[] AS resources FROM unnest($21::text[]) WITH ORDINALITY AS s (resources, nth)
),
bound AS (
  UPDATE access a
  SET usr = t.usr, client = t.client, agent = t.agent,
      res = coalesce(a.res, t.res[1]),
      res_bound = CASE WHEN a.res IS NULL THEN true ELSE a.res_bound END,
      bound_ix = coalesce(a.bound_ix, greatest(a.ix, t.bound_ix)),
      -- Cleared, as for a use whose token existed before it: how events were batched must not show.
      source_res = NULL,
      agent_ix = CASE WHEN t.agent_ix > greatest(a.ix, t.bound_ix) THEN t.agent_ix END
  FROM unnest($1::uuid[], $2::bytea[], $3::bigint[]) AS w (tenant, key, first_ix)
  JOIN token t ON t.tenant = w.tenant AND t.key = w.key AND t.bound_ix IS NOT NULL
  WHERE a.tenant = t.tenant AND a.tok = t.key
    AND CASE WHEN a.bound_ix IS NOT NULL THEN a.agent IS NULL AND t.agent IS NOT NULL
             -- A use without resources was written by a release that kept none.
             ELSE a.source_res IS NULL OR {meets a t} END
  -- A use that an earlier batch bound is counted already; only its agent is new.
  RETURNING a.*, a.bound_ix >= w.first_ix AS fresh
),
judged AS (
  UPDATE access a
  SET foreign_ix = greatest(a.ix, t.ix)
  FROM unnest($1::uuid[], $2::bytea[]) AS w (tenant, key)
  JOIN token t ON t.tenant = w.tenant AND t.key = w.key
  WHERE a.tenant = t.tenant AND a.tok = t.key AND a.bound_ix IS NULL AND a.foreign_ix IS NULL AND a.source_res IS NOT NULL AND NOT {meets a t}
  RETURNING a.source, a.n
),
written AS (
  INSERT INTO access (tenant, ix, bound_ix, at, until_at, usr, client, agent, agent_ix, res, res_bound, scopes, op, outcome, status, route, addr,
                      source, tok, n, records, bytes, source_res, foreign_ix)
  SELECT w.tenant, w.ix, CASE WHEN t.key IS NOT NULL THEN greatest(w.ix, t.bound_ix) END, w.at, w.until_at, t.usr, t.client, t.agent,
         CASE WHEN t.agent_ix > greatest(w.ix, t.bound_ix) THEN t.agent_ix END,
         coalesce(w.res, t.res[1]), CASE WHEN w.res IS NULL AND t.key IS NOT NULL THEN true END,
         w.scopes::int[], w.op, w.outcome, w.status, w.route, w.addr, w.source, w.tok, w.n, w.records, w.bytes,
         CASE WHEN t.key IS NULL THEN w.source_res END,
         CASE WHEN t.key IS NULL THEN
           (SELECT greatest(w.ix, k.ix) FROM token k WHERE k.tenant = w.tenant AND k.key = w.tok AND NOT {meets w k}) END
  FROM (
    SELECT u.*, s.resources AS source_res
    FROM unnest(
      $4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[], $8::int[], $9::text[], $10::smallint[], $11::smallint[], $12::int[],
      $13::int[], $14::int[], $15::uuid[], $16::bytea[], $17::bigint[], $18::bigint[], $19::bigint[], $20::int[])
      AS u (tenant, ix, at, until_at, res, scopes, op, outcome, status, route, addr, source, tok, n, records, bytes, speaker)
    JOIN speaker s ON s.nth = u.speaker
  ) w
  LEFT JOIN token t ON t.tenant = w.tenant AND t.key = w.tok AND t.bound_ix IS NOT NULL AND {meets w t}
  RETURNING *
),
attributed AS MATERIALIZED (
  SELECT tenant, bound_ix, agent_ix, at, until_at, usr, client, agent, res, scopes, op, outcome, source, n, records, bytes, fresh FROM bound
  UNION ALL
  SELECT tenant, bound_ix, agent_ix, at, until_at, usr, client, agent, res, scopes, op, outcome, source, n, records, bytes, true
  FROM written WHERE bound_ix IS NOT NULL
),
counted AS MATERIALIZED (
  SELECT tenant, (bound_ix >> 16)::int AS blk, client, res, source, (at / 3600)::int AS hour,
         sum(n) AS n,
         coalesce(sum(n) FILTER (WHERE outcome = 1), 0) AS allowed,
         coalesce(sum(n) FILTER (WHERE outcome = 1 AND op = 1), 0) AS reads,
         coalesce(sum(n) FILTER (WHERE outcome = 1 AND op = 2), 0) AS writes,
         coalesce(sum(n) FILTER (WHERE outcome = 1 AND op = 3), 0) AS deletes,
         coalesce(sum(n) FILTER (WHERE outcome = 1 AND op = 4), 0) AS exports,
         coalesce(sum(n) FILTER (WHERE outcome = 1 AND op = 5), 0) AS admins,
         coalesce(sum(records) FILTER (WHERE outcome = 1), 0) AS records,
         coalesce(sum(bytes) FILTER (WHERE outcome = 1), 0) AS bytes,
         min(at) AS first_at, max(until_at) AS last_at,
         min(at) FILTER (WHERE outcome = 1) AS first_allowed, max(until_at) FILTER (WHERE outcome = 1) AS last_allowed,
         min(bound_ix) AS first_ix
  FROM attributed WHERE fresh
  GROUP BY 1, 2, 3, 4, 5, 6
),
use_total_kept AS (
  INSERT INTO use_total AS u (tenant, blk, hour, n, allowed, reads, writes, deletes, exports, admins, records, bytes)
  SELECT tenant, blk, hour, capped(sum(n)), capped(sum(allowed)), capped(sum(reads)), capped(sum(writes)), capped(sum(deletes)), capped(sum(exports)), capped(sum(admins)), capped(sum(records)), capped(sum(bytes))
  FROM counted GROUP BY tenant, blk, hour
  ON CONFLICT (tenant, hour, blk) DO UPDATE SET
    n = capped(u.n::numeric + excluded.n), allowed = capped(u.allowed::numeric + excluded.allowed), reads = capped(u.reads::numeric + excluded.reads),
    writes = capped(u.writes::numeric + excluded.writes), deletes = capped(u.deletes::numeric + excluded.deletes), exports = capped(u.exports::numeric + excluded.exports),
    admins = capped(u.admins::numeric + excluded.admins), records = capped(u.records::numeric + excluded.records), bytes = capped(u.bytes::numeric + excluded.bytes)
),
use_client_kept AS (
  INSERT INTO use_client AS u (tenant, client, blk, hour, n, allowed, reads, writes, deletes, exports, admins, records, bytes)
  SELECT tenant, client, blk, hour, capped(sum(n)), capped(sum(allowed)), capped(sum(reads)), capped(sum(writes)), capped(sum(deletes)), capped(sum(exports)), capped(sum(admins)), capped(sum(records)), capped(sum(bytes))
  FROM counted GROUP BY tenant, client, blk, hour
  ON CONFLICT (tenant, client, hour, blk) DO UPDATE SET
    n = capped(u.n::numeric + excluded.n), allowed = capped(u.allowed::numeric + excluded.allowed), reads = capped(u.reads::numeric + excluded.reads),
    writes = capped(u.writes::numeric + excluded.writes), deletes = capped(u.deletes::numeric + excluded.deletes), exports = capped(u.exports::numeric + excluded.exports),
    admins = capped(u.admins::numeric + excluded.admins), records = capped(u.records::numeric + excluded.records), bytes = capped(u.bytes::numeric + excluded.bytes)
),
use_res_kept AS (
  INSERT INTO use_res AS u (tenant, res, blk, hour, n, allowed, reads, writes, deletes, exports, admins, records, bytes)
  SELECT tenant, res, blk, hour, capped(sum(n)), capped(sum(allowed)), capped(sum(reads)), capped(sum(writes)), capped(sum(deletes)), capped(sum(exports)), capped(sum(admins)), capped(sum(records)), capped(sum(bytes))
  FROM counted WHERE res IS NOT NULL GROUP BY tenant, res, blk, hour
  ON CONFLICT (tenant, res, hour, blk) DO UPDATE SET
    n = capped(u.n::numeric + excluded.n), allowed = capped(u.allowed::numeric + excluded.allowed), reads = capped(u.reads::numeric + excluded.reads),
    writes = capped(u.writes::numeric + excluded.writes), deletes = capped(u.deletes::numeric + excluded.deletes), exports = capped(u.exports::numeric + excluded.exports),
    admins = capped(u.admins::numeric + excluded.admins), records = capped(u.records::numeric + excluded.records), bytes = capped(u.bytes::numeric + excluded.bytes)
),
edge_use_kept AS (
  INSERT INTO edge_use AS u (tenant, blk, client, res, n, allowed, reads, writes, deletes, exports, admins, records, bytes,
                             first_at, last_at, first_allowed, last_allowed)
  SELECT tenant, blk, client, res, capped(sum(n)), capped(sum(allowed)), capped(sum(reads)), capped(sum(writes)), capped(sum(deletes)), capped(sum(exports)), capped(sum(admins)), capped(sum(records)), capped(sum(bytes)),
         min(first_at), max(last_at), min(first_allowed), max(last_allowed)
  FROM counted WHERE res IS NOT NULL GROUP BY tenant, blk, client, res
  ON CONFLICT (tenant, blk, client, res) DO UPDATE SET
    n = capped(u.n::numeric + excluded.n), allowed = capped(u.allowed::numeric + excluded.allowed), reads = capped(u.reads::numeric + excluded.reads),
    writes = capped(u.writes::numeric + excluded.writes), deletes = capped(u.deletes::numeric + excluded.deletes), exports = capped(u.exports::numeric + excluded.exports),
    admins = capped(u.admins::numeric + excluded.admins), records = capped(u.records::numeric + excluded.records), bytes = capped(u.bytes::numeric + excluded.bytes),
    first_at = least(u.first_at, excluded.first_at), last_at = greatest(u.last_at, excluded.last_at),
    first_allowed = least(u.first_allowed, excluded.first_allowed), last_allowed = greatest(u.last_allowed, excluded.last_allowed)
),
use_source_kept AS (
  INSERT INTO use_source AS u (tenant, blk, source, came, attributed)
  SELECT tenant, blk, source, capped(sum(came)), capped(sum(attributed))
  FROM (
    SELECT tenant, (ix >> 16)::int AS blk, source, sum(n) AS came, 0 AS attributed FROM written GROUP BY 1, 2, 3
    UNION ALL
    SELECT tenant, blk, source, 0, n FROM counted
  ) s
  GROUP BY tenant, blk, source
  ON CONFLICT (tenant, source, blk) DO UPDATE SET
    came = capped(u.came::numeric + excluded.came), attributed = capped(u.attributed::numeric + excluded.attributed)
),
-- Rows written once: an earlier batch always has the lower index, so the first row stays.
edge_seen_kept AS (
  INSERT INTO edge_seen (tenant, client, res, first_ix)
  SELECT tenant, client, res, min(first_ix) FROM counted WHERE res IS NOT NULL GROUP BY tenant, client, res
  ON CONFLICT DO NOTHING
),
used AS MATERIALIZED (
  SELECT tenant, usr, client, res, scope, min(bound_ix) AS first_ix
  FROM attributed, unnest(scopes) AS scope
  WHERE fresh AND outcome = 1 AND res IS NOT NULL
  GROUP BY tenant, usr, client, res, scope
),
first_use_kept AS (
  INSERT INTO first_use (tenant, usr, client, res, scope, first_ix)
  SELECT * FROM used WHERE usr IS NOT NULL
  ON CONFLICT DO NOTHING
),
edge_scope_used_kept AS (
  INSERT INTO edge_scope_used (tenant, client, res, scope, first_ix)
  SELECT tenant, client, res, scope, min(first_ix) FROM used GROUP BY tenant, client, res, scope
  ON CONFLICT DO NOTHING
),
edge_agent_used_kept AS (
  INSERT INTO edge_agent_used (tenant, client, res, agent, first_ix)
  SELECT tenant, client, res, agent, min(coalesce(agent_ix, bound_ix))
  FROM attributed
  WHERE agent IS NOT NULL AND res IS NOT NULL AND outcome = 1
  GROUP BY tenant, client, res, agent
  ON CONFLICT DO NOTHING
)
-- Returns foreign uses by source.
SELECT source, sum(n)::text AS uses
FROM (SELECT source, n FROM judged UNION ALL SELECT source, n FROM written WHERE foreign_ix IS NOT NULL) f
GROUP BY source

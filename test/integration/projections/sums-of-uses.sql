-- Adds up all uses from `access` alone, as a second opinion about what the writers have added up batch by batch.
TRUNCATE use_total, use_client, use_res, edge_use, edge_cum, edge_scope_used, edge_agent_used, use_source, use_usr, use_usr_end;
UPDATE token SET agent_ix = NULL;
UPDATE access SET agent_ix = NULL;

UPDATE token t SET agent_ix = j.ix
FROM id_jag j
WHERE t.tenant = j.tenant AND t.id_jag_key = ANY (ARRAY[j.key, j.sha_key]) AND j.ix > t.ix AND t.agent IS NOT NULL AND j.agent IS NOT NULL
  AND CASE WHEN t.facts #> '{id_jag,agent}' IS NULL THEN t.facts #>> '{agent,id}' ELSE t.facts #>> '{id_jag,agent,id}' END IS NULL;

UPDATE access a SET agent_ix = t.agent_ix
FROM token t
WHERE t.agent_ix IS NOT NULL AND a.tenant = t.tenant AND a.tok = t.key AND t.agent_ix > a.bound_ix;

CREATE TEMPORARY TABLE counted ON COMMIT DROP AS
SELECT tenant, (bound_ix >> 16)::int AS blk, client, res, (at / 3600)::int AS hour,
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
       min(at) FILTER (WHERE outcome = 1) AS first_allowed, max(until_at) FILTER (WHERE outcome = 1) AS last_allowed
FROM access
WHERE bound_ix IS NOT NULL
GROUP BY 1, 2, 3, 4, 5;

INSERT INTO use_total (tenant, blk, hour, n, allowed, reads, writes, deletes, exports, admins, records, bytes)
SELECT tenant, blk, hour, capped(sum(n)), capped(sum(allowed)), capped(sum(reads)), capped(sum(writes)), capped(sum(deletes)), capped(sum(exports)), capped(sum(admins)), capped(sum(records)), capped(sum(bytes))
FROM counted GROUP BY tenant, blk, hour;

INSERT INTO use_client (tenant, client, blk, hour, n, allowed, reads, writes, deletes, exports, admins, records, bytes)
SELECT tenant, client, blk, hour, capped(sum(n)), capped(sum(allowed)), capped(sum(reads)), capped(sum(writes)), capped(sum(deletes)), capped(sum(exports)), capped(sum(admins)), capped(sum(records)), capped(sum(bytes))
FROM counted GROUP BY tenant, client, blk, hour;

INSERT INTO use_res (tenant, res, blk, hour, n, allowed, reads, writes, deletes, exports, admins, records, bytes)
SELECT tenant, res, blk, hour, capped(sum(n)), capped(sum(allowed)), capped(sum(reads)), capped(sum(writes)), capped(sum(deletes)), capped(sum(exports)), capped(sum(admins)), capped(sum(records)), capped(sum(bytes))
FROM counted WHERE res IS NOT NULL GROUP BY tenant, res, blk, hour;

INSERT INTO edge_use (tenant, blk, client, res, n, allowed, reads, writes, deletes, exports, admins, records, bytes,
                      first_at, last_at, first_allowed, last_allowed)
SELECT tenant, blk, client, res, capped(sum(n)), capped(sum(allowed)), capped(sum(reads)), capped(sum(writes)), capped(sum(deletes)), capped(sum(exports)), capped(sum(admins)), capped(sum(records)), capped(sum(bytes)),
       min(first_at), max(last_at), min(first_allowed), max(last_allowed)
FROM counted WHERE res IS NOT NULL GROUP BY tenant, blk, client, res;

INSERT INTO edge_cum (tenant, snap, client, res, n, allowed, reads, writes, deletes, exports, admins, records, bytes,
                      first_at, last_at, first_allowed, last_allowed)
SELECT u.tenant, snap, client, res, capped(sum(n)), capped(sum(allowed)), capped(sum(reads)), capped(sum(writes)), capped(sum(deletes)), capped(sum(exports)), capped(sum(admins)), capped(sum(records)), capped(sum(bytes)),
       min(first_at), max(last_at), min(first_allowed), max(last_allowed)
FROM ledger_head h
CROSS JOIN LATERAL generate_series(16, ((h.next_ix - 1) >> 16)::int, 16) AS snap
JOIN edge_use u ON u.tenant = h.tenant AND u.blk < snap
GROUP BY u.tenant, snap, client, res;

INSERT INTO edge_scope_used (tenant, client, res, scope, first_ix)
SELECT tenant, client, res, scope, min(bound_ix)
FROM access, unnest(scopes) AS scope
WHERE bound_ix IS NOT NULL AND res IS NOT NULL AND outcome = 1
GROUP BY tenant, client, res, scope;

INSERT INTO edge_agent_used (tenant, client, res, agent, first_ix)
SELECT tenant, client, res, agent, min(coalesce(agent_ix, bound_ix))
FROM access
WHERE agent IS NOT NULL AND res IS NOT NULL AND outcome = 1
GROUP BY tenant, client, res, agent;

INSERT INTO use_source (tenant, blk, source, came, attributed)
SELECT tenant, blk, source, capped(sum(came)), capped(sum(attributed))
FROM (
  SELECT tenant, (ix >> 16)::int AS blk, source, n AS came, 0 AS attributed FROM access
  UNION ALL
  SELECT tenant, (bound_ix >> 16)::int, source, 0, n FROM access WHERE bound_ix IS NOT NULL
) s
GROUP BY tenant, blk, source;

INSERT INTO use_usr_end (tenant, blk) SELECT tenant, ((next_ix - 1) >> 14)::int FROM ledger_head WHERE next_ix > 16384;

INSERT INTO use_usr (tenant, usr, client, res, blk, n, allowed, first_at, last_at, first_allowed, last_allowed, agents)
SELECT tenant, usr, client, res, blk, capped(sum(n)), capped(sum(allowed)), min(first_at), max(last_at), min(first_allowed), max(last_allowed),
       array_agg(agent ORDER BY agent) FILTER (WHERE agent IS NOT NULL)
FROM (
  SELECT a.tenant, a.usr, a.client, a.res, (a.bound_ix >> 14)::int AS blk, CASE WHEN a.agent_ix IS NULL THEN a.agent END AS agent,
         sum(a.n) AS n, coalesce(sum(a.n) FILTER (WHERE a.outcome = 1), 0) AS allowed, min(a.at) AS first_at, max(a.until_at) AS last_at,
         min(a.at) FILTER (WHERE a.outcome = 1) AS first_allowed, max(a.until_at) FILTER (WHERE a.outcome = 1) AS last_allowed
  FROM access a JOIN use_usr_end e ON e.tenant = a.tenant
  WHERE a.bound_ix < e.blk::bigint << 14 AND a.usr IS NOT NULL AND a.res IS NOT NULL
  GROUP BY 1, 2, 3, 4, 5, 6
) s
GROUP BY tenant, blk, usr, client, res
ORDER BY tenant, blk, usr, client, res;

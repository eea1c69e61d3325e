-- What came before the counts were kept. The own times of these events are not known here: they have no delays, and day 0, which no clock
-- is judged by. Rescind's own events have the tenant for a source.
WITH lineage AS (
  SELECT t.tenant, t.source, t.ix, t.id_jag_key, t.parent_key, j.ix AS jag_ix, greatest(t.ix, j.ix) AS arrived_ix
  FROM token t
  LEFT JOIN LATERAL (
    SELECT min(ix) AS ix
    FROM (SELECT ix FROM id_jag WHERE tenant = t.tenant AND key = t.id_jag_key
          UNION ALL SELECT ix FROM id_jag WHERE tenant = t.tenant AND sha_key = t.id_jag_key) named
  ) j ON true
),
heard AS (
  SELECT tenant, source, substring(type FROM '^dev[.]rescind[.](.*)[.]v1$') AS what, ix, arrival FROM entry WHERE source <> tenant
  UNION ALL
  SELECT l.tenant, l.source, l.what, l.ix, e.arrival
  FROM (
    SELECT tenant, source, 'token' AS what, ix FROM lineage
    UNION ALL SELECT tenant, source, 'token.stated', ix FROM lineage WHERE id_jag_key IS NOT NULL
    UNION ALL SELECT tenant, source, 'token.parent', ix FROM lineage WHERE id_jag_key IS NULL AND parent_key IS NOT NULL
    UNION ALL SELECT tenant, source, 'token.arrived', arrived_ix FROM lineage WHERE jag_ix IS NOT NULL
  ) l
  JOIN entry e ON e.tenant = l.tenant AND e.ix = l.ix
),
kept AS (
  INSERT INTO source_event (tenant, source, last_ix, what, arrival, ixs, delays, ahead, prompt)
  SELECT tenant, source, max(ix), what, arrival, array_agg((ix & 65535)::int ORDER BY ix), '{}', 0, 0
  FROM heard
  GROUP BY tenant, source, what, arrival, ix >> 16
)
INSERT INTO source_count (tenant, source, what, day, blk, n, total, last_ix, last_arrival, ahead, prompt)
SELECT tenant, source, what, 0, (ix >> 16)::int, count(*), sum(count(*)) OVER (PARTITION BY tenant, source, what ORDER BY ix >> 16), max(ix), max(arrival), 0, 0
FROM heard
GROUP BY tenant, source, what, ix >> 16;

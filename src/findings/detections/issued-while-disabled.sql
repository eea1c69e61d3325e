-- Finds ID-JAGs and tokens that were issued for a user while the IdP had the user disabled: those of the step, and older ones of a user whose disabling
-- the step made known. A user is looked up under the other names that events tie to the disabled one.
-- $1 tenant  $2 from  $3 to  $4 grace, milliseconds
WITH disabled AS MATERIALIZED (
  SELECT p.entity, p.at_ms, p.from_ix, n.at_ms AS enabled_ms
  -- OFFSET 0 begins with the few that are disabled, also without statistics.
  FROM (SELECT * FROM principal_version x WHERE x.tenant = $1 AND x.state = 0 AND x.from_ix < $3::bigint AND (x.to_ix IS NULL OR x.to_ix >= $2::bigint) OFFSET 0) p
  JOIN entity e ON e.tenant = $1 AND e.id = p.entity AND e.kind = 1
  LEFT JOIN principal_version n ON n.tenant = $1 AND n.entity = p.entity AND n.from_ix = p.to_ix
),
named AS MATERIALIZED (
  SELECT n.*, CASE WHEN n.from_ix >= $2::bigint THEN 0 ELSE $2::bigint END AS least_ix
  FROM (
    SELECT d.*, d.entity AS name FROM disabled d
    UNION SELECT d.*, a.local FROM disabled d JOIN alias a ON a.tenant = $1 AND a.idp = d.entity
  ) n
),
issued AS (
  SELECT n.*, t.ix, t.client, t.agent, t.res[1] AS res, t.key AS tok, t.iat
  FROM named n
  CROSS JOIN LATERAL (
    SELECT * FROM token x WHERE x.tenant = $1 AND x.usr = n.name AND x.ix >= n.least_ix AND x.ix < $3::bigint ORDER BY x.ix DESC LIMIT 1000
  ) t
  UNION ALL
  SELECT n.*, t.ix, t.client, t.agent, t.res[1], t.key, t.iat
  FROM token t
  JOIN named n ON n.name = t.usr AND n.least_ix > t.ix
  WHERE t.tenant = $1 AND t.bound_ix >= $2::bigint AND t.bound_ix > t.ix AND t.ix < $2::bigint
  UNION ALL
  SELECT n.*, j.ix, j.client, j.agent, NULL, NULL, (j.facts ->> 'iat')::bigint
  FROM named n
  CROSS JOIN LATERAL (
    SELECT * FROM id_jag x WHERE x.tenant = $1 AND x.usr = n.name AND x.ix >= n.least_ix AND x.ix < $3::bigint ORDER BY x.ix DESC LIMIT 1000
  ) j
)
SELECT concat_ws(' ', entity, client) AS subject, entity AS usr, client, min(agent) AS agent, min(res) AS res, encode(max(tok), 'hex') AS tok, count(*) AS count,
       min(iat) AS first_at, max(iat) AS last_at, array_agg(ix ORDER BY ix) AS entries,
       jsonb_build_object('disabled_at', to_char(to_timestamp(max(at_ms) / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) AS details
FROM issued
WHERE iat * 1000 > at_ms + $4::bigint AND (enabled_ms IS NULL OR iat * 1000 < enabled_ms)
GROUP BY entity, client

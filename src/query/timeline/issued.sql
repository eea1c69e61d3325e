-- Lists the tokens and ID-JAGs of a lineage, by when they were issued, newest first.
-- $1 tenant  $2 as of  $3 keys  $4 from and $5 to, epoch milliseconds, both included  $6 rows
SELECT i.*
FROM (
  SELECT 'token' AS of, encode(t.key, 'hex') AS key, t.ix, t.iat * 1000 AS at_ms, t.source, t.client, t.facts ->> 'scope' AS scope,
         CASE WHEN t.bound_ix < $2::bigint THEN t.usr END AS usr, CASE WHEN coalesce(t.agent_ix, t.ix) < $2 THEN t.agent END AS agent, t.res
  FROM token t WHERE t.tenant = $1 AND t.key = ANY ($3::bytea[]) AND t.ix < $2
  UNION ALL
  SELECT 'id_jag', encode(j.key, 'hex'), j.ix, (j.facts ->> 'iat')::bigint * 1000, j.source, j.client, j.facts ->> 'scope', j.usr, j.agent, '{}'::int[]
  FROM id_jag j WHERE j.tenant = $1 AND j.key = ANY ($3) AND j.ix < $2
) i
WHERE i.at_ms BETWEEN $4::bigint AND $5::bigint
ORDER BY i.at_ms DESC, i.ix DESC
LIMIT $6

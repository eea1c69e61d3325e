-- Lists contradictions of the facts of an entity's tokens and ID-JAGs, newest first. The texts in braces come from a closed list in
-- streams.pg.ts.
-- $1 tenant  $2 as of  $3 ids, or keys of tokens and ID-JAGs  $4 from and $5 to, epoch milliseconds, both included  $6 rows
SELECT c.of, c.key, c.usr, c.client, c.ix, e.arrival AS at_ms
FROM (
  SELECT 'token' AS of, encode(t.key, 'hex') AS key, CASE WHEN coalesce(t.bound_ix, t.ix) < $2::bigint THEN t.usr END AS usr, t.client, t.conflict_ix AS ix
  FROM token t WHERE t.tenant = $1 AND t.conflict_ix < $2 AND t.conflict_ix IS NOT NULL AND {token}
  UNION ALL
  SELECT 'id_jag', encode(j.key, 'hex'), j.usr, j.client, j.conflict_ix
  FROM id_jag j WHERE j.tenant = $1 AND j.conflict_ix < $2 AND j.conflict_ix IS NOT NULL AND {id_jag}
) c
JOIN entry e ON e.tenant = $1 AND e.ix = c.ix
WHERE e.arrival BETWEEN $4::bigint AND $5::bigint
ORDER BY e.arrival DESC, c.ix DESC, c.of, c.key
LIMIT $6

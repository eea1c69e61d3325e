-- Lists the last refusals of an entity's tokens that introspection remembers, newest first. The text in braces comes from a closed list in
-- streams.pg.ts.
-- $1 tenant  $2 as of  $3 ids, or keys of tokens  $4 from and $5 to, epoch milliseconds, both included  $6 rows
SELECT r.reason, nullif(r.member, '') AS member, encode(r.token, 'hex') AS key, r.source, r.last_ms AS at_ms, t.client,
       CASE WHEN coalesce(t.bound_ix, t.ix) < $2::bigint THEN t.usr END AS usr
FROM refused_token r
JOIN token t ON t.tenant = $1 AND t.key = r.token AND t.ix < $2 AND {token}
WHERE r.tenant = $1 AND r.last_ms BETWEEN $4::bigint AND $5::bigint
ORDER BY r.last_ms DESC, r.reason, r.member, r.source, r.token
LIMIT $6

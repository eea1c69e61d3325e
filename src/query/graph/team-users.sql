-- Counts the users of each team who hold grants of the given pairs, at each client as it is shown, as of an index. A row without a client counts
-- all users of the team; the rows without a team count the users for whom the directory has none.
-- $1 tenant  $2 as of  $3, $4 pairs of RAS client and resource  $5 clients as they are shown, in the same order  $6
-- agents  $7 users
WITH held AS MATERIALIZED (
  SELECT DISTINCT g.usr, p.shown, p.res
  FROM unnest($3::int[], $4::int[], $5::int[]) AS p (client, res, shown)
  JOIN grant_version g ON g.tenant = $1 AND g.client = p.client AND g.res = p.res
    AND g.from_ix < $2::bigint AND (g.to_ix IS NULL OR g.to_ix >= $2)
  WHERE ($6::int[] IS NULL OR g.agent = ANY ($6)) AND ($7::int[] IS NULL OR g.usr = ANY ($7))
)
SELECT d.team, h.shown AS client, count(DISTINCT h.usr) AS users, count(DISTINCT h.res) AS resources
FROM held h
JOIN entity e ON e.tenant = $1 AND e.id = h.usr
LEFT JOIN directory d ON d.tenant = $1 AND d.kind = e.kind AND d.key = e.key
GROUP BY GROUPING SETS ((d.team, h.shown), (d.team))
ORDER BY h.shown NULLS FIRST, users DESC, d.team

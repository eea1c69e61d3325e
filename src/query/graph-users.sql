-- Whose grants the shown connections carry, those with the widest reach first.
-- $1 tenant  $2, $3 pairs of RAS client and resource  $4 clients as they are shown, in the same order  $5 users  $6 agents  $7 rows
WITH held AS MATERIALIZED (
  SELECT g.usr, p.shown, count(*) AS resources
  FROM unnest($2::int[], $3::int[], $4::int[]) AS p (client, res, shown)
  JOIN grant_version g ON g.tenant = $1 AND g.client = p.client AND g.res = p.res AND g.to_ix IS NULL
  WHERE ($5::int[] IS NULL OR g.usr = ANY ($5)) AND ($6::int[] IS NULL OR g.agent = ANY ($6))
  GROUP BY g.usr, p.shown
),
ranked AS (
  SELECT usr, row_number() OVER (ORDER BY sum(resources) DESC, usr) AS place, count(*) OVER () AS total FROM held GROUP BY usr
)
SELECT r.usr, h.shown AS client, h.resources, r.total
FROM ranked r JOIN held h USING (usr)
WHERE r.place <= $7
ORDER BY r.place, h.shown

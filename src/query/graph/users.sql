-- Finds the users who hold grants of the given pairs, those with the widest reach first, as of an index. Walks at most
-- $8 grants.
-- $1 tenant  $2 as of  $3, $4 pairs of RAS client and resource  $5 clients as they are shown, in the same order  $6
-- agents  $7 rows  $8 budget
WITH walked AS MATERIALIZED (
  SELECT g.usr, p.shown, p.res
  FROM unnest($3::int[], $4::int[], $5::int[]) AS p (client, res, shown)
  -- OFFSET 0 keeps the subquery a loop over pairs, so that the budget ends the walk.
  CROSS JOIN LATERAL (
    SELECT usr FROM grant_version
    WHERE tenant = $1 AND client = p.client AND res = p.res AND from_ix < $2::bigint AND (to_ix IS NULL OR to_ix >= $2)
      AND ($6::int[] IS NULL OR agent = ANY ($6))
    OFFSET 0
  ) g
  LIMIT $8
),
held AS (SELECT usr, shown, count(DISTINCT res) AS resources FROM walked GROUP BY usr, shown),
ranked AS (
  SELECT usr, row_number() OVER (ORDER BY sum(resources) DESC, usr) AS place, count(*) OVER () AS total FROM held GROUP BY usr
)
SELECT r.usr, h.shown AS client, h.resources, r.total, (SELECT count(*) FROM walked) AS walked
FROM ranked r JOIN held h USING (usr)
WHERE r.place <= $7
ORDER BY r.place, h.shown

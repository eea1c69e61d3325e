-- Lists the clients at whose pairs a user of the issuer holds a grant, as of an index (`is_carried`). Also lists
-- clients that remain undecided: none of the first grants of a pair is a user's of the issuer, and the pair has more
-- grants.
-- $1 tenant  $2 as of  $3, $4 pairs of RAS client and resource  $5 clients as they are shown, in the same order  $6
-- issuer  $7 grants looked at per pair
SELECT shown AS client, bool_or(carried) AS is_carried
FROM (
  SELECT p.*, EXISTS (
    SELECT FROM (
      SELECT usr FROM grant_version
      WHERE tenant = $1 AND client = p.client AND res = p.res AND from_ix < $2::bigint AND (to_ix IS NULL OR to_ix >= $2)
      ORDER BY usr LIMIT $7
    ) g
    JOIN entity e ON e.tenant = $1 AND e.id = g.usr
    WHERE e.parts ->> 0 = $6::text
  ) AS carried
  FROM unnest($3::int[], $4::int[], $5::int[]) AS p (client, res, shown)
) p
WHERE carried OR EXISTS (
  SELECT FROM grant_version
  WHERE tenant = $1 AND client = p.client AND res = p.res AND from_ix < $2 AND (to_ix IS NULL OR to_ix >= $2)
  ORDER BY usr OFFSET $7 LIMIT 1
)
GROUP BY shown

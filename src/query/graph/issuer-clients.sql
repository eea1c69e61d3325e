-- Clients of which the given pairs carry a grant of a user whom the issuer names, as of an index; and those of which it cannot be said, since
-- none of a pair's first grants is one and it has more.
-- $1 tenant  $2 as of  $3, $4 pairs of RAS client and resource  $5 clients as they are shown, in the same order  $6 issuer  $7 grants of a pair
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

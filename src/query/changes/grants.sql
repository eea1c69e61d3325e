-- Grants that are new, or hold more scopes, between two indexes, by client and resource; the newest versions as far as the budget goes.
-- $1 tenant  $2 since  $3 until  $4 clients  $5 resources, null: all  $6 budget
WITH walked AS MATERIALIZED (
  SELECT usr, client, res, from_ix FROM grant_version
  WHERE tenant = $1 AND from_ix >= $2::bigint AND from_ix < $3::bigint
    AND ($4::int[] IS NULL OR client = ANY ($4)) AND ($5::int[] IS NULL OR res = ANY ($5))
  ORDER BY from_ix DESC
  LIMIT $6
),
held AS (SELECT usr, client, res, min(from_ix) AS first_ix, max(from_ix) AS last_ix FROM walked GROUP BY usr, client, res),
compared AS MATERIALIZED (
  SELECT h.client, h.res, h.first_ix, h.last_ix, b.usr IS NULL AS fresh,
         CASE WHEN b.usr IS NOT NULL THEN ARRAY(SELECT unnest(a.scopes) EXCEPT SELECT unnest(b.scopes)) ELSE '{}' END AS added
  FROM held h
  JOIN grant_version a ON a.tenant = $1 AND a.usr = h.usr AND a.client = h.client AND a.res = h.res AND a.from_ix = h.last_ix
  LEFT JOIN grant_version b ON b.tenant = $1 AND b.usr = h.usr AND b.client = h.client AND b.res = h.res
    AND b.from_ix < $2 AND (b.to_ix IS NULL OR b.to_ix >= $2)
),
added AS (SELECT client, res, array_agg(DISTINCT scope ORDER BY scope) AS scopes FROM compared, unnest(added) AS scope GROUP BY client, res)
SELECT c.client, c.res, c.fresh, count(*)::int8 AS grants, min(CASE WHEN fresh THEN first_ix ELSE last_ix END) AS first_ix,
       max(CASE WHEN fresh THEN first_ix ELSE last_ix END) AS last_ix,
       CASE WHEN NOT c.fresh THEN a.scopes END AS added, (SELECT count(*) FROM walked) AS walked
FROM compared c LEFT JOIN added a USING (client, res)
WHERE c.fresh OR c.added <> '{}'
GROUP BY c.client, c.res, c.fresh, a.scopes

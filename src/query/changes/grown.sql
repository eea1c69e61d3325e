-- Grants that were there and hold more scopes, between two indexes, by client and resource; the newest versions as far as the budget goes.
-- How many were walked is told also where none grew. Scopes are compared as words.  $1 tenant  $2 since  $3 until  $4 clients  $5 resources, null: all  $6 budget
WITH walked AS MATERIALIZED (
  SELECT usr, client, res, from_ix, array_to_string(scopes, ' ') AS scopes FROM grant_version
  WHERE tenant = $1 AND again AND from_ix >= $2::bigint AND from_ix < $3::bigint
    AND ($4::int[] IS NULL OR client = ANY ($4)) AND ($5::int[] IS NULL OR res = ANY ($5))
  ORDER BY from_ix DESC
  LIMIT $6::int
),
held AS MATERIALIZED (
  SELECT usr, client, res, max(from_ix) AS last_ix, (array_agg(scopes ORDER BY from_ix DESC))[1] AS scopes
  FROM walked GROUP BY usr, client, res
),
compared AS MATERIALIZED (
  SELECT h.client, h.res, h.last_ix,
         (SELECT string_agg(x, ' ') FROM (SELECT unnest(string_to_array(h.scopes, ' ')) EXCEPT SELECT unnest(b.scopes)) d (x)) AS added
  FROM held h
  -- The version of the first moment is the last that began before it; without one the grant is new.
  CROSS JOIN LATERAL (
    SELECT g.scopes FROM grant_version g
    WHERE g.tenant = $1 AND g.usr = h.usr AND g.client = h.client AND g.res = h.res AND g.from_ix < $2
    ORDER BY g.from_ix DESC LIMIT 1
  ) b
)
SELECT w.walked, g.*
FROM (SELECT count(*)::int AS walked FROM walked) w
LEFT JOIN (
  SELECT client, res, count(*)::int AS grants, min(last_ix)::float8 AS first_ix, max(last_ix)::float8 AS last_ix, string_agg(added, ' ') AS added
  FROM compared
  WHERE added IS NOT NULL
  GROUP BY client, res
) g ON true

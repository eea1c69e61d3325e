-- Finds the grants that gained scopes between two indexes, by client and resource, version by version; the newest
-- versions, up to a budget. If no grant gained scopes, one row still says how many versions were walked. Scopes are
-- compared as words.
-- $1 tenant  $2 since  $3 until  $4 clients  $5 resources, null: all  $6 budget
WITH walked AS MATERIALIZED (
  SELECT usr, client, res, from_ix, array_to_string(scopes, ' ') AS scopes FROM grant_version
  WHERE tenant = $1 AND again AND from_ix >= $2::bigint AND from_ix < $3::bigint
    AND ($4::int[] IS NULL OR client = ANY ($4)) AND ($5::int[] IS NULL OR res = ANY ($5))
  ORDER BY from_ix DESC
  LIMIT $6::int
),
compared AS MATERIALIZED (
  SELECT w.usr, w.client, w.res, w.from_ix,
         (SELECT string_agg(x, ' ') FROM (SELECT unnest(string_to_array(w.scopes, ' ')) EXCEPT SELECT unnest(b.scopes)) d (x)) AS added
  FROM walked w
  CROSS JOIN LATERAL (
    SELECT g.scopes FROM grant_version g
    WHERE g.tenant = $1 AND g.usr = w.usr AND g.client = w.client AND g.res = w.res AND g.from_ix < w.from_ix
    ORDER BY g.from_ix DESC LIMIT 1
  ) b
)
SELECT w.walked, g.*
FROM (SELECT count(*)::int AS walked FROM walked) w
LEFT JOIN (
  SELECT client, res, count(DISTINCT usr)::int AS grants, min(from_ix)::float8 AS first_ix, max(from_ix)::float8 AS last_ix, string_agg(added, ' ') AS added
  FROM compared
  WHERE added IS NOT NULL
  GROUP BY client, res
) g ON true

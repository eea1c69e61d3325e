-- Grants that are new, or hold more scopes, between two indexes, by client and resource; the newest versions as far as the budget goes.
-- Scopes are compared as words.  $1 tenant  $2 since  $3 until  $4 clients  $5 resources, null: all  $6 budget
WITH walked AS MATERIALIZED (
  SELECT usr, client, res, from_ix, array_to_string(scopes, ' ') AS scopes FROM grant_version
  WHERE tenant = $1 AND from_ix >= $2::bigint AND from_ix < $3::bigint
    AND ($4::int[] IS NULL OR client = ANY ($4)) AND ($5::int[] IS NULL OR res = ANY ($5))
  ORDER BY from_ix DESC
  LIMIT $6
),
held AS MATERIALIZED (
  SELECT usr, client, res, min(from_ix) AS first_ix, max(from_ix) AS last_ix, (array_agg(scopes ORDER BY from_ix DESC))[1] AS scopes
  FROM walked GROUP BY usr, client, res
),
compared AS (
  SELECT h.client, h.res, b.scopes IS NULL AS fresh, h.first_ix, h.last_ix,
         CASE WHEN b.scopes IS NOT NULL THEN (
           SELECT string_agg(x, ' ') FROM (SELECT unnest(string_to_array(h.scopes, ' ')) EXCEPT SELECT unnest(b.scopes)) d (x)) END AS added
  FROM held h
  -- The version of the first moment is the last that began before it: one row of the primary key.
  LEFT JOIN LATERAL (
    SELECT g.scopes FROM grant_version g
    WHERE g.tenant = $1 AND g.usr = h.usr AND g.client = h.client AND g.res = h.res AND g.from_ix < $2
    ORDER BY g.from_ix DESC LIMIT 1
  ) b ON true
)
SELECT client, res, fresh, count(*)::int8 AS grants, min(CASE WHEN fresh THEN first_ix ELSE last_ix END) AS first_ix,
       max(CASE WHEN fresh THEN first_ix ELSE last_ix END) AS last_ix, string_agg(added, ' ') AS added, (SELECT count(*) FROM walked) AS walked
FROM compared
WHERE fresh OR added IS NOT NULL
GROUP BY client, res, fresh

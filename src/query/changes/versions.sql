-- Lists the versions of grants, other than their first, between two indexes: the newest, in ascending order of indexes.
-- Each comes with the index of the version before it and the scopes it added, as words: scopes only ever grow.
-- $1 tenant  $2 from  $3 to  $4 rows
SELECT v.usr, v.client, v.res, v.from_ix::float8 AS ix, b.from_ix::float8 AS before,
       (SELECT string_agg(x, ' ') FROM (SELECT unnest(string_to_array(array_to_string(v.scopes, ' '), ' ')) EXCEPT SELECT unnest(b.scopes)) d (x)) AS added
FROM (
  SELECT usr, client, res, from_ix, scopes FROM grant_version
  WHERE tenant = $1 AND again AND from_ix >= $2::bigint AND from_ix < $3::bigint
  ORDER BY from_ix DESC
  LIMIT $4::int
) v
LEFT JOIN LATERAL (
  SELECT g.scopes, g.from_ix FROM grant_version g
  WHERE g.tenant = $1 AND g.usr = v.usr AND g.client = v.client AND g.res = v.res AND g.from_ix < v.from_ix
  ORDER BY g.from_ix DESC LIMIT 1
) b ON true
ORDER BY v.from_ix

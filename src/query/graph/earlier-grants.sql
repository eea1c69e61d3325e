-- Lists new grants between two indexes: client, resource and index of each as words, in the order of indexes.
-- $1 tenant  $2 from  $3 to  $4 rows
SELECT string_agg(concat_ws(' ', client, res, from_ix), ' ' ORDER BY from_ix) AS grants
FROM (
  SELECT client, res, from_ix FROM edge_grant WHERE tenant = $1 AND from_ix >= $2::bigint AND from_ix < $3::bigint ORDER BY from_ix LIMIT $4
) g

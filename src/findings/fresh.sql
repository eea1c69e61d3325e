-- Selects the uses that became known in a step: those that came with their lineage, those without any yet, and older ones whose lineage came now.
-- Uses of a token that is for others are left out.
-- $1 tenant  $2 from  $3 to
SELECT a.* FROM access a
WHERE a.tenant = $1 AND a.ix >= $2::bigint AND a.ix < $3::bigint AND (a.bound_ix IS NULL OR a.bound_ix = a.ix) AND a.foreign_ix IS NULL
UNION ALL
SELECT a.* FROM access a
WHERE a.tenant = $1 AND a.bound_ix >= $2::bigint AND a.bound_ix < $3::bigint AND a.bound_ix > a.ix AND a.foreign_ix IS NULL

-- Reads when grants were last used (allowed), by the sums of closed blocks.
-- $1 tenant  $2 from this block  $3 to this one (exclusive)
SELECT usr, client, res, max(last_allowed)::float8 AS last
FROM use_usr
WHERE tenant = $1 AND blk >= $2::int AND blk < $3::int AND last_allowed IS NOT NULL
GROUP BY usr, client, res

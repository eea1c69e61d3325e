-- Attributed uses by client and resource in one block, as far as it has come: as words, since rows take long to parse. In the order of
-- `EdgeSum`; 0: none was allowed.  $1 tenant  $2 block  $3 clients  $4 resources, null: all
SELECT string_agg(concat_ws(' ', client, res, n, allowed, first_at, last_at, coalesce(first_allowed, 0), coalesce(last_allowed, 0)), ' ') AS sums
FROM edge_use
WHERE tenant = $1 AND blk = $2::int AND ($3::int[] IS NULL OR client = ANY ($3)) AND ($4::int[] IS NULL OR res = ANY ($4))

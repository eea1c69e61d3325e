-- Reads the stored sums by client and resource of one block as one text of words, because rows take long to parse. The words are in the order
-- of `EdgeSum`; a time of 0 means that no use was allowed.  $1 tenant  $2 block  $3 clients  $4 resources, null: all
SELECT string_agg(concat_ws(' ', client, res, n, allowed, first_at, last_at, coalesce(first_allowed, 0), coalesce(last_allowed, 0)), ' ') AS sums
FROM edge_use
WHERE tenant = $1 AND blk = $2::int AND ($3::int[] IS NULL OR client = ANY ($3)) AND ($4::int[] IS NULL OR res = ANY ($4))

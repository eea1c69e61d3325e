INSERT INTO edge_seen (tenant, client, res, first_ix)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::int[], $4::bigint[])
-- One batch writes the table twice, for its uses and for its grants, so the lower index wins. Rows of earlier batches always have a lower one.
ON CONFLICT (tenant, client, res) DO UPDATE SET first_ix = excluded.first_ix WHERE excluded.first_ix < edge_seen.first_ix

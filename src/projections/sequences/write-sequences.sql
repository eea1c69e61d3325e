-- $1 tenants  $2 sources  $3 numbers
INSERT INTO source_sequence AS s (tenant, source, seen, repeated)
SELECT tenant, source, range_agg(int8range(number, number, '[]')), count(*) - count(DISTINCT number)
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS w (tenant, source, number)
GROUP BY tenant, source
ON CONFLICT (tenant, source) DO UPDATE
SET seen = s.seen + excluded.seen, repeated = s.repeated + excluded.repeated + numbers_in(s.seen * excluded.seen)
RETURNING tenant, source, (SELECT count(*) - 1 FROM unnest(seen)) AS gaps,
          upper(seen) - lower(seen) - numbers_in(seen) AS missing, repeated, given_up

-- Closes the lowest gaps of each source, so that $3 remain.  $1 tenants  $2 sources
WITH low AS (
  SELECT tenant, source,
         (SELECT int8multirange(int8range(lower(seen), upper(run)))
          FROM unnest(seen) WITH ORDINALITY AS u (run, nth) WHERE nth = (SELECT count(*) FROM unnest(seen)) - $3) AS closed
  FROM source_sequence
  WHERE (tenant, source) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
)
UPDATE source_sequence s
SET seen = s.seen + low.closed, given_up = s.given_up + numbers_in(low.closed - s.seen)
FROM low
WHERE s.tenant = low.tenant AND s.source = low.source AND low.closed IS NOT NULL
RETURNING s.tenant, s.source, upper(s.seen) - lower(s.seen) - numbers_in(s.seen) AS missing, s.repeated, s.given_up

-- Reads the sequence of each source that numbers its events, with its lowest gaps.
-- $1 tenant  $2 gaps a source
SELECT source, lower(seen) AS first, upper(seen) - 1 AS last, upper(seen) - lower(seen) - numbers_in(seen) AS missing, repeated, given_up,
       (SELECT coalesce(json_agg(json_build_object('from', lower(gap), 'to', upper(gap) - 1) ORDER BY lower(gap)), '[]')
        FROM (SELECT gap FROM unnest(int8multirange(range_merge(seen)) - seen) AS gap ORDER BY lower(gap) LIMIT $2) AS lowest) AS gaps
FROM source_sequence
WHERE tenant = $1
ORDER BY source

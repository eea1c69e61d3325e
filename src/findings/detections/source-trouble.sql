-- Finds sources whose numbers have gaps, that send far behind their events, or that are silent for longer than they ever were lately. Times are those of the
-- ledger, so that a ledger that stands still says nothing of a source.
-- $1 tenant  $2 from (unused)  $3 to (unused)  $4 now, epoch milliseconds  $5 least silence, milliseconds  $6 delay, milliseconds
WITH told AS (SELECT $2::bigint AS from_ix, $3::bigint AS to_ix),
days AS MATERIALIZED (
  SELECT source, last_arrival FROM source_count WHERE tenant = $1 AND last_arrival > $4::bigint - 21 * 86400000::bigint AND what NOT LIKE 'token%' AND source <> $1
),
steps AS (SELECT source, last_arrival, last_arrival - lag(last_arrival) OVER (PARTITION BY source ORDER BY last_arrival) AS pause FROM days),
heard AS (SELECT source, max(last_arrival) AS last_arrival, max(pause) AS longest, count(DISTINCT last_arrival / 86400000) AS days FROM steps GROUP BY source),
newest AS (
  SELECT h.source, h.last_arrival, h.longest, h.days, e.delay_least
  FROM heard h
  CROSS JOIN LATERAL (SELECT min(x.delay_least) AS delay_least FROM (
    SELECT delay_least FROM source_event s WHERE s.tenant = $1 AND s.source = h.source ORDER BY s.last_ix DESC LIMIT 5) x) e
)
SELECT concat('gaps ', s.source) AS subject, s.source, g.missing AS count, $4::bigint / 1000 AS first_at, $4::bigint / 1000 AS last_at, '{}'::bigint[] AS entries,
       jsonb_build_object('how', 'gaps', 'missing', g.missing) AS details
FROM source_sequence s
CROSS JOIN LATERAL (SELECT upper(range_merge(s.seen)) - lower(range_merge(s.seen)) - numbers_in(s.seen) + s.given_up AS missing) g
WHERE s.tenant = $1 AND g.missing > 0
UNION ALL
SELECT concat('silent ', source), source, 1, last_arrival / 1000, $4::bigint / 1000, '{}', jsonb_build_object('how', 'silent', 'hours', ($4::bigint - last_arrival) / 3600000)
FROM newest
WHERE days >= 3 AND $4::bigint - last_arrival > greatest($5::bigint, longest * 3 / 2)
UNION ALL
SELECT concat('behind ', source), source, 1, last_arrival / 1000, $4::bigint / 1000, '{}', jsonb_build_object('how', 'behind', 'minutes', delay_least / 60000)
FROM newest, told
WHERE delay_least > $6::bigint AND $4::bigint - last_arrival < 3600000

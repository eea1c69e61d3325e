-- Writes what was decided about a finding, if its detection still acts by the same change and nobody was faster. The caller holds the lock of the detection, so
-- that rules within the hour are counted right; a decision beyond $11 of them is `too-many`.
-- $1 tenant  $2 finding  $3 kind  $4 nth  $5 outcome  $6 why  $7 selector  $8 hits  $9 now, epoch milliseconds  $10 since when rules are counted  $11 the most of them
INSERT INTO finding_action AS a (tenant, finding, kind, nth, action, outcome, why, selector, hits, at_ms)
SELECT $1::uuid, $2::uuid, $3::text, n.nth, n.said ->> 'action',
       CASE WHEN c.full THEN 'too-many' ELSE $5::text END,
       CASE WHEN c.full THEN c.rules || ' rules were ordered within the hour before, and the cap is ' || $11::int ELSE $6::text END,
       $7::jsonb, $8::jsonb, $9::bigint
FROM (SELECT nth, said, entry FROM detection_change WHERE tenant = $1::uuid AND kind = $3::text ORDER BY nth DESC LIMIT 1) n
CROSS JOIN LATERAL (
  SELECT count(*) AS rules, $5::text IN ('would-order', 'ordering') AND count(*) >= $11::int AS full FROM finding_action o
  WHERE o.tenant = $1::uuid AND o.kind = $3::text AND o.at_ms > $10::bigint AND o.finding <> $2::uuid AND o.action = n.said ->> 'action'
    AND o.outcome IN ('would-order', 'ordering', 'unconfirmed', 'ordered')
) c
WHERE n.nth = $4::int AND n.entry IS NOT NULL
ON CONFLICT (tenant, finding) DO UPDATE SET
  nth = excluded.nth, action = excluded.action, outcome = excluded.outcome, why = excluded.why, selector = excluded.selector, hits = excluded.hits, at_ms = excluded.at_ms
  WHERE a.nth < excluded.nth AND a.rule IS NULL AND a.outcome <> 'ordering'
RETURNING outcome

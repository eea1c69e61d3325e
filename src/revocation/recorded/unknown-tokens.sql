SELECT o.body->'selector'->'token' AS token, max((o.body->>'until')::bigint) AS until,
       sum(1 + coalesce(jsonb_array_length(o.body->'or'->'client'), 0))::int AS selectors
FROM control_log o
WHERE o.tenant = $1
  AND o.kind = 'rule.ordered'
  AND o.body->'author'->>'caller' = $2
  AND o.body->'selector' ?& ARRAY['token', 'client']
  AND (o.body->>'until')::bigint > $3
GROUP BY 1
ORDER BY 2
LIMIT $4

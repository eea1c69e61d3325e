-- Looks at the rules that are watched and at those that the step made known: when each ended, was first met by a use or a refusal of the step, and when
-- the last of its names was first seen. Times are epoch milliseconds.
-- $1 tenant  $2 from  $3 to  $4 rules that are watched
WITH fresh AS MATERIALIZED (
{fresh}
),
rule AS MATERIALIZED (
  SELECT rule, nth, from_ix, effect, selector, reason, ordered_ms, until_at, lifted_ix, keys FROM rule_version
  WHERE tenant = $1 AND rule = ANY ($4::text[])
  UNION ALL
  SELECT rule, nth, from_ix, effect, selector, reason, ordered_ms, until_at, lifted_ix, keys FROM rule_version
  WHERE tenant = $1 AND from_ix >= $2::bigint AND from_ix < $3::bigint AND cause IS NULL
    AND selector ?| '{user,client,agent}' AND selector - '{user,client,agent,resource}'::text[] = '{}'
),
member AS MATERIALIZED (
  SELECT r.rule, r.nth, k.place, e.kind, e.from_ix,
         ARRAY(SELECT e.id WHERE e.id IS NOT NULL UNION SELECT a.local FROM alias a WHERE a.tenant = $1 AND a.idp = e.id
               UNION SELECT a.idp FROM alias a WHERE a.tenant = $1 AND a.local = e.id) AS ids, e.id
  FROM rule r
  CROSS JOIN LATERAL unnest(r.keys) WITH ORDINALITY AS k (key, place)
  LEFT JOIN entity e ON e.tenant = $1 AND e.kind IN (1, 2, 3, 5) AND e.key = k.key AND e.from_ix < $3::bigint
),
lead AS MATERIALIZED (SELECT m.rule, m.nth, m.kind, i.id FROM member m CROSS JOIN LATERAL unnest(m.ids) AS i (id) WHERE m.place = 1),
met AS (
  SELECT r.rule, min(greatest(f.ix, f.bound_ix)) AS ix
  FROM (
    SELECT l.rule, l.nth, f.* FROM lead l JOIN fresh f ON f.usr = l.id WHERE l.kind = 1
    UNION ALL SELECT l.rule, l.nth, f.* FROM lead l JOIN fresh f ON f.client = l.id WHERE l.kind = 2
    UNION ALL SELECT l.rule, l.nth, f.* FROM lead l JOIN fresh f ON f.agent = l.id WHERE l.kind = 3
  ) f
  JOIN rule r ON r.rule = f.rule AND r.nth = f.nth
  WHERE f.ix > r.from_ix AND NOT EXISTS (
    SELECT FROM member m WHERE m.rule = f.rule AND m.nth = f.nth
      AND (CASE m.kind WHEN 1 THEN f.usr WHEN 2 THEN f.client WHEN 3 THEN f.agent WHEN 5 THEN f.res END = ANY (m.ids)) IS NOT TRUE)
  GROUP BY r.rule
),
known AS (
  SELECT rule, CASE WHEN count(from_ix) = count(*) THEN max(from_ix) END AS ix, min(id) FILTER (WHERE kind = 1) AS usr, min(id) FILTER (WHERE kind = 2) AS client,
         min(id) FILTER (WHERE kind = 3) AS agent
  FROM member GROUP BY rule
)
SELECT r.rule, r.effect, r.selector, r.reason, r.from_ix, r.ordered_ms, r.until_at * 1000 AS until_ms, k.usr, k.client, k.agent,
       (SELECT arrival FROM entry WHERE tenant = $1 AND ix = r.lifted_ix AND ix < $3::bigint) AS lifted_ms,
       (SELECT arrival FROM entry WHERE tenant = $1 AND ix = m.ix) AS met_ms,
       (SELECT arrival FROM entry WHERE tenant = $1 AND ix = k.ix) AS known_ms
FROM rule r
JOIN known k ON k.rule = r.rule
LEFT JOIN met m ON m.rule = r.rule
WHERE r.nth = 0
ORDER BY r.from_ix

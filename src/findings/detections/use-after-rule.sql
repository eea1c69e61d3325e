-- Finds allowed uses that a rule may have stopped, by the first name of its selector: uses of the step made after a rule began, and older uses made
-- after the beginning of a rule that the step made known. `rules/` decides which of them the rule stops.
-- $1 tenant  $2 from  $3 to  $4 grace, seconds  $5 time to look back to
WITH fresh AS MATERIALIZED (
  SELECT f.tok, f.ix, f.at, f.usr, f.client, f.agent, f.res, f.n FROM (
{fresh}
  ) f
  WHERE f.outcome = 1 AND f.bound_ix IS NOT NULL AND EXISTS (SELECT FROM rule_version WHERE tenant = $1 AND from_ix < $3::bigint)
),
used AS (SELECT DISTINCT tok, usr, client, agent, res FROM fresh),
lineage AS (
  SELECT u.tok, t.id_jag_key, t.parent_key, j.session_key, j.parent_key AS jag_parent, t.facts, t.res AS resources
  FROM (SELECT DISTINCT tok FROM used) u
  JOIN token t ON t.tenant = $1 AND t.key = u.tok
  LEFT JOIN id_jag j ON j.tenant = $1 AND j.key = t.id_jag_key
),
-- The names of each token by which a rule may be found.
named AS MATERIALIZED (
  SELECT u.tok, e.key AS lead
  FROM used u
  CROSS JOIN LATERAL (
    SELECT id FROM unnest(ARRAY[u.usr, u.client, u.agent, u.res]) AS x (id) WHERE id IS NOT NULL
    UNION SELECT idp FROM alias WHERE tenant = $1 AND local IN (u.usr, u.client)
    UNION SELECT local FROM alias WHERE tenant = $1 AND idp IN (u.usr, u.client)
  ) i
  JOIN entity e ON e.tenant = $1 AND e.id = i.id
  UNION SELECT l.tok, e.key FROM lineage l CROSS JOIN LATERAL unnest(l.resources) AS r (id) JOIN entity e ON e.tenant = $1 AND e.id = r.id
  UNION SELECT l.tok, k.key FROM lineage l
  CROSS JOIN LATERAL unnest(ARRAY[l.tok, l.id_jag_key, l.parent_key, l.session_key, l.jag_parent, ''::bytea]) AS k (key) WHERE k.key IS NOT NULL
),
early AS (
  SELECT r.rule, r.nth, n.tok, f.ix, f.at, f.usr, f.client, f.agent, f.res, f.n
  FROM named n
  JOIN rule_version r ON r.tenant = $1 AND r.lead = n.lead AND r.from_ix < $3::bigint
  JOIN fresh f ON f.tok = n.tok
),
-- Rules that the step made known: they may have begun before uses that came in earlier steps.
late AS (
  SELECT r.rule, r.nth, a.tok, a.ix, a.at, a.usr, a.client, a.agent, a.res, a.n
  FROM rule_version r
  LEFT JOIN entity e ON e.tenant = $1 AND e.kind IN (1, 2, 3, 5) AND e.key = r.lead
  CROSS JOIN LATERAL (
    (SELECT * FROM access x WHERE x.tenant = $1 AND x.usr = e.id AND x.at > r.ordered_ms / 1000 - 3600 AND x.at > $5::bigint ORDER BY x.at DESC LIMIT 500)
    UNION (SELECT * FROM access x WHERE x.tenant = $1 AND x.client = e.id AND x.at > r.ordered_ms / 1000 - 3600 AND x.at > $5::bigint ORDER BY x.at DESC LIMIT 500)
    UNION (SELECT * FROM access x WHERE x.tenant = $1 AND x.agent = e.id AND x.at > r.ordered_ms / 1000 - 3600 AND x.at > $5::bigint ORDER BY x.at DESC LIMIT 500)
    UNION (SELECT * FROM access x WHERE x.tenant = $1 AND x.tok = r.lead AND x.at > r.ordered_ms / 1000 - 3600 AND x.at > $5::bigint ORDER BY x.at DESC LIMIT 500)
  ) a
  WHERE r.tenant = $1 AND r.from_ix >= $2::bigint AND r.from_ix < $3::bigint
    AND a.outcome = 1 AND a.bound_ix < $2::bigint AND a.foreign_ix IS NULL
),
candidate AS (SELECT * FROM early UNION ALL SELECT * FROM late),
rule AS (
  SELECT r.rule, r.nth, r.seq, r.selector, r.effect, r.ordered_ms, r.before_at, r.until_at, r.resume, r.reauthenticate, (r.lift ->> 'at')::bigint AS lifted,
         coalesce(o.at_ms, r.ordered_ms) / 1000 AS began, {turned_ms} AS turned_ms, r.cause IS NOT NULL AS by_event
  FROM (SELECT * FROM rule_version WHERE tenant = $1 AND (rule, nth) IN (SELECT DISTINCT rule, nth FROM candidate)) r
  {turned}
)
SELECT r.*, c.usr, c.client, c.agent, c.res, encode(c.tok, 'hex') AS tok, c.at >= coalesce(r.turned_ms / 1000, r.until_at, 9223372036854775807) AS is_ended,
       sum(c.n) AS count, min(c.at) AS first_at, max(c.at) AS last_at, (array_agg(DISTINCT c.ix))[1:20] AS entries
FROM candidate c JOIN rule r ON r.rule = c.rule AND r.nth = c.nth
WHERE c.at > r.began + $4::bigint AND (r.lifted IS NULL OR c.at < r.lifted)
GROUP BY r.rule, r.nth, r.seq, r.selector, r.effect, r.ordered_ms, r.before_at, r.until_at, r.resume, r.reauthenticate, r.lifted, r.began, r.turned_ms,
         r.by_event, c.usr, c.client, c.agent, c.res, c.tok, is_ended
LIMIT 5000

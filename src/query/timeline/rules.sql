-- Lists moments in the life of the rules that concern an entity, newest first, and the seconds at which they end runs of uses: a use
-- in the second of a moment came before it.
-- $1 tenant  $2 as of  $3 now, epoch seconds  $4 keys of the entity's names and sessions  $5 leads of rules on its issuers alone, and on
-- everything  $6 from and $7 to, epoch milliseconds, both included  $8 rows  $9 keys that a rule may have, of which it has no other
WITH found AS MATERIALIZED (
  SELECT DISTINCT ON (r.rule) r.*
  FROM (
    SELECT * FROM rule_version WHERE tenant = $1 AND keys && $4::bytea[] AND from_ix < $2::bigint
    UNION ALL
    SELECT * FROM rule_version WHERE tenant = $1 AND lead = ANY ($5::bytea[]) AND from_ix < $2
    UNION ALL
    SELECT * FROM rule_version WHERE tenant = $1 AND keys && $9::bytea[] AND keys <@ $9 AND from_ix < $2
  ) r
  ORDER BY r.rule, r.nth
),
moment AS MATERIALIZED (
  SELECT r.rule, r.effect, r.selector, r.reason, m.*
  FROM (
    SELECT r.*, e.ix AS enabled_ix, e.at_ms AS enabled_ms,
           CASE WHEN r.lifted_ix < $2 AND (e.ix IS NULL OR r.lifted_ix < e.ix) THEN greatest((r.lift ->> 'at')::bigint * 1000, r.ordered_ms) END AS lifted_ms
    FROM found r
    {turned}
  ) r
  CROSS JOIN LATERAL (
    SELECT 'ordered' AS what, r.ordered_ms AS at_ms, r.from_ix AS ix, false AS resumes, r.author
    UNION ALL
    SELECT 'lifted', r.lifted_ms, r.lifted_ix, (r.lift ->> 'resume')::boolean, r.lift -> 'author'
    UNION ALL
    SELECT 'enabled', greatest(r.enabled_ms, r.ordered_ms), r.enabled_ix, false, r.author
    WHERE r.enabled_ms IS NOT NULL AND r.lifted_ms IS NULL
    UNION ALL
    SELECT 'expired', greatest(r.until_at * 1000, r.ordered_ms), NULL, r.resume, r.author
    WHERE r.until_at <= $3::bigint AND (r.lifted_ms IS NULL OR r.lifted_ms > r.until_at * 1000) AND (r.enabled_ms IS NULL OR r.enabled_ms > r.until_at * 1000)
  ) m
  WHERE m.at_ms BETWEEN $6::bigint AND $7::bigint
)
SELECT (SELECT json_agg(x) FROM (SELECT * FROM moment ORDER BY at_ms DESC, ix DESC NULLS FIRST, rule, what LIMIT $8) x) AS lines,
       (SELECT json_agg(DISTINCT at_ms / 1000 + 1) FROM moment) AS cuts

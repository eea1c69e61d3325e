-- Finds when something was last recorded with the token, ID-JAG or session that each rule names: the end of the unbroken chain of
-- recordings that begins at the rule's last known use. A gap of more than $4 ends the chain, because the nodes have dropped the rule then.
-- Descendants of a recorded token or ID-JAG need no look-up: a lineage is as old as its oldest member.
-- $1 tenant  $2 rules  $3 last known uses, epoch milliseconds  $4 how long a rule is kept, milliseconds  $5 as of, null: now
SELECT a.rule, chain.last_ms
FROM unnest($2::text[], $3::bigint[]) AS a (rule, since)
JOIN rule_version r ON r.tenant = $1 AND r.rule = a.rule
CROSS JOIN LATERAL (
  SELECT min(u.at) FILTER (WHERE u.next IS NULL OR u.next - u.at > $4::bigint) AS last_ms
  FROM (
    SELECT c.at, lead(c.at) OVER (ORDER BY c.at) AS next
    FROM (
      SELECT a.since AS at
      UNION ALL
      SELECT e.arrival
      FROM (
        -- The dimensions are in this order, so `lead` is the key of the token, else of the ID-JAG, else of the session.
        SELECT t.ix FROM token t WHERE r.selector ? 'token' AND t.tenant = $1 AND t.key = r.lead
        UNION ALL
        SELECT t.ix FROM token t WHERE r.selector ? 'token' AND t.tenant = $1 AND t.parent_key = r.lead
        UNION ALL
        SELECT j.ix FROM id_jag j WHERE r.selector ? 'token' AND j.tenant = $1 AND j.parent_key = r.lead
        UNION ALL
        SELECT j.ix FROM id_jag j WHERE r.selector ? 'id_jag' AND NOT r.selector ? 'token' AND j.tenant = $1 AND (j.key = r.lead OR j.sha_key = r.lead)
        UNION ALL
        SELECT t.ix FROM token t WHERE r.selector ? 'id_jag' AND NOT r.selector ? 'token' AND t.tenant = $1 AND t.id_jag_key = r.lead
        UNION ALL
        SELECT j.ix FROM id_jag j WHERE r.selector ? 'session' AND NOT r.selector ?| '{token,id_jag}' AND j.tenant = $1 AND j.session_key = r.lead
        UNION ALL
        SELECT t.ix FROM token t
        WHERE r.selector ? 'session' AND NOT r.selector ?| '{token,id_jag}' AND t.tenant = $1
          AND t.facts #>> '{id_jag,sid}' = r.selector #>> '{session,sid}' AND t.facts #>> '{id_jag,iss}' = r.selector #>> '{session,iss}'
        UNION ALL
        SELECT t.ix FROM token t
        WHERE r.selector ? 'session' AND NOT r.selector ?| '{token,id_jag}' AND t.tenant = $1
          AND t.facts ->> 'sid' = r.selector #>> '{session,sid}' AND t.facts ->> 'iss' = r.selector #>> '{session,iss}'
      ) w
      JOIN entry e ON e.tenant = $1 AND e.ix = w.ix
      WHERE e.arrival > a.since AND ($5::bigint IS NULL OR w.ix < $5)
    ) c
  ) u
) chain

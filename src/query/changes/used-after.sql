-- Finds allowed uses after each rule, as of index $3, that became known since index $2. Covers the newest ordered or
-- lifted rules, those on sessions, ID-JAGs and everything left out. A rule counts from the time of the event that made it,
-- else of its order. Uses are walked newest first, up to a budget, each id of the rule through its own index. The
-- reader of the result decides whether the rule stopped the token at that time. A rule that an enabling or its `until`
-- ended has two parts: until the end, and after it for whatever was granted before.
-- $1 tenant  $2 since  $3 until  $9 the second by which all known uses were made
WITH rule AS MATERIALIZED (
  SELECT r.*, coalesce(o.at_ms, r.ordered_ms) / 1000 AS began, {turned_ms} AS turned_ms, e.ix AS turned_ix, coalesce(({turned_ms}) / 1000, r.until_at) AS ended,
         e.ix IS NOT NULL OR NOT r.resume AS stays_revoked, r.selector ? 'token' AND r.selector - '{token,issuer}'::text[] = '{}' AS of_token,
         row_number() OVER (ORDER BY r.newest_ix DESC, r.rule, r.of_rule) AS nth
  FROM (
    (SELECT tenant, rule, nth AS of_rule, from_ix, seq, ordered_ms, effect, selector, keys, lead, before_at, until_at, resume, reauthenticate, cause,
            NULL::bigint AS lifted, NULL::bigint AS lifted_ix, from_ix AS newest_ix
     FROM rule_version
     WHERE tenant = $1 AND from_ix < $3::bigint AND (lifted_ix IS NULL OR lifted_ix >= $3) AND {about}
     ORDER BY from_ix DESC
     LIMIT {rules} + 1)
    UNION ALL
    (SELECT tenant, rule, nth, from_ix, seq, ordered_ms, effect, selector, keys, lead, before_at, until_at, resume, reauthenticate, cause,
            (lift ->> 'at')::bigint, lifted_ix, lifted_ix
     FROM rule_version
     WHERE tenant = $1 AND lifted_ix < $3 AND {about}
     ORDER BY lifted_ix DESC
     LIMIT {rules} + 1)
    ORDER BY newest_ix DESC
    LIMIT {rules} + 1
  ) r
  {turned}
),
-- Periods of each rule: strictly between two seconds. `known_ix` is the entry that made the rule or its lift known.
part AS MATERIALIZED (
  SELECT nth, of_token, 'ordered' AS state, false AS is_ended, from_ix AS known_ix, began AS after, least(ended, lifted, $9::bigint) AS before FROM rule
  UNION ALL
  -- Nothing granted before the end is valid for longer than it is kept.
  SELECT nth, of_token, 'ordered', true, from_ix, greatest(ended - 1, began), least(lifted, ended + {kept}, $9) FROM rule WHERE ended IS NOT NULL AND stays_revoked
  UNION ALL
  SELECT nth, of_token, 'lifted', false, lifted_ix, lifted, $9 FROM rule WHERE lifted IS NOT NULL
),
-- Ids that rules name, under all names that events have tied to them; null if the rule names none of the kind.
named AS MATERIALIZED (
  SELECT r.nth, e.kind, e.id
  FROM rule r JOIN entity e ON e.tenant = $1 AND e.kind IN ({kinds}) AND e.key = ANY (r.keys)
  WHERE r.selector ?| '{{recorded}}'
),
every AS MATERIALIZED (
  SELECT nth, kind, id FROM named
  UNION SELECT n.nth, n.kind, a.local FROM named n JOIN alias a ON a.tenant = $1 AND a.idp = n.id AND a.from_ix < $3
  UNION SELECT n.nth, n.kind, a.idp FROM named n JOIN alias a ON a.tenant = $1 AND a.local = n.id AND a.from_ix < $3
),
about AS MATERIALIZED (
  SELECT r.nth,
         CASE WHEN r.selector ? 'token' THEN r.lead END AS token,
         {ids}
  FROM rule r
  WHERE r.nth <= {rules} AND NOT r.of_token
),
span AS (
  SELECT p.state, p.is_ended, p.known_ix, p.after, p.before, about.* FROM about JOIN part p ON p.nth = about.nth
),
-- Most rules select a token and its issuer alone.
token_span AS (
  SELECT p.nth, p.state, p.is_ended, p.known_ix, p.after, p.before, r.lead FROM rule r JOIN part p ON p.nth = r.nth WHERE r.of_token AND r.nth <= {rules}
),
used AS MATERIALIZED (
  SELECT s.nth, s.state, s.is_ended, u.*
  FROM token_span s
  CROSS JOIN LATERAL (
    WITH walked AS MATERIALIZED (
      SELECT {columns} FROM access a
      WHERE a.tenant = $1 AND a.tok = s.lead AND a.at > s.after AND a.at < s.before AND a.bound_ix - $3 < 0
      ORDER BY a.at DESC, a.ix DESC
      LIMIT {budget}
    )
    SELECT (SELECT count(*) FROM walked)::int AS walked, (SELECT json_agg(g) FROM ({grouped} {by_token}) g) AS groups
  ) u
  UNION ALL
  SELECT s.nth, s.state, s.is_ended, u.*
  FROM span s
  CROSS JOIN LATERAL (
    WITH walked AS MATERIALIZED (
      SELECT w.* FROM (
        {walks}
        ORDER BY at DESC, ix DESC
        LIMIT {budget}
      ) w
    )
    SELECT (SELECT count(*) FROM walked)::int AS walked, (SELECT json_agg(g) FROM (
      {grouped}
        {matching}
      {by_token}
    ) g) AS groups
  ) u
)
SELECT (SELECT count(*) > {rules} FROM rule) AS cut,
       (SELECT json_agg(u) FROM used u WHERE u.groups IS NOT NULL OR u.walked >= {budget}) AS uses,
       (SELECT json_agg(r) FROM (
          SELECT nth, rule, selector, seq, ordered_ms, effect, before_at, until_at, resume, reauthenticate, turned_ms, turned_ix
          FROM rule WHERE nth IN (SELECT nth FROM used WHERE groups IS NOT NULL)) r) AS rules

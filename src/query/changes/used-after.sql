-- Of each rule the first allowed use that was made after its order and before its lift, and after its lift, as of an index: of rules on users,
-- clients, agents, resources and tokens, those newest ordered or lifted. Uses are walked in the order of their time, as far as the budget goes,
-- each id of the rule through its own index; where none fits, a row tells that the budget ended. An issuer beside them narrows them.
-- $1 tenant  $3 until  $9 the second by which all known uses were made
WITH rule AS MATERIALIZED (
  SELECT v.*, row_number() OVER () AS nth, selector - '{token,issuer}'::text[] = '{}' AS of_token
  FROM (
    (SELECT rule, ordered_ms / 1000 AS ordered, selector, keys, lead, NULL::bigint AS lifted, from_ix AS turned_ix
     FROM rule_version
     WHERE tenant = $1 AND from_ix < $3::bigint AND (lifted_ix IS NULL OR lifted_ix >= $3) AND {about}
     ORDER BY from_ix DESC
     LIMIT {rules} + 1)
    UNION ALL
    (SELECT rule, ordered_ms / 1000, selector, keys, lead, (lift ->> 'at')::bigint, lifted_ix
     FROM rule_version
     WHERE tenant = $1 AND lifted_ix < $3 AND {about}
     ORDER BY lifted_ix DESC
     LIMIT {rules} + 1)
    ORDER BY turned_ix DESC
    LIMIT {rules} + 1
  ) v
),
-- The ids that they name, under all names that an event has tied; null: it names none of the kind.
named AS MATERIALIZED (
  SELECT r.nth, e.kind, e.id
  FROM rule r JOIN entity e ON e.tenant = $1 AND e.kind IN (1, 2, 3, 5) AND e.key = ANY (r.keys)
  WHERE r.selector ?| '{user,client,agent,resource}'
),
every AS MATERIALIZED (
  SELECT nth, kind, id FROM named
  UNION SELECT n.nth, n.kind, a.local FROM named n JOIN alias a ON a.tenant = $1 AND a.idp = n.id AND a.from_ix < $3
  UNION SELECT n.nth, n.kind, a.idp FROM named n JOIN alias a ON a.tenant = $1 AND a.local = n.id AND a.from_ix < $3
),
about AS MATERIALIZED (
  SELECT r.rule, r.ordered, r.lifted, r.selector, r.selector ->> 'issuer' AS issuer,
         CASE WHEN r.selector ? 'token' THEN r.lead END AS token,
         CASE WHEN r.selector ? 'user' THEN ARRAY(SELECT id FROM every x WHERE x.nth = r.nth AND x.kind = 1) END AS users,
         CASE WHEN r.selector ? 'client' THEN ARRAY(SELECT id FROM every x WHERE x.nth = r.nth AND x.kind = 2) END AS clients,
         CASE WHEN r.selector ? 'agent' THEN ARRAY(SELECT id FROM every x WHERE x.nth = r.nth AND x.kind = 3) END AS agents,
         CASE WHEN r.selector ? 'resource' THEN ARRAY(SELECT id FROM every x WHERE x.nth = r.nth AND x.kind = 5) END AS resources
  FROM rule r
  WHERE r.nth <= {rules} AND NOT r.of_token
),
span AS (
  SELECT 'ordered' AS state, ordered AS after, coalesce(lifted, $9::bigint) AS before, about.* FROM about
  UNION ALL
  SELECT 'lifted', lifted, $9, about.* FROM about WHERE lifted IS NOT NULL
),
-- Most rules are on a token and what issued it, and nothing else.
token_span AS (
  SELECT 'ordered' AS state, ordered AS after, coalesce(lifted, $9) AS before, rule, selector, lead FROM rule WHERE of_token AND nth <= {rules}
  UNION ALL
  SELECT 'lifted', lifted, $9, rule, selector, lead FROM rule WHERE of_token AND nth <= {rules} AND lifted IS NOT NULL
)
SELECT (SELECT count(*) > {rules} FROM rule) AS cut, (
  SELECT json_agg(u)
  FROM (
    SELECT s.rule, s.state, s.selector, u.*
    FROM token_span s
    CROSS JOIN LATERAL (
      SELECT w.outcome = 1 AND (NOT s.selector ? 'issuer' OR (
               SELECT s.selector ->> 'issuer' IN (t.facts ->> 'iss', t.facts #>> '{id_jag,iss}') FROM token t WHERE t.tenant = $1 AND t.key = s.lead AND t.ix < $3)) AS fits,
             w.walked, w.ix, w.bound_ix, w.at, w.usr, w.client, w.agent, w.res
      FROM (
        SELECT a.*, count(*) OVER ()::int AS walked
        FROM (
          SELECT a.ix, a.bound_ix, a.at, a.usr, a.client, a.agent, a.res, a.outcome FROM access a
          WHERE a.tenant = $1 AND a.tok = s.lead AND a.at > s.after AND a.at < s.before AND a.bound_ix - $3 < 0
          ORDER BY a.at, a.ix
          LIMIT {budget}
        ) a
      ) w
      ORDER BY (w.outcome = 1) DESC, w.bound_ix, w.ix
      LIMIT 1
    ) u
    UNION ALL
    SELECT s.rule, s.state, s.selector, u.*
    FROM span s
    CROSS JOIN LATERAL (
      WITH walked AS MATERIALIZED (
        SELECT w.*, count(*) OVER ()::int AS walked,
               coalesce(w.outcome = 1
                 AND (s.users IS NULL OR w.usr = ANY (s.users)) AND (s.clients IS NULL OR w.client = ANY (s.clients))
                 AND (s.agents IS NULL OR (w.agent = ANY (s.agents) AND (w.agent_ix IS NULL OR w.agent_ix < $3)))
                 AND (s.resources IS NULL OR w.res = ANY (s.resources)), false) AS may
        FROM (
          {walks}
          ORDER BY at, ix
          LIMIT {budget}
        ) w
        ORDER BY may DESC, w.bound_ix, w.ix
      )
      -- Tokens are looked at up to the first that the issuer fits.
      (SELECT true AS fits, w.walked, w.ix, w.bound_ix, w.at, w.usr, w.client, w.agent, w.res FROM walked w
       WHERE w.may AND (s.issuer IS NULL OR (
         SELECT s.issuer IN (t.facts ->> 'iss', t.facts #>> '{id_jag,iss}') FROM token t WHERE t.tenant = $1 AND t.key = w.tok AND t.ix < $3))
       LIMIT 1)
      UNION ALL
      (SELECT false, w.walked, w.ix, w.bound_ix, w.at, w.usr, w.client, w.agent, w.res FROM walked w LIMIT 1)
      LIMIT 1
    ) u
  ) u
  WHERE u.fits OR u.walked >= {budget}
) AS uses

-- Of each rule the first allowed use that was made after its order and before its lift, and after its lift, as of an index: of rules on users,
-- clients, agents, resources and tokens, those newest ordered or lifted. Uses are walked in the order of their time, as far as the budget goes,
-- each id of the rule through its own index; where none fits, a row tells that the budget ended. An issuer beside them narrows them.
-- $1 tenant  $3 until  $10 rules  $11 the second by which all known uses were made
WITH rule AS MATERIALIZED (
  SELECT v.*, row_number() OVER () AS nth
  FROM (
    SELECT rule, ordered_ms / 1000 AS ordered, selector, keys, lead, from_ix, CASE WHEN lifted_ix < $3::bigint THEN (lift ->> 'at')::bigint END AS lifted
    FROM rule_version
    WHERE tenant = $1 AND from_ix < $3 AND selector - '{user,client,agent,resource,token,issuer}'::text[] = '{}'
      AND selector ?| '{user,client,agent,resource,token}'
    ORDER BY greatest(from_ix, CASE WHEN lifted_ix < $3 THEN lifted_ix END) DESC
    LIMIT $10::int + 1
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
  WHERE r.nth <= $10
),
span AS (
  SELECT 'ordered' AS state, ordered AS after, coalesce(lifted, $11::bigint) AS before, about.* FROM about
  UNION ALL
  SELECT 'lifted', lifted, $11, about.* FROM about WHERE lifted IS NOT NULL
)
SELECT (SELECT count(*) > $10 FROM rule) AS cut, (
  SELECT json_agg(json_build_object('rule', s.rule, 'state', s.state, 'selector', s.selector, 'fits', u.fits, 'walked', u.walked, 'ix', u.ix,
    'bound_ix', u.bound_ix, 'at', u.at, 'usr', u.usr, 'client', u.client, 'agent', u.agent, 'res', u.res))
  FROM span s
  CROSS JOIN LATERAL (
    SELECT w.*, count(*) OVER ()::int AS walked,
           coalesce(w.outcome = 1
             AND (s.users IS NULL OR w.usr = ANY (s.users)) AND (s.clients IS NULL OR w.client = ANY (s.clients))
             AND (s.agents IS NULL OR (w.agent = ANY (s.agents) AND (w.agent_ix IS NULL OR w.agent_ix < $3)))
             AND (s.resources IS NULL OR w.res = ANY (s.resources))
             AND (s.issuer IS NULL OR (
               SELECT s.issuer IN (t.facts ->> 'iss', t.facts #>> '{id_jag,iss}') FROM token t WHERE t.tenant = $1 AND t.key = w.tok AND t.ix < $3)),
           false) AS fits
    FROM (
      {walks}
      ORDER BY at, ix
      LIMIT {budget}
    ) w
    ORDER BY fits DESC, w.bound_ix, w.ix
    LIMIT 1
  ) u
  WHERE u.fits OR u.walked >= {budget}
) AS uses

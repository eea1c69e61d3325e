-- Rules on users, clients, agents, resources and tokens that are known at an index, those newest ordered or lifted, with the ids that they name
-- under all names that an event has tied; of a member that is not there null. An issuer beside them narrows them.  $1 tenant  $2 until  $3 rows
WITH rule AS MATERIALIZED (
  SELECT rule, ordered_ms, selector, keys, lead, from_ix, CASE WHEN lifted_ix < $2::bigint THEN (lift ->> 'at')::bigint * 1000 END AS lifted_ms
  FROM rule_version
  WHERE tenant = $1 AND from_ix < $2 AND selector - '{user,client,agent,resource,token,issuer}'::text[] = '{}'
    AND selector ?| '{user,client,agent,resource,token}'
  ORDER BY greatest(from_ix, CASE WHEN lifted_ix < $2 THEN lifted_ix END) DESC
  LIMIT $3
),
named AS MATERIALIZED (
  SELECT r.rule, e.kind, e.id FROM rule r JOIN entity e ON e.tenant = $1 AND e.kind IN (1, 2, 3, 5) AND e.key = ANY (r.keys)
),
every AS MATERIALIZED (
  SELECT rule, kind, id FROM named
  UNION SELECT n.rule, n.kind, a.local FROM named n JOIN alias a ON a.tenant = $1 AND a.idp = n.id AND a.from_ix < $2
  UNION SELECT n.rule, n.kind, a.idp FROM named n JOIN alias a ON a.tenant = $1 AND a.local = n.id AND a.from_ix < $2
)
SELECT r.rule, r.ordered_ms, r.lifted_ms, r.selector, r.selector ->> 'issuer' AS issuer,
       CASE WHEN r.selector ? 'token' THEN r.lead END AS token,
       CASE WHEN r.selector ? 'user' THEN ARRAY(SELECT id FROM every x WHERE x.rule = r.rule AND x.kind = 1) END AS users,
       CASE WHEN r.selector ? 'client' THEN ARRAY(SELECT id FROM every x WHERE x.rule = r.rule AND x.kind = 2) END AS clients,
       CASE WHEN r.selector ? 'agent' THEN ARRAY(SELECT id FROM every x WHERE x.rule = r.rule AND x.kind = 3) END AS agents,
       CASE WHEN r.selector ? 'resource' THEN ARRAY(SELECT id FROM every x WHERE x.rule = r.rule AND x.kind = 5) END AS resources
FROM rule r

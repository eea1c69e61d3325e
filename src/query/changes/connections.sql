-- Lists the steps of connections between two indexes: the state after each step and the state before it. Newest first,
-- up to a budget.
-- $1 tenant  $2 since  $3 until  $4 clients  $5 resources, null: all
SELECT encode(a.id, 'hex') AS id, a.client, a.idp_client, a.res, b.state AS state_before, a.state AS state_after, b.agent AS agent_before, a.agent AS agent_after,
       coalesce(b.scopes, '{}') AS scopes_before, a.scopes AS scopes_after, a.from_ix AS ix
FROM (
  SELECT id, client, idp_client, res, state, agent, scopes, from_ix FROM connection_version
  WHERE tenant = $1 AND from_ix >= $2::bigint AND from_ix < $3::bigint
    AND ($4::int[] IS NULL OR client = ANY ($4) OR idp_client = ANY ($4)) AND ($5::int[] IS NULL OR res = ANY ($5))
  ORDER BY from_ix DESC
  LIMIT {steps}
) a
LEFT JOIN LATERAL (
  SELECT v.state, v.agent, v.scopes FROM connection_version v
  WHERE v.tenant = $1 AND v.id = a.id AND v.from_ix < a.from_ix
  ORDER BY v.from_ix DESC LIMIT 1
) b ON true

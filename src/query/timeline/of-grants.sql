-- Finds the clients, agents and resources that users have grants of, and the names that IdPs have for these clients.
-- $1 tenant  $2 users  $3 as of
WITH held AS MATERIALIZED (
  SELECT DISTINCT client, res, agent FROM grant_version WHERE tenant = $1 AND usr = ANY ($2::int[]) AND from_ix < $3::bigint
)
SELECT client AS id FROM held
UNION SELECT res FROM held
UNION SELECT agent FROM held WHERE agent IS NOT NULL
UNION SELECT a.idp FROM held h JOIN alias a ON a.tenant = $1 AND a.local = h.client AND a.from_ix < $3

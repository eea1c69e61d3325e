-- The aggregates of grants, from the rows that are there. The writers keep them from then on.
INSERT INTO edge_grant (tenant, blk, client, res, grants)
SELECT tenant, (ix >> 16)::int, client, res, count(*)
FROM (SELECT tenant, client, res, usr, min(from_ix) AS ix FROM grant_version GROUP BY tenant, client, res, usr) g
GROUP BY 1, 2, 3, 4;

INSERT INTO client_user (tenant, blk, client, users)
SELECT tenant, (ix >> 16)::int, client, count(*)
FROM (
  SELECT tenant, client, usr, min(ix) AS ix
  FROM (
    SELECT tenant, client, usr, from_ix AS ix FROM grant_version
    UNION ALL
    SELECT g.tenant, a.idp, g.usr, greatest(g.from_ix, a.from_ix)
    FROM grant_version g JOIN alias a ON a.tenant = g.tenant AND a.local = g.client
  ) named
  GROUP BY tenant, client, usr
) begun
GROUP BY 1, 2, 3;

INSERT INTO issuer_user (tenant, blk, iss, users)
SELECT g.tenant, (g.ix >> 16)::int, e.parts ->> 0, count(*)
FROM (SELECT tenant, usr, min(from_ix) AS ix FROM grant_version GROUP BY tenant, usr) g
JOIN entity e ON e.tenant = g.tenant AND e.id = g.usr
GROUP BY 1, 2, 3;

INSERT INTO edge_scope_granted (tenant, client, res, scope, first_ix)
SELECT tenant, client, res, scope, min(from_ix) FROM grant_version, unnest(scopes) AS scope GROUP BY tenant, client, res, scope;

INSERT INTO edge_agent_granted (tenant, client, res, agent, first_ix)
SELECT tenant, client, res, agent, min(from_ix) FROM grant_version WHERE agent IS NOT NULL GROUP BY tenant, client, res, agent;

INSERT INTO edge_seen (tenant, client, res, first_ix)
SELECT tenant, client, res, min(ix)
FROM (
  SELECT tenant, client, res, from_ix AS ix FROM grant_version
  UNION ALL
  SELECT tenant, client, res, from_ix FROM connection_version
  UNION ALL
  SELECT tenant, client, res, bound_ix FROM access WHERE bound_ix IS NOT NULL AND res IS NOT NULL
) e
GROUP BY tenant, client, res;

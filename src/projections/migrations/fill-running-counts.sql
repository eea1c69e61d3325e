-- From the rows that are there. The writers keep them from then on.
INSERT INTO edge_grant (tenant, client, res, from_ix, grants)
SELECT tenant, client, res, ix, sum(count(*)) OVER (PARTITION BY tenant, client, res ORDER BY ix)
FROM (SELECT tenant, client, res, usr, min(from_ix) AS ix FROM grant_version GROUP BY tenant, client, res, usr) g
GROUP BY tenant, client, res, ix;

INSERT INTO client_user (tenant, client, from_ix, users)
SELECT tenant, client, ix, sum(count(*)) OVER (PARTITION BY tenant, client ORDER BY ix)
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
GROUP BY tenant, client, ix;

INSERT INTO issuer_user (tenant, iss, from_ix, users)
SELECT tenant, iss, ix, sum(count(*)) OVER (PARTITION BY tenant, iss ORDER BY ix)
FROM (
  SELECT g.tenant, e.parts ->> 0 AS iss, g.ix
  FROM (SELECT tenant, usr, min(from_ix) AS ix FROM grant_version GROUP BY tenant, usr) g
  JOIN entity e ON e.tenant = g.tenant AND e.id = g.usr
) begun
GROUP BY tenant, iss, ix;

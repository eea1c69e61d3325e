-- Counts users whose first grant at a client, under any of its names, is in this batch, and users whose first grant at all is in it.
-- Grants and aliases of the batch must be written already. A user counts for a client from the index at which both the grant and the
-- client's name in it are known. Counts continue from the last count.
-- New grants: $1 tenants  $2 users  $3 clients  $4 first indexes. New aliases: $5 tenants  $6 RAS's names  $7 IdP's names.
-- $8 tenants  $9 lowest index of the batch
WITH fresh AS MATERIALIZED (
  SELECT * FROM unnest($1::uuid[], $2::int[], $3::int[], $4::bigint[]) AS w (tenant, usr, client, from_ix)
),
tied AS (SELECT * FROM unnest($5::uuid[], $6::int[], $7::int[]) AS w (tenant, local, idp)),
begin AS (SELECT * FROM unnest($8::uuid[], $9::bigint[]) AS w (tenant, ix)),
candidate AS (
  SELECT tenant, client, usr FROM fresh
  UNION
  SELECT f.tenant, a.idp, f.usr FROM fresh f JOIN alias a ON a.tenant = f.tenant AND a.local = f.client
  UNION
  SELECT t.tenant, t.idp, g.usr FROM tied t JOIN grant_version g ON g.tenant = t.tenant AND g.client = t.local
),
begun AS MATERIALIZED (
  SELECT c.tenant, c.client, least(
    (SELECT min(g.from_ix) FROM grant_version g WHERE g.tenant = c.tenant AND g.usr = c.usr AND g.client = c.client),
    (SELECT min(greatest(g.from_ix, a.from_ix))
     FROM alias a
     CROSS JOIN LATERAL (SELECT from_ix FROM grant_version WHERE tenant = c.tenant AND usr = c.usr AND client = a.local OFFSET 0) g
     WHERE a.tenant = c.tenant AND a.idp = c.client)) AS ix
  FROM candidate c
),
counted AS (
  INSERT INTO client_user (tenant, client, from_ix, users)
  SELECT n.tenant, n.client, n.ix, coalesce(before.users, 0) + sum(count(*)) OVER (PARTITION BY n.tenant, n.client ORDER BY n.ix)
  FROM begun n
  JOIN begin b ON b.tenant = n.tenant
  LEFT JOIN LATERAL (
    SELECT users FROM client_user u WHERE u.tenant = n.tenant AND u.client = n.client ORDER BY u.from_ix DESC LIMIT 1
  ) before ON true
  WHERE n.ix >= b.ix
  GROUP BY n.tenant, n.client, n.ix, before.users
),
come AS (
  SELECT f.tenant, e.parts ->> 0 AS iss, f.ix, count(*) AS users
  FROM (SELECT tenant, usr, min(from_ix) AS ix FROM fresh GROUP BY tenant, usr) f
  JOIN begin b ON b.tenant = f.tenant
  JOIN entity e ON e.tenant = f.tenant AND e.id = f.usr
  -- OFFSET 0 makes the planner look up the user's grants by key. With an index by from_ix it would walk all older grants.
  WHERE b.ix <= ALL (SELECT from_ix FROM grant_version g WHERE g.tenant = f.tenant AND g.usr = f.usr OFFSET 0)
  GROUP BY 1, 2, 3
)
INSERT INTO issuer_user (tenant, iss, from_ix, users)
SELECT c.tenant, c.iss, c.ix, coalesce(before.users, 0) + sum(c.users) OVER (PARTITION BY c.tenant, c.iss ORDER BY c.ix)
FROM come c
LEFT JOIN LATERAL (
  SELECT users FROM issuer_user u WHERE u.tenant = c.tenant AND u.iss = c.iss ORDER BY u.from_ix DESC LIMIT 1
) before ON true

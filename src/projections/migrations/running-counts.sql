-- Counts as they stand from one index on: a row where one grows, so that the last row before an index is the count as of it, whatever the
-- length of the ledger. Written once.
DROP TABLE edge_grant, client_user, issuer_user;

-- Users who hold a grant of a client and a resource.
CREATE TABLE edge_grant (
  tenant uuid NOT NULL, client int NOT NULL, res int NOT NULL, from_ix bigint NOT NULL, grants bigint NOT NULL,
  PRIMARY KEY (tenant, client, res, from_ix) INCLUDE (grants)
);
-- Users who hold a grant of a client under any of its names.
CREATE TABLE client_user (
  tenant uuid NOT NULL, client int NOT NULL, from_ix bigint NOT NULL, users bigint NOT NULL,
  PRIMARY KEY (tenant, client, from_ix) INCLUDE (users)
);
-- Users who hold a grant at all, under the issuer that names them.
CREATE TABLE issuer_user (
  tenant uuid NOT NULL, iss text NOT NULL, from_ix bigint NOT NULL, users bigint NOT NULL,
  PRIMARY KEY (tenant, iss, from_ix) INCLUDE (users)
);

-- What a grant became after its first version, by when it did: few of many.
ALTER TABLE grant_version ADD COLUMN again boolean NOT NULL DEFAULT false;
UPDATE grant_version g SET again = true
FROM (SELECT tenant, usr, client, res, min(from_ix) AS from_ix FROM grant_version GROUP BY tenant, usr, client, res HAVING count(*) > 1) f
WHERE g.tenant = f.tenant AND g.usr = f.usr AND g.client = f.client AND g.res = f.res AND g.from_ix > f.from_ix;
CREATE INDEX grant_again ON grant_version (tenant, from_ix) WHERE again;
DROP INDEX grant_from;

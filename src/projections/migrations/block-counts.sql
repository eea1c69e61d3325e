-- As it was before running-counts.sql.
DROP INDEX grant_again;
ALTER TABLE grant_version DROP COLUMN again;
CREATE INDEX grant_from ON grant_version (tenant, from_ix);
DROP TABLE edge_grant, client_user, issuer_user;
CREATE TABLE edge_grant (
  tenant uuid NOT NULL, blk int NOT NULL, client int NOT NULL, res int NOT NULL, grants bigint NOT NULL,
  PRIMARY KEY (tenant, blk, client, res)
);
CREATE TABLE client_user (
  tenant uuid NOT NULL, blk int NOT NULL, client int NOT NULL, users bigint NOT NULL,
  PRIMARY KEY (tenant, blk, client)
);
CREATE TABLE issuer_user (
  tenant uuid NOT NULL, blk int NOT NULL, iss text NOT NULL, users bigint NOT NULL,
  PRIMARY KEY (tenant, blk, iss)
);
TRUNCATE edge_scope_granted, edge_agent_granted, edge_seen;

-- Counts of attributed uses by block: blk = bound_ix >> 16, so what became known late counts in the block in which it did, under its own
-- hour. A block below the head's never changes again. `n` counts all uses, the rest allowed ones alone. hour = at / 3600. An hour's blocks
-- lie together, so that a window costs the same however long the ledger is.
CREATE TABLE use_total (
  tenant uuid NOT NULL, blk int NOT NULL, hour int NOT NULL,
  n bigint NOT NULL, allowed bigint NOT NULL, reads bigint NOT NULL, writes bigint NOT NULL, deletes bigint NOT NULL, exports bigint NOT NULL,
  admins bigint NOT NULL, records bigint NOT NULL, bytes bigint NOT NULL,
  PRIMARY KEY (tenant, hour, blk)
);
CREATE TABLE use_client (
  tenant uuid NOT NULL, client int NOT NULL, blk int NOT NULL, hour int NOT NULL,
  n bigint NOT NULL, allowed bigint NOT NULL, reads bigint NOT NULL, writes bigint NOT NULL, deletes bigint NOT NULL, exports bigint NOT NULL,
  admins bigint NOT NULL, records bigint NOT NULL, bytes bigint NOT NULL,
  PRIMARY KEY (tenant, client, hour, blk)
);
CREATE TABLE use_res (
  tenant uuid NOT NULL, res int NOT NULL, blk int NOT NULL, hour int NOT NULL,
  n bigint NOT NULL, allowed bigint NOT NULL, reads bigint NOT NULL, writes bigint NOT NULL, deletes bigint NOT NULL, exports bigint NOT NULL,
  admins bigint NOT NULL, records bigint NOT NULL, bytes bigint NOT NULL,
  PRIMARY KEY (tenant, res, hour, blk)
);

-- The same by client and resource; first_at to last_at spans all uses, first_allowed to last_allowed the allowed ones.
CREATE TABLE edge_use (
  tenant uuid NOT NULL, blk int NOT NULL, client int NOT NULL, res int NOT NULL,
  n bigint NOT NULL, allowed bigint NOT NULL, reads bigint NOT NULL, writes bigint NOT NULL, deletes bigint NOT NULL, exports bigint NOT NULL,
  admins bigint NOT NULL, records bigint NOT NULL, bytes bigint NOT NULL,
  first_at bigint NOT NULL, last_at bigint NOT NULL, first_allowed bigint, last_allowed bigint,
  PRIMARY KEY (tenant, blk, client, res)
);
-- All blocks below `snap`, a multiple of 16, in one row a pair: written when block `snap` begins.
CREATE TABLE edge_cum (
  tenant uuid NOT NULL, snap int NOT NULL, client int NOT NULL, res int NOT NULL,
  n bigint NOT NULL, allowed bigint NOT NULL, reads bigint NOT NULL, writes bigint NOT NULL, deletes bigint NOT NULL, exports bigint NOT NULL,
  admins bigint NOT NULL, records bigint NOT NULL, bytes bigint NOT NULL,
  first_at bigint NOT NULL, last_at bigint NOT NULL, first_allowed bigint, last_allowed bigint,
  PRIMARY KEY (tenant, snap, client, res)
);

-- Written once: from which index on a pair has used a scope (allowed), and through which agents.
CREATE TABLE edge_scope_used (
  tenant uuid NOT NULL, client int NOT NULL, res int NOT NULL, scope int NOT NULL, first_ix bigint NOT NULL,
  PRIMARY KEY (tenant, client, res, scope)
);
CREATE TABLE edge_agent_used (
  tenant uuid NOT NULL, client int NOT NULL, res int NOT NULL, agent int NOT NULL, first_ix bigint NOT NULL,
  PRIMARY KEY (tenant, client, res, agent)
);

-- Uses that a source reported (by ix >> 16) and those of them that were attributed (by bound_ix >> 16).
CREATE TABLE use_source (
  tenant uuid NOT NULL, blk int NOT NULL, source uuid NOT NULL, came bigint NOT NULL, attributed bigint NOT NULL,
  PRIMARY KEY (tenant, source, blk)
);

-- Uses whose lineage came after them: the rest of a block has bound_ix = ix and is found by ix.
CREATE INDEX access_late ON access (tenant, bound_ix) WHERE bound_ix > ix;

-- Grants: new ones by block (from_ix >> 16 of their first version), the users that a client has its first grant of, and granted scopes.
CREATE TABLE edge_grant (
  tenant uuid NOT NULL, blk int NOT NULL, client int NOT NULL, res int NOT NULL, grants bigint NOT NULL,
  PRIMARY KEY (tenant, blk, client, res)
);
CREATE TABLE client_user (
  tenant uuid NOT NULL, blk int NOT NULL, client int NOT NULL, users bigint NOT NULL,
  PRIMARY KEY (tenant, blk, client)
);
CREATE TABLE edge_scope_granted (
  tenant uuid NOT NULL, client int NOT NULL, res int NOT NULL, scope text NOT NULL, first_ix bigint NOT NULL,
  PRIMARY KEY (tenant, client, res, scope)
);
CREATE TABLE edge_agent_granted (
  tenant uuid NOT NULL, client int NOT NULL, res int NOT NULL, agent int NOT NULL, first_ix bigint NOT NULL,
  PRIMARY KEY (tenant, client, res, agent)
);
CREATE INDEX grant_from ON grant_version (tenant, from_ix);

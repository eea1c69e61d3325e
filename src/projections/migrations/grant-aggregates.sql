-- Users by the block of their first grant at all, under the issuer that names them.
CREATE TABLE issuer_user (
  tenant uuid NOT NULL, blk int NOT NULL, iss text NOT NULL, users bigint NOT NULL,
  PRIMARY KEY (tenant, blk, iss)
);

-- Written once: from which index on a grant, a connection or an attributed use shows that a client has to do with a resource.
CREATE TABLE edge_seen (
  tenant uuid NOT NULL, client int NOT NULL, res int NOT NULL, first_ix bigint NOT NULL,
  PRIMARY KEY (tenant, client, res)
);
CREATE INDEX edge_seen_first ON edge_seen (tenant, first_ix);

-- What is new since a moment is found by when it came.
CREATE INDEX alias_from ON alias (tenant, from_ix);
CREATE INDEX connection_from ON connection_version (tenant, from_ix);
CREATE INDEX edge_scope_granted_first ON edge_scope_granted (tenant, first_ix);
CREATE INDEX edge_scope_used_first ON edge_scope_used (tenant, first_ix);
CREATE INDEX edge_agent_granted_first ON edge_agent_granted (tenant, first_ix);
CREATE INDEX edge_agent_used_first ON edge_agent_used (tenant, first_ix);

-- The grants of an agent, in the order in which grants are listed.
CREATE INDEX grant_agent ON grant_version (tenant, agent, usr, client, res) WHERE agent IS NOT NULL;

-- Scopes of all pairs are read with every picture: from the index alone.
ALTER TABLE edge_scope_granted DROP CONSTRAINT edge_scope_granted_pkey, ADD PRIMARY KEY (tenant, client, res, scope) INCLUDE (first_ix);
ALTER TABLE edge_scope_used DROP CONSTRAINT edge_scope_used_pkey, ADD PRIMARY KEY (tenant, client, res, scope) INCLUDE (first_ix);

-- With the user and the version behind client and resource: where all are given, this index finds the one row too, and the planner, which
-- takes client and resource for more selective than they are, prefers it to the primary key.
DROP INDEX grant_client;
CREATE INDEX grant_client ON grant_version (tenant, client, res, usr, from_ix);

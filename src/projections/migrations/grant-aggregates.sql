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

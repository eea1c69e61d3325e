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

-- Users by the block of their first grant at all, under the issuer that names them.
CREATE TABLE issuer_user (
  tenant uuid NOT NULL, blk int NOT NULL, iss text NOT NULL, users bigint NOT NULL,
  PRIMARY KEY (tenant, blk, iss)
);

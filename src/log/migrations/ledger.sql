-- One row a tenant; its lock serializes appends, so an index is never skipped and arrival never runs backwards.
CREATE TABLE ledger_head (
  tenant       uuid   PRIMARY KEY,
  next_ix      bigint NOT NULL DEFAULT 0,
  last_arrival bigint NOT NULL DEFAULT 0,
  next_entity  int    NOT NULL DEFAULT 1
);

CREATE TABLE entry (
  tenant     uuid   NOT NULL,
  ix         bigint NOT NULL,
  arrival    bigint NOT NULL,
  type       text   NOT NULL,
  source     uuid   NOT NULL,
  commitment bytea  NOT NULL CHECK (length(commitment) = 32),
  leaf_hash  bytea  NOT NULL CHECK (length(leaf_hash) = 32),
  PRIMARY KEY (tenant, ix)
);

-- What erasure deletes: salt, attributes and bytes. Entries alone build the tree.
CREATE TABLE payload (
  tenant     uuid   NOT NULL,
  ix         bigint NOT NULL,
  mode       text   NOT NULL CHECK (mode IN ('binary', 'structured', 'batch', 'ndjson', 'own')),
  salt       bytea  NOT NULL CHECK (length(salt) = 32),
  attributes bytea  NOT NULL,
  bytes      bytea  NOT NULL,
  PRIMARY KEY (tenant, ix)
);

-- (source, event id) as a keyed hash, kept for ever, with the hash of the RFC 8785 form of what was said.
CREATE TABLE dedupe (
  tenant uuid   NOT NULL,
  key    bytea  NOT NULL,
  ix     bigint NOT NULL,
  hash   bytea  NOT NULL,
  PRIMARY KEY (tenant, key)
);

-- Control records up to here have their ledger entry.
CREATE TABLE control_outbox (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  seq      bigint  NOT NULL
);
INSERT INTO control_outbox (seq) VALUES (0);

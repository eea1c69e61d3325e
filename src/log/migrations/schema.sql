-- One row a tenant. Its lock serializes appends, so an index is never skipped and arrival never runs backwards.
CREATE TABLE ledger_head (
  tenant       uuid   PRIMARY KEY,
  next_ix      bigint NOT NULL DEFAULT 0,
  last_arrival bigint NOT NULL DEFAULT 0,
  next_entity  int    NOT NULL DEFAULT 1
);

-- entry and payload are partitioned by range of the index, dedupe by hash of its key: none of their indexes grows for ever, and a full range is
-- vacuumed once. The keeper (ranges.pg.ts) makes ranges ahead, and notes here up to which index there are some.
CREATE TABLE ledger_partitions (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  up_to    bigint  NOT NULL
);
INSERT INTO ledger_partitions (up_to) VALUES (4194304);

CREATE TABLE entry (
  tenant     uuid   NOT NULL,
  ix         bigint NOT NULL,
  arrival    bigint NOT NULL,
  type       text   NOT NULL,
  source     uuid   NOT NULL,
  commitment bytea  NOT NULL CHECK (length(commitment) = 32),
  leaf_hash  bytea  NOT NULL CHECK (length(leaf_hash) = 32),
  PRIMARY KEY (tenant, ix)
) PARTITION BY RANGE (ix);
CREATE TABLE entry_0 PARTITION OF entry FOR VALUES FROM (0) TO (4194304);
-- The few entries that hold the keys of sources, for the evidence of what a source signed.
CREATE INDEX entry_source_changed ON entry (tenant, ix) WHERE type = 'dev.rescind.source.changed.v1';

-- The part of an entry that erasure deletes: salt, attributes and bytes. The tree is built from `entry` alone. Before a row is deleted, `dedupe.hash`
-- must hold what it says (README, "Erasing a payload").
CREATE TABLE payload (
  tenant     uuid   NOT NULL,
  ix         bigint NOT NULL,
  mode       text   NOT NULL CHECK (mode IN ('binary', 'structured', 'batch', 'ndjson', 'set', 'own')),
  salt       bytea  NOT NULL CHECK (length(salt) = 32),
  attributes bytea  NOT NULL,
  bytes      bytea  NOT NULL,
  PRIMARY KEY (tenant, ix)
) PARTITION BY RANGE (ix);
CREATE TABLE payload_0 PARTITION OF payload FOR VALUES FROM (0) TO (4194304);

-- Stands for the event of an entry that names an erased person: the event with other names in their place, as far as projections read it. `payload` of an
-- entry that names another person too stays beside it. `said`: {id, time, data} in its RFC 8785 form. `erasure`: the last one that wrote the row.
CREATE TABLE entry_remainder (
  tenant  uuid   NOT NULL,
  ix      bigint NOT NULL,
  erasure uuid   NOT NULL,
  said    text   NOT NULL,
  PRIMARY KEY (tenant, ix)
);

-- Recognises duplicates: (source, event id) as a keyed hash, kept for ever. `hash`: SHA-256 of the event's content, kept from when its payload
-- is erased; until then the payload says it.
CREATE TABLE dedupe (
  tenant uuid   NOT NULL,
  key    bytea  NOT NULL,
  ix     bigint NOT NULL,
  hash   bytea,
  PRIMARY KEY (tenant, key)
) PARTITION BY HASH (key);
DO $$
BEGIN
  FOR remainder IN 0..15 LOOP
    EXECUTE format('CREATE TABLE dedupe_%s PARTITION OF dedupe FOR VALUES WITH (MODULUS 16, REMAINDER %s)', remainder, remainder);
  END LOOP;
END $$;

-- The seq up to which control records have their ledger entry.
CREATE TABLE control_outbox (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  seq      bigint  NOT NULL
);
INSERT INTO control_outbox (seq) VALUES (0);

-- The tree over a ledger's leaf hashes (README, "The tree"). `size` and `root` move together, by compare-and-swap.
CREATE TABLE tree_head (
  tenant      uuid   PRIMARY KEY,
  -- Part of the ledger's origin. `rescind ledger continue` raises it.
  incarnation int    NOT NULL DEFAULT 1,
  size        bigint NOT NULL DEFAULT 0,
  root        bytea  NOT NULL CHECK (length(root) = 32)
);

-- The hash of each full tile: the root of the 256^(level + 1) leaves from n × 256^(level + 1) on. A tile's own hashes stand in `entry`, or here, a level below.
CREATE TABLE tree_tile (
  tenant uuid     NOT NULL,
  level  smallint NOT NULL,
  n      bigint   NOT NULL,
  hash   bytea    NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (tenant, level, n)
);

-- The newest signed checkpoint of each incarnation, and the newest that a witness cosigned.
CREATE TABLE ledger_checkpoint (
  tenant         uuid        NOT NULL,
  incarnation    int         NOT NULL,
  size           bigint      NOT NULL,
  note           text        NOT NULL,
  at             timestamptz NOT NULL DEFAULT clock_timestamp(),
  witnessed_size bigint,
  witnessed_note text,
  witnessed_at   timestamptz,
  PRIMARY KEY (tenant, incarnation)
);

-- The largest checkpoint of an incarnation that each witness cosigned; 0, without a time, for a witness that was asked and has cosigned none.
CREATE TABLE ledger_witness (
  tenant      uuid   NOT NULL,
  incarnation int    NOT NULL,
  name        text   NOT NULL,
  size        bigint NOT NULL DEFAULT 0,
  at          timestamptz,
  PRIMARY KEY (tenant, incarnation, name)
);

-- Public keys that sign or signed checkpoints, each up to `until`. The private ones are never in PostgreSQL.
CREATE TABLE ledger_key (
  tenant     uuid        NOT NULL,
  public_key bytea       NOT NULL CHECK (length(public_key) = 32),
  since      timestamptz NOT NULL DEFAULT clock_timestamp(),
  until      timestamptz,
  PRIMARY KEY (tenant, public_key)
);

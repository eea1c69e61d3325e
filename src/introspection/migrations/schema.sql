-- Why recorded tokens were refused at introspection: evidence for those who run a source. Losing a second of it costs nothing.
-- Each reason names at most 64 tokens, each in the slot that its key falls into: sources and reasons bound the table.
CREATE TABLE refused_token (
  tenant   uuid     NOT NULL,
  source   uuid     NOT NULL,
  reason   text     NOT NULL,
  member   text     NOT NULL,
  slot     smallint NOT NULL CHECK (slot BETWEEN 0 AND 63),
  -- The last one of the slot.
  token    bytea    NOT NULL,
  count    bigint   NOT NULL,
  first_ms bigint   NOT NULL,
  last_ms  bigint   NOT NULL,
  PRIMARY KEY (tenant, source, reason, member, slot)
);
CREATE INDEX refused_token_of ON refused_token (tenant, token);

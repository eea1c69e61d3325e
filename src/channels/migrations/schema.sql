-- Receivers to which findings are pushed: settings, which administrators change. `settings` are the members of the kind and `secrets` what signs; both hold
-- secrets, and no answer shows them. `since`: seq of the tenant's news when the channel was made; it gets later ones. Null lists: any.
CREATE TABLE channel (
  tenant     uuid     NOT NULL,
  name       text     NOT NULL,
  id         uuid     NOT NULL,
  kind       text     NOT NULL,
  settings   jsonb    NOT NULL,
  secrets    jsonb    NOT NULL,
  enabled    boolean  NOT NULL,
  severity   smallint NOT NULL,
  kinds      text[],
  news       text[],
  tags       text[],
  since      bigint   NOT NULL,
  updated_at bigint   NOT NULL,
  updated_by text     NOT NULL,
  PRIMARY KEY (tenant, name)
);

-- The seq of a tenant's news up to which deliveries were made. It moves in the statement that makes them.
CREATE TABLE channel_cursor (
  tenant uuid   PRIMARY KEY,
  seq    bigint NOT NULL
);

-- One message to one channel: what to tell, and what came of it. `state`: 0 waiting, 1 delivered, 2 dead. `_ms`: epoch milliseconds; `took_ms`: the
-- last attempt. Deleted 30 days after it was done.
CREATE TABLE channel_delivery (
  tenant   uuid     NOT NULL,
  channel  uuid     NOT NULL,
  seq      bigint   NOT NULL,
  finding  uuid     NOT NULL,
  told     text     NOT NULL,
  at_ms    bigint   NOT NULL,
  state    smallint NOT NULL DEFAULT 0,
  attempts int      NOT NULL DEFAULT 0,
  next_ms  bigint   NOT NULL,
  last_ms  bigint,
  done_ms  bigint,
  took_ms  int,
  status   int,
  problem  text,
  PRIMARY KEY (tenant, channel, seq)
);
CREATE INDEX channel_delivery_due ON channel_delivery (tenant, channel, next_ms) WHERE state = 0;
CREATE INDEX channel_delivery_done ON channel_delivery (tenant, done_ms) WHERE done_ms IS NOT NULL;
CREATE INDEX channel_delivery_dead ON channel_delivery (tenant, channel) WHERE state = 2;

-- Position up to which the control log or a ledger is published to a topic of a Kafka cluster. Moved after the broker has acknowledged.
CREATE TABLE topic_cursor (
  cluster     text        NOT NULL,
  topic       text        NOT NULL,
  -- Position in the control log; for a topic of OCSF events the index behind the last entry.
  seq         bigint      NOT NULL,
  -- Offset of the last record written there. A topic that ends before this offset was recreated.
  last_offset bigint,
  moved_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (cluster, topic)
);

-- The key that seals the records of the control topic: one a deployment, so that its nodes share it.
CREATE TABLE control_topic_key (
  only_one boolean NOT NULL DEFAULT true PRIMARY KEY CHECK (only_one),
  key      bytea   NOT NULL CHECK (octet_length(key) = 32)
);

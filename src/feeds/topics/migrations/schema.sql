-- How far the control log has been published to a topic of a Kafka cluster; moved after the broker has acknowledged.
CREATE TABLE topic_cursor (
  cluster     text        NOT NULL,
  topic       text        NOT NULL,
  -- Position in the control log.
  seq         bigint      NOT NULL,
  -- Offset of the last record that was written there: a topic that ends before it was made anew.
  last_offset bigint,
  moved_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (cluster, topic)
);

-- The key that seals the records of the control topic: one a deployment, so that its nodes share it.
CREATE TABLE control_topic_key (
  only_one boolean NOT NULL DEFAULT true PRIMARY KEY CHECK (only_one),
  key      bytea   NOT NULL CHECK (octet_length(key) = 32)
);

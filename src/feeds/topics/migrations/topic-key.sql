-- The key that seals the records of the control topic: one a deployment, so that its nodes share it.
CREATE TABLE control_topic_key (
  only_one boolean NOT NULL DEFAULT true PRIMARY KEY CHECK (only_one),
  key      bytea   NOT NULL CHECK (octet_length(key) = 32)
);

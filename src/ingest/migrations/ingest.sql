-- Where each partition stands. Compared and swapped in the transaction of the records it moves past.
CREATE TABLE kafka_offset (
  cluster     text   NOT NULL,
  topic       text   NOT NULL,
  partition   int    NOT NULL,
  next_offset bigint NOT NULL,
  last_offset bigint,
  last_sha256 bytea,
  stopped     text,
  PRIMARY KEY (cluster, topic, partition)
);

-- What was refused, with the bytes (token-shaped strings masked). tenant is null for unknown sources: the operator's.
CREATE TABLE quarantine (
  id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant     uuid,
  source     uuid,
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  code       text        NOT NULL,
  detail     text        NOT NULL,
  door       text        NOT NULL CHECK (door IN ('kafka', 'http')),
  caller     text,
  cluster    text,
  topic      text,
  partition  int,
  record_offset bigint,
  size       int         NOT NULL,
  headers    text        NOT NULL,
  bytes      bytea       NOT NULL
);
CREATE INDEX quarantine_at ON quarantine (at);
CREATE INDEX quarantine_tenant ON quarantine (tenant, id);
-- A record that is read again after a crash is refused once.
CREATE UNIQUE INDEX quarantine_position ON quarantine (cluster, topic, partition, record_offset, code) WHERE door = 'kafka';

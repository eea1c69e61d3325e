-- Position of each partition. Compared and swapped in the transaction that stores the records before it.
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

-- Refused events with their bytes (token-shaped strings masked). tenant is null for unknown sources: the operator's part.
-- whole: bytes and record_headers are complete, neither cut nor masked, so the event can be replayed.
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
  mode       text        NOT NULL CHECK (mode IN ('binary', 'structured', 'batch', 'ndjson', 'set')),
  size       int         NOT NULL,
  headers    text        NOT NULL,
  bytes      bytea       NOT NULL,
  whole      boolean     NOT NULL,
  record_headers text,
  digest     bytea       NOT NULL,
  replayed_at timestamptz,
  CHECK (whole = (record_headers IS NOT NULL))
);
CREATE INDEX quarantine_at ON quarantine (at);
-- Finds the operator's part, whose tenant is null, as quickly as a tenant's.
CREATE INDEX quarantine_part ON quarantine (coalesce(tenant, '00000000-0000-0000-0000-000000000000'), id);
-- A record that is read again is refused once. Another record at the same position, in a recreated topic, is another row.
CREATE UNIQUE INDEX quarantine_position ON quarantine (cluster, topic, partition, record_offset, digest) WHERE door = 'kafka';

-- Tokens and ID-JAGs about which two events contradict each other, and whose block is not ordered yet. `named`: how a selector names it.
CREATE TABLE contradiction_owed (
  tenant uuid   NOT NULL,
  kind   text   NOT NULL CHECK (kind IN ('token', 'id_jag')),
  key    bytea  NOT NULL,
  ix     bigint NOT NULL,
  named  jsonb  NOT NULL,
  PRIMARY KEY (tenant, kind, key)
);

-- Manifests of signed batches as they came, each with the SHA-256 under which its events name it. A manifest holds salted digests and no name,
-- so it stays when a person is erased.
CREATE TABLE signed_manifest (
  tenant uuid  NOT NULL,
  digest bytea NOT NULL CHECK (length(digest) = 32),
  jws    text  NOT NULL,
  PRIMARY KEY (tenant, digest)
);

-- The keys of each source that were recorded in the ledger last, of those fetched from its `jwks_uri`. `nth` counts the changes.
CREATE TABLE source_keys (
  tenant uuid   NOT NULL,
  source uuid   NOT NULL,
  nth    bigint NOT NULL,
  digest bytea  NOT NULL CHECK (length(digest) = 32),
  PRIMARY KEY (tenant, source)
);

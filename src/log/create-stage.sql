CREATE TEMP TABLE IF NOT EXISTS stage (
  ord        int   NOT NULL,
  tenant     uuid  NOT NULL,
  type       text  NOT NULL,
  source     uuid  NOT NULL,
  commitment bytea NOT NULL,
  dedupe_key bytea NOT NULL,
  hash       bytea NOT NULL,
  mode       text  NOT NULL,
  salt       bytea NOT NULL,
  attributes bytea NOT NULL,
  bytes      bytea NOT NULL
) ON COMMIT DELETE ROWS

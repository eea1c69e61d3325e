-- The directory's entries for users, clients and agents, for people to read: a setting, not part of the ledger, and no
-- decision reads it. kind and key are those of entity; an entry may exist before any event names its subject. emails
-- are in lower case.
CREATE TABLE directory (
  tenant       uuid     NOT NULL,
  kind         smallint NOT NULL,
  key          bytea    NOT NULL,
  parts        jsonb    NOT NULL,
  display_name text,
  user_name    text,
  emails       text[]   NOT NULL,
  active       boolean,
  owner        text,
  team         text,
  updated_at   bigint   NOT NULL,
  updated_by   text     NOT NULL,
  PRIMARY KEY (tenant, kind, key)
);
CREATE INDEX directory_words ON directory USING gin (to_tsvector('simple', display_name));
CREATE INDEX directory_user_name ON directory (tenant, lower(user_name) text_pattern_ops) WHERE user_name IS NOT NULL;
CREATE INDEX directory_emails ON directory USING gin (emails);

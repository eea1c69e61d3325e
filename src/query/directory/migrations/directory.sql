-- What a directory says of users, clients and agents, for people: a setting, no part of the ledger, and nothing decides by it.
-- kind and key as in entity; an entry may be there before anything was heard of whom it names. emails in lower case.
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

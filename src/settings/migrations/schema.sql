-- The directory's entries for users, clients, agents, resources and teams, for people to read: a setting, not part of the
-- ledger, and no decision reads it. kind and key are those of entity; kind 100 is a team, which events never name. An entry
-- may exist before any event names its subject. emails are in lower case; emails and tags are sorted.
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
  tags         text[]   NOT NULL,
  updated_at   bigint   NOT NULL,
  updated_by   text     NOT NULL,
  PRIMARY KEY (tenant, kind, key)
);
CREATE INDEX directory_words ON directory USING gin (to_tsvector('simple', display_name));
CREATE INDEX directory_user_name ON directory (tenant, lower(user_name) text_pattern_ops) WHERE user_name IS NOT NULL;
CREATE INDEX directory_emails ON directory USING gin (emails);
CREATE INDEX directory_tags ON directory USING gin (tags);

-- The changes of findings by people, one row a change; `nth` counts the changes of the tenant. `said` is the data of its ledger entry, `entry` the index of that
-- entry, null until it is written. `wide`: the change counts for every finding of the kind that has the names in `usr` to `source`. `read_ix`: the index
-- below which the detections had read the ledger. `until_at` epoch seconds, `at_ms` epoch milliseconds.
CREATE TABLE finding_change (
  tenant   uuid    NOT NULL,
  nth      int     NOT NULL,
  finding  uuid    NOT NULL,
  kind     text    NOT NULL,
  state    text    NOT NULL,
  until_at bigint,
  wide     boolean NOT NULL,
  usr      int,
  client   int,
  agent    int,
  res      int,
  source   uuid,
  read_ix  bigint  NOT NULL,
  at_ms    bigint  NOT NULL,
  said     jsonb   NOT NULL,
  entry    bigint,
  PRIMARY KEY (tenant, nth)
);
CREATE INDEX finding_change_finding ON finding_change (tenant, finding, nth);
CREATE INDEX finding_change_wide ON finding_change (tenant, kind) WHERE wide;
CREATE INDEX finding_change_owed ON finding_change (tenant) WHERE entry IS NULL;
CREATE INDEX finding_change_read ON finding_change (tenant, read_ix);

-- Actions of detections, one row a change; the newest of a kind counts. `said` is the data of its ledger entry, `entry` the index of that entry, null until it
-- is written: a detection acts only by a change that has its entry.
CREATE TABLE detection_change (
  tenant uuid   NOT NULL,
  kind   text   NOT NULL,
  nth    int    NOT NULL,
  at_ms  bigint NOT NULL,
  said   jsonb  NOT NULL,
  entry  bigint,
  PRIMARY KEY (tenant, kind, nth)
);
CREATE INDEX detection_change_owed ON detection_change (tenant) WHERE entry IS NULL;

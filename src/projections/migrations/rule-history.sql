-- Each rule as the ledger tells it, by its own entries. `keys` are the rule keys of the selector's members, in the order of dimensions
-- ({}: all); `lead` is the first of them, by which those that may concern a token are found. Times: `_ms` epoch milliseconds, others
-- epoch seconds. A rule of several selectors has a row for each, counted by `nth`. Of a row only `lifted_ix` and `lift` change, together and once.
CREATE TABLE rule_version (
  tenant         uuid    NOT NULL,
  rule           text    NOT NULL,
  from_ix        bigint  NOT NULL,
  arrival_ms     bigint  NOT NULL,
  seq            bigint  NOT NULL,
  ordered_ms     bigint  NOT NULL,
  effect         text    NOT NULL CHECK (effect IN ('block', 'revoke')),
  selector       jsonb   NOT NULL,
  keys           bytea[] NOT NULL,
  lead           bytea   NOT NULL,
  before_at      bigint,
  until_at       bigint,
  resume         boolean NOT NULL,
  reauthenticate boolean NOT NULL,
  reason         text    NOT NULL,
  author         jsonb   NOT NULL,
  cause          jsonb,
  after_lift_of  text,
  lifted_ix      bigint,
  lift           jsonb,
  nth            smallint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, rule, nth)
);
CREATE INDEX rule_lead ON rule_version (tenant, lead);
CREATE INDEX rule_keys ON rule_version USING gin (keys);
CREATE INDEX rule_from ON rule_version (tenant, from_ix);
CREATE INDEX rule_lifted ON rule_version (tenant, lifted_ix) WHERE lifted_ix IS NOT NULL;

-- What sources said that stops or allows something, a row a selector. An enabling ends older blocks of its source on the same
-- selector and `subject`: no entry of Rescind's own says so.
CREATE TABLE rule_event (
  tenant   uuid    NOT NULL,
  ix       bigint  NOT NULL,
  keys     bytea[] NOT NULL,
  source   uuid    NOT NULL,
  event_id text    NOT NULL,
  at_ms    bigint  NOT NULL,
  subject  text,
  enables  boolean NOT NULL,
  PRIMARY KEY (tenant, keys, ix)
);

-- What came of a token by way of a later ID-JAG.
CREATE INDEX id_jag_parent ON id_jag (tenant, parent_key) WHERE parent_key IS NOT NULL;

-- Findings of the detections: one row a kind and subject, which grows with its evidence. `closed_ms`: since when the cause has ended. Times: `_at`
-- epoch seconds of the events, `_ms` epoch milliseconds of this service. `grown_ix`: the last index of the step that wrote its newest evidence; `opened_ix`:
-- of the step that found it, or found it again after its cause had ended. `entries` are the first entries of the evidence, at most 20. `told_`: as the
-- finding was when the news last told of it; null: never.
CREATE TABLE finding (
  tenant     uuid     NOT NULL,
  id         uuid     NOT NULL,
  kind       text     NOT NULL,
  subject    text     NOT NULL,
  severity   smallint NOT NULL,
  count      bigint   NOT NULL,
  first_at   bigint   NOT NULL,
  last_at    bigint   NOT NULL,
  usr        int,
  client     int,
  agent      int,
  res        int,
  tok        bytea,
  source     uuid,
  entries    bigint[] NOT NULL,
  details    jsonb    NOT NULL,
  found_ms   bigint   NOT NULL,
  grown_ms   bigint   NOT NULL,
  closed_ms  bigint,
  grown_ix   bigint   NOT NULL,
  opened_ix  bigint   NOT NULL,
  told_count    bigint,
  told_severity smallint,
  told_closed   boolean,
  PRIMARY KEY (tenant, kind, subject)
);
CREATE UNIQUE INDEX finding_id ON finding (tenant, id);
CREATE INDEX finding_last ON finding (tenant, last_at, id);
CREATE INDEX finding_usr ON finding (tenant, usr, closed_ms);
CREATE INDEX finding_client ON finding (tenant, client, closed_ms);
CREATE INDEX finding_agent ON finding (tenant, agent, closed_ms);
CREATE INDEX finding_res ON finding (tenant, res, closed_ms);
CREATE INDEX finding_tok ON finding (tenant, tok, closed_ms);

-- Findings as they were: one row a finding and step that changed more of it than the last time of a condition, over the entries from `from_ix` up to but not including `to_ix`. `day`: the day of arrival
-- (arrival / 86,400,000). Of a day that is older than a week, each finding has its last row alone, and all of them the bounds of the day's steps.
CREATE TABLE finding_past (
  tenant    uuid     NOT NULL,
  finding   uuid     NOT NULL,
  from_ix   bigint   NOT NULL,
  to_ix     bigint   NOT NULL,
  day       int      NOT NULL,
  severity  smallint NOT NULL,
  count     bigint   NOT NULL,
  first_at  bigint   NOT NULL,
  last_at   bigint   NOT NULL,
  usr       int,
  client    int,
  agent     int,
  res       int,
  tok       bytea,
  source    uuid,
  entries   bigint[] NOT NULL,
  details   jsonb    NOT NULL,
  closed_ms bigint,
  grown_ix  bigint   NOT NULL,
  opened_ix bigint   NOT NULL,
  PRIMARY KEY (tenant, finding, to_ix)
);
-- Finds the step that a moment lies in.
CREATE INDEX finding_past_step ON finding_past (tenant, to_ix);
-- Finds the days that are thinned. Rows are written in about the order of their days.
CREATE INDEX finding_past_day ON finding_past USING brin (day) WITH (pages_per_range = 16, autosummarize = on);

-- The index of a ledger below which the detections have read everything. It moves in the transaction that writes what they found.
CREATE TABLE finding_cursor (
  tenant  uuid   PRIMARY KEY,
  next_ix bigint NOT NULL
);

-- Memory of detections about the entries below the cursor: a few values a detection, each under a key of its own. Written in the transaction that
-- moves the cursor.
CREATE TABLE finding_memory (
  tenant uuid  NOT NULL,
  kind   text  NOT NULL,
  key    text  NOT NULL,
  state  jsonb NOT NULL,
  PRIMARY KEY (tenant, kind, key)
);

-- Uses by day (at / 86,400) of a user, client and resource, as far as the cursor: the past that a detection compares a day with. A second hop is
-- a use of a token that another token was exchanged for. Written in the transaction that moves the cursor.
CREATE TABLE finding_day (
  tenant   uuid   NOT NULL,
  client   int    NOT NULL,
  res      int    NOT NULL,
  usr      int    NOT NULL,
  day      int    NOT NULL,
  allowed  bigint NOT NULL,
  denied   bigint NOT NULL,
  records  bigint NOT NULL,
  hops     bigint NOT NULL,
  first_at bigint NOT NULL,
  last_at  bigint NOT NULL,
  PRIMARY KEY (tenant, client, res, day, usr)
);
CREATE INDEX finding_day_usr ON finding_day (tenant, usr, res, day);
-- Finds the days that are pruned. Days are written in about their order.
CREATE INDEX finding_day_day ON finding_day USING brin (day) WITH (pages_per_range = 16, autosummarize = on);

-- Changes of findings, in the order of the commits: seq is dense a tenant, because the row of finding_news_head is locked until a commit. Rows are
-- deleted after 7 days.
CREATE TABLE finding_news (
  tenant  uuid   NOT NULL,
  seq     bigint NOT NULL,
  finding uuid   NOT NULL,
  what    text   NOT NULL,
  at_ms   bigint NOT NULL,
  PRIMARY KEY (tenant, seq)
);

-- The seq of each tenant's last news.
CREATE TABLE finding_news_head (
  tenant uuid   PRIMARY KEY,
  seq    bigint NOT NULL
);

-- Decisions of detections about findings: one row a finding, by the newest change (`detection_change`, of `nth`) that counted for it. `hits` and
-- `selector` are those of the decision; `rule` is the rule that was ordered.
CREATE TABLE finding_action (
  tenant   uuid   NOT NULL,
  finding  uuid   NOT NULL,
  kind     text   NOT NULL,
  nth      int    NOT NULL,
  action   text   NOT NULL,
  outcome  text   NOT NULL,
  why      text,
  selector jsonb,
  hits     jsonb,
  rule     text,
  at_ms    bigint NOT NULL,
  PRIMARY KEY (tenant, finding)
);
CREATE INDEX finding_action_recent ON finding_action (tenant, kind, at_ms);
CREATE INDEX finding_action_unfinished ON finding_action (tenant) WHERE outcome IN ('ordering', 'unconfirmed');

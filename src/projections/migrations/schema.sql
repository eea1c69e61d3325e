-- Small ids for the names in facts. `key` is the rule key of (kind, parts); `parts` are the names, for people.
CREATE TABLE entity (
  tenant  uuid     NOT NULL,
  id      int      NOT NULL,
  kind    smallint NOT NULL,
  key     bytea    NOT NULL,
  parts   jsonb    NOT NULL,
  from_ix bigint   NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX entity_key ON entity (tenant, kind, key);
-- Finds names by their beginning, in any case: `sub`, `client_id`, an agent's id, a URI, a route, an address. Nobody searches for scopes (9).
CREATE INDEX entity_name ON entity (tenant, kind, lower(parts ->> -1) text_pattern_ops) WHERE kind <> 9;
-- Finds the names that a range of entries brought. Rows lie in the order of `from_ix`, so a summary of pages suffices and costs a writer nothing.
CREATE INDEX entity_from ON entity USING brin (from_ix) WITH (pages_per_range = 16, autosummarize = on);

-- Finds names by any part of three characters or more. Tenant and kind are in each part, so that a search reads nothing of another
-- tenant's, and of each kind only its own.
CREATE FUNCTION name_parts(tenant uuid, kind smallint, name text) RETURNS text[] IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql AS $$
  SELECT array_agg(DISTINCT tenant::text || kind::text || substr(lower(name), nth, 3)) FROM generate_series(1, length(lower(name)) - 2) AS nth
$$;
CREATE INDEX entity_parts ON entity USING gin (name_parts(tenant, kind, parts ->> -1)) WHERE kind <> 9;

-- Facts of a token. They never change. `usr` is set once, when the user becomes known; `conflict_ix` once, when another event contradicts
-- the facts; `agent_ix` once, with `agent`, if the agent becomes known after `ix`.
CREATE TABLE token (
  tenant      uuid   NOT NULL,
  key         bytea  NOT NULL,
  ix          bigint NOT NULL,
  seen_seq    bigint NOT NULL,
  source      uuid   NOT NULL,
  facts       jsonb  NOT NULL,
  usr         int,
  bound_ix    bigint,
  client      int    NOT NULL,
  agent       int,
  res         int[]  NOT NULL,
  id_jag_key  bytea,
  parent_key  bytea,
  iat         bigint NOT NULL,
  exp         bigint,
  conflict_ix bigint,
  agent_ix    bigint,
  PRIMARY KEY (tenant, key)
);
CREATE INDEX token_id_jag ON token (tenant, id_jag_key) WHERE id_jag_key IS NOT NULL;
CREATE INDEX token_parent ON token (tenant, parent_key) WHERE parent_key IS NOT NULL;
CREATE INDEX token_usr ON token (tenant, usr, ix);
CREATE INDEX token_client ON token (tenant, client, ix);
CREATE INDEX token_conflict ON token (tenant, conflict_ix) WHERE conflict_ix IS NOT NULL;
CREATE INDEX token_agent ON token (tenant, agent, ix) WHERE agent IS NOT NULL;
-- Finds tokens that may still be live, however many tokens have ended. A token without an end counts for as long as a lineage may be old.
CREATE INDEX token_usr_ends ON token (tenant, usr, (coalesce(exp, iat + 2592000)), ix);
CREATE INDEX token_client_ends ON token (tenant, client, (coalesce(exp, iat + 2592000)), ix);
CREATE INDEX token_agent_ends ON token (tenant, agent, (coalesce(exp, iat + 2592000)), ix) WHERE agent IS NOT NULL;
-- Tokens whose user became known later: as of a moment in between, the user is unknown.
CREATE INDEX token_late ON token (tenant, bound_ix, ix) WHERE bound_ix > ix;
-- Tokens whose agent became known after them: few.
CREATE INDEX token_agent_late ON token (tenant, agent_ix) WHERE agent_ix IS NOT NULL;
-- Finds the tokens of a range of entries, as entity_from finds names.
CREATE INDEX token_ix ON token USING brin (ix) WITH (pages_per_range = 16, autosummarize = on);
-- Tokens by the session that they state: the session of their ID-JAG, which the IdP may never report, or one of the issuer's own.
CREATE INDEX token_id_jag_sid ON token (tenant, (facts #>> '{id_jag,sid}'), ix) WHERE facts #>> '{id_jag,sid}' IS NOT NULL;
CREATE INDEX token_sid ON token (tenant, (facts ->> 'sid'), ix) WHERE facts ->> 'sid' IS NOT NULL;

-- Names of a token that no column, alias or other index leads from to it: those that it states beside others of the same kind, and those of an
-- ID-JAG that names another user, client or agent than the token. `name` is a rule key, known from `first_ix` on. Most tokens have none.
CREATE TABLE token_name (
  tenant   uuid   NOT NULL,
  name     bytea  NOT NULL,
  tok      bytea  NOT NULL,
  first_ix bigint NOT NULL,
  PRIMARY KEY (tenant, name, tok)
);

-- The first index at which a token of a client is for a resource, whether or not a grant, a connection or a use shows them together.
CREATE TABLE client_resource (
  tenant   uuid   NOT NULL,
  res      int    NOT NULL,
  client   int    NOT NULL,
  first_ix bigint NOT NULL,
  PRIMARY KEY (tenant, res, client)
);

-- `key` is the identity by (iss, jti), `sha_key` by the digest of the compact form.
CREATE TABLE id_jag (
  tenant      uuid   NOT NULL,
  key         bytea  NOT NULL,
  sha_key     bytea,
  ix          bigint NOT NULL,
  seen_seq    bigint NOT NULL,
  source      uuid   NOT NULL,
  facts       jsonb  NOT NULL,
  usr         int    NOT NULL,
  client      int    NOT NULL,
  idp_client  int    NOT NULL,
  agent       int,
  session_key bytea,
  parent_key  bytea,
  conflict_ix bigint,
  PRIMARY KEY (tenant, key)
);
CREATE INDEX id_jag_sha ON id_jag (tenant, sha_key) WHERE sha_key IS NOT NULL;
CREATE INDEX id_jag_usr ON id_jag (tenant, usr, ix);
CREATE INDEX id_jag_conflict ON id_jag (tenant, conflict_ix) WHERE conflict_ix IS NOT NULL;
-- Finds the ID-JAGs of a range of entries, as entity_from finds names.
CREATE INDEX id_jag_ix ON id_jag USING brin (ix) WITH (pages_per_range = 16, autosummarize = on);
-- Finds the ID-JAGs that were exchanged for a token.
CREATE INDEX id_jag_parent ON id_jag (tenant, parent_key) WHERE parent_key IS NOT NULL;
-- The few of them among a range of entries.
CREATE INDEX id_jag_exchanged ON id_jag (tenant, ix) WHERE parent_key IS NOT NULL;
-- Finds the ID-JAGs of a session: they say how long a rule on the session is needed.
CREATE INDEX id_jag_session ON id_jag (tenant, session_key) WHERE session_key IS NOT NULL;

CREATE TABLE session (
  tenant   uuid   NOT NULL,
  key      bytea  NOT NULL,
  from_ix  bigint NOT NULL,
  iss      text   NOT NULL,
  sid      text   NOT NULL,
  usr      int,
  ended_ix bigint,
  PRIMARY KEY (tenant, key)
);
CREATE INDEX session_usr ON session (tenant, usr);

-- One row an access event. `bound_ix`, `usr` and `client` are set once, in the transaction of the event that made them known.
-- `agent_ix`: the index from which the agent is known, if that is after `bound_ix`. `res_bound`: the resource comes from the token, not from
-- the use, and is known from `bound_ix` on. `source_res`: for a use whose token has not come, the resources of its source as keys, so that
-- the use is judged when the token comes. `foreign_ix`: the index from which the token is known to be for others.
CREATE TABLE access (
  tenant     uuid     NOT NULL,
  ix         bigint   NOT NULL,
  bound_ix   bigint,
  at         bigint   NOT NULL,
  until_at   bigint   NOT NULL,
  usr        int,
  client     int,
  agent      int,
  res        int,
  scopes     int[],
  op         smallint,
  outcome    smallint NOT NULL,
  status     int,
  route      int,
  addr       int,
  source     uuid     NOT NULL,
  tok        bytea    NOT NULL,
  n          bigint   NOT NULL,
  records    bigint,
  bytes      bigint,
  agent_ix   bigint,
  res_bound  boolean,
  source_res bytea[],
  foreign_ix bigint,
  -- `ix` alone names a use. `at` lets the table be partitioned by time (cold/README.md).
  PRIMARY KEY (tenant, ix, at)
);
CREATE INDEX access_at ON access (tenant, at, ix);
CREATE INDEX access_usr ON access (tenant, usr, at, ix);
CREATE INDEX access_client ON access (tenant, client, at, ix);
CREATE INDEX access_agent ON access (tenant, agent, at, ix) WHERE agent IS NOT NULL;
CREATE INDEX access_res ON access (tenant, res, at, ix);
CREATE INDEX access_tok ON access (tenant, tok, at, ix);
-- Uses whose lineage came after them. All others of a block have bound_ix = ix and are found by ix.
CREATE INDEX access_late ON access (tenant, bound_ix) WHERE bound_ix > ix;
-- Deletions, exports and administration of a resource: few among its uses, and the ones that people look for. The included columns let ten
-- thousand of them be added up from the index alone.
CREATE INDEX access_res_op ON access (tenant, res, op, at, ix) INCLUDE (bound_ix, res_bound, outcome, n, records, bytes) WHERE op >= 3;
-- Uses whose agent became known after their user: few.
CREATE INDEX access_agent_late ON access (tenant, usr, agent_ix) WHERE agent_ix IS NOT NULL;
-- Uses that turned out to be foreign after they came: few.
CREATE INDEX access_foreign_late ON access (tenant, foreign_ix) WHERE foreign_ix > ix;

-- Cold uses have left `access` and are read from the archive: of a tenant, each of them and all that is known of it lie below `end_ix`, and its
-- time below `end_at`. Written in the transaction in which they leave, so that a snapshot that lacks them knows it.
CREATE TABLE access_cold (
  tenant uuid   PRIMARY KEY,
  end_ix bigint NOT NULL,
  end_at bigint NOT NULL
);

-- The standing right of user, client and resource. Scopes only grow; each growth is a version, `again` in all but the first.
CREATE TABLE grant_version (
  tenant  uuid    NOT NULL,
  usr     int     NOT NULL,
  client  int     NOT NULL,
  res     int     NOT NULL,
  from_ix bigint  NOT NULL,
  to_ix   bigint,
  scopes  text[]  NOT NULL,
  agent   int,
  again   boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant, usr, client, res, from_ix)
);
CREATE UNIQUE INDEX grant_open ON grant_version (tenant, usr, client, res) WHERE to_ix IS NULL;
-- The planner takes client and resource for more selective than they are, most of all before the table is first analyzed, and prefers these indexes to
-- the primary key. What stands behind them lets each find the one row too.
CREATE INDEX grant_client ON grant_version (tenant, client, res, usr, from_ix);
CREATE INDEX grant_res ON grant_version (tenant, res, client, usr, from_ix);
-- The grants of an agent, in the order in which grants are listed.
CREATE INDEX grant_agent ON grant_version (tenant, agent, usr, client, res) WHERE agent IS NOT NULL;
CREATE INDEX grant_again ON grant_version (tenant, from_ix) WHERE again;
-- Finds the grants that a range of entries brought, as `entity_from` does.
CREATE INDEX grant_from ON grant_version USING brin (from_ix) WITH (pages_per_range = 16, autosummarize = on);

-- A client application's connection to a resource application. `id` is the key of (IdP, tenant, idp client, aud, aud tenant, client, resource).
CREATE TABLE connection_version (
  tenant     uuid     NOT NULL,
  id         bytea    NOT NULL,
  from_ix    bigint   NOT NULL,
  to_ix      bigint,
  state      smallint NOT NULL,
  at         bigint   NOT NULL,
  parts      jsonb    NOT NULL,
  idp_client int      NOT NULL,
  client     int      NOT NULL,
  res        int      NOT NULL,
  agent      int,
  scopes     text[]   NOT NULL,
  PRIMARY KEY (tenant, id, from_ix)
);
CREATE UNIQUE INDEX connection_open ON connection_version (tenant, id) WHERE to_ix IS NULL;
CREATE INDEX connection_client ON connection_version (tenant, client);
CREATE INDEX connection_from ON connection_version (tenant, from_ix);

-- Users and clients as their IdP last reported them: state 1 enabled, 0 disabled.
CREATE TABLE principal_version (
  tenant  uuid     NOT NULL,
  entity  int      NOT NULL,
  from_ix bigint   NOT NULL,
  to_ix   bigint,
  state   smallint NOT NULL,
  at_ms   bigint   NOT NULL,
  PRIMARY KEY (tenant, entity, from_ix)
);
CREATE UNIQUE INDEX principal_open ON principal_version (tenant, entity) WHERE to_ix IS NULL;
-- Users and clients that were disabled: few, and looked at after each few thousand entries.
CREATE INDEX principal_disabled ON principal_version (tenant, entity) WHERE state = 0;

-- Two names of one user or client, which one ID-JAG states together: the RAS's own and the IdP's.
CREATE TABLE alias (
  tenant  uuid   NOT NULL,
  local   int    NOT NULL,
  idp     int    NOT NULL,
  from_ix bigint NOT NULL,
  PRIMARY KEY (tenant, local, idp)
);
CREATE INDEX alias_idp ON alias (tenant, idp);
CREATE INDEX alias_from ON alias (tenant, from_ix);

CREATE TABLE first_use (
  tenant   uuid   NOT NULL,
  usr      int    NOT NULL,
  client   int    NOT NULL,
  res      int    NOT NULL,
  scope    int    NOT NULL,
  first_ix bigint NOT NULL,
  PRIMARY KEY (tenant, usr, client, res, scope)
);

-- Runs of the sequence numbers that a source has used: dense numbers are one run, whatever order they came in.
CREATE TABLE source_sequence (
  tenant   uuid           NOT NULL,
  source   uuid           NOT NULL,
  seen     int8multirange NOT NULL,
  -- Events under a number that another event had used, or that was given up.
  repeated bigint         NOT NULL DEFAULT 0,
  -- Numbers that had not come when there were too many gaps to keep. They are in `seen`.
  given_up bigint         NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, source)
);
CREATE FUNCTION numbers_in(runs int8multirange) RETURNS bigint IMMUTABLE STRICT LANGUAGE sql AS $$
  SELECT coalesce(sum(upper(run) - lower(run)), 0)::bigint FROM unnest(runs) AS run
$$;

-- Routes that a source brought, up to a bound, and its uses of further routes, which are counted together: `over`, from `over_from_ix` on.
CREATE TABLE source_routes (
  tenant       uuid   NOT NULL,
  source       uuid   NOT NULL,
  routes       int    NOT NULL,
  over         bigint NOT NULL,
  over_from_ix bigint,
  PRIMARY KEY (tenant, source)
);

-- Events of a source by block (ix >> 16) and day of arrival (arrival / 86,400 s). `what` is a type of event, or a kind of its tokens: `token`
-- (each once), `token.stated` (names an ID-JAG), `token.arrived` (that ID-JAG has come; counted when the later of both came) and
-- `token.parent` (names a parent token alone). delay = arrival - time of events, milliseconds: below zero, the source's clock is ahead.
-- `n` counts within the block and day, `total` from the first event on. Both only grow, so the last row below a block has every count.
-- A block below the head's never changes again.
CREATE TABLE source_count (
  tenant uuid NOT NULL, source uuid NOT NULL, what text NOT NULL, day int NOT NULL, blk int NOT NULL,
  n bigint NOT NULL, total bigint NOT NULL, last_ix bigint NOT NULL, last_arrival bigint NOT NULL, last_delay bigint,
  delay_least bigint, delay_most bigint, delay_sum bigint, ahead bigint NOT NULL, prompt bigint NOT NULL,
  PRIMARY KEY (tenant, source, what, day, blk)
-- Every batch writes the rows of the open block again: half of each page is room for that.
) WITH (fillfactor = 50);

-- The same counts a batch, for a moment within a block and for the last events of a source: `ixs` are those of the batch within the block,
-- `numbers` those of the source's own sequence that its events had.
CREATE TABLE source_event (
  tenant uuid NOT NULL, source uuid NOT NULL, last_ix bigint NOT NULL, what text NOT NULL,
  arrival bigint NOT NULL, ixs int[] NOT NULL, delays bigint[] NOT NULL,
  delay_least bigint, delay_most bigint, delay_sum bigint, ahead bigint NOT NULL, prompt bigint NOT NULL, numbers int8multirange,
  PRIMARY KEY (tenant, source, last_ix, what)
);

-- Attributed uses by block: blk = bound_ix >> 16. A use that is attributed late counts in the block of its attribution, under its own hour.
-- A block below the head's never changes again. `n` counts all uses, the other columns allowed ones alone. hour = at / 3600. The blocks of an
-- hour lie together, so a window costs the same however long the ledger is.
CREATE TABLE use_total (
  tenant uuid NOT NULL, blk int NOT NULL, hour int NOT NULL,
  n bigint NOT NULL, allowed bigint NOT NULL, reads bigint NOT NULL, writes bigint NOT NULL, deletes bigint NOT NULL, exports bigint NOT NULL,
  admins bigint NOT NULL, records bigint NOT NULL, bytes bigint NOT NULL,
  PRIMARY KEY (tenant, hour, blk)
) WITH (fillfactor = 50);
CREATE TABLE use_client (
  tenant uuid NOT NULL, client int NOT NULL, blk int NOT NULL, hour int NOT NULL,
  n bigint NOT NULL, allowed bigint NOT NULL, reads bigint NOT NULL, writes bigint NOT NULL, deletes bigint NOT NULL, exports bigint NOT NULL,
  admins bigint NOT NULL, records bigint NOT NULL, bytes bigint NOT NULL,
  PRIMARY KEY (tenant, client, hour, blk)
) WITH (fillfactor = 50);
CREATE TABLE use_res (
  tenant uuid NOT NULL, res int NOT NULL, blk int NOT NULL, hour int NOT NULL,
  n bigint NOT NULL, allowed bigint NOT NULL, reads bigint NOT NULL, writes bigint NOT NULL, deletes bigint NOT NULL, exports bigint NOT NULL,
  admins bigint NOT NULL, records bigint NOT NULL, bytes bigint NOT NULL,
  PRIMARY KEY (tenant, res, hour, blk)
) WITH (fillfactor = 50);
-- The same by client and resource. first_at to last_at spans all uses, first_allowed to last_allowed the allowed ones.
CREATE TABLE edge_use (
  tenant uuid NOT NULL, blk int NOT NULL, client int NOT NULL, res int NOT NULL,
  n bigint NOT NULL, allowed bigint NOT NULL, reads bigint NOT NULL, writes bigint NOT NULL, deletes bigint NOT NULL, exports bigint NOT NULL,
  admins bigint NOT NULL, records bigint NOT NULL, bytes bigint NOT NULL,
  first_at bigint NOT NULL, last_at bigint NOT NULL, first_allowed bigint, last_allowed bigint,
  PRIMARY KEY (tenant, blk, client, res)
) WITH (fillfactor = 50);
-- The sum of all blocks below `snap`, a multiple of 16, in one row a pair: written when block `snap` begins.
CREATE TABLE edge_cum (
  tenant uuid NOT NULL, snap int NOT NULL, client int NOT NULL, res int NOT NULL,
  n bigint NOT NULL, allowed bigint NOT NULL, reads bigint NOT NULL, writes bigint NOT NULL, deletes bigint NOT NULL, exports bigint NOT NULL,
  admins bigint NOT NULL, records bigint NOT NULL, bytes bigint NOT NULL,
  first_at bigint NOT NULL, last_at bigint NOT NULL, first_allowed bigint, last_allowed bigint,
  PRIMARY KEY (tenant, snap, client, res)
);
-- Uses that a source reported (by ix >> 16), and those of them that were attributed (by bound_ix >> 16).
CREATE TABLE use_source (
  tenant uuid NOT NULL, blk int NOT NULL, source uuid NOT NULL, came bigint NOT NULL, attributed bigint NOT NULL,
  PRIMARY KEY (tenant, source, blk)
) WITH (fillfactor = 50);
-- Attributed uses of each user by client and resource, a row a block of 16,384 (blk = bound_ix >> 14) that has any. Written once, when the next
-- block begins. Spans as above. `agents`: those that were known together with the user.
CREATE TABLE use_usr (
  tenant uuid NOT NULL, usr int NOT NULL, client int NOT NULL, res int NOT NULL, blk int NOT NULL,
  n bigint NOT NULL, allowed bigint NOT NULL, first_at bigint NOT NULL, last_at bigint NOT NULL, first_allowed bigint, last_allowed bigint, agents int[],
  PRIMARY KEY (tenant, usr, client, res, blk)
);
-- Finds the sums of a range of blocks. They are written block by block.
CREATE INDEX use_usr_blk ON use_usr USING brin (blk) WITH (pages_per_range = 16, autosummarize = on);
-- The blocks below this one are in use_usr.
CREATE TABLE use_usr_end (tenant uuid PRIMARY KEY, blk int NOT NULL);
-- Caps a sum at the largest bigint: no event, however large its numbers, may stop the events behind it.
CREATE FUNCTION capped(sum numeric) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN least(sum, 9223372036854775807)::bigint;

-- Written once: the index from which a client's pair with a resource has used (allowed) or been granted a scope, and acted through an agent.
-- The scopes of all pairs are read with every picture, from the index alone.
CREATE TABLE edge_scope_used (
  tenant uuid NOT NULL, client int NOT NULL, res int NOT NULL, scope int NOT NULL, first_ix bigint NOT NULL,
  PRIMARY KEY (tenant, client, res, scope) INCLUDE (first_ix)
);
CREATE INDEX edge_scope_used_first ON edge_scope_used (tenant, first_ix);
CREATE TABLE edge_scope_granted (
  tenant uuid NOT NULL, client int NOT NULL, res int NOT NULL, scope text NOT NULL, first_ix bigint NOT NULL,
  PRIMARY KEY (tenant, client, res, scope) INCLUDE (first_ix)
);
CREATE INDEX edge_scope_granted_first ON edge_scope_granted (tenant, first_ix);
CREATE TABLE edge_agent_used (
  tenant uuid NOT NULL, client int NOT NULL, res int NOT NULL, agent int NOT NULL, first_ix bigint NOT NULL,
  PRIMARY KEY (tenant, client, res, agent)
);
CREATE INDEX edge_agent_used_first ON edge_agent_used (tenant, first_ix);
CREATE TABLE edge_agent_granted (
  tenant uuid NOT NULL, client int NOT NULL, res int NOT NULL, agent int NOT NULL, first_ix bigint NOT NULL,
  PRIMARY KEY (tenant, client, res, agent)
);
CREATE INDEX edge_agent_granted_first ON edge_agent_granted (tenant, first_ix);
-- Written once: the index from which a grant, a connection or an attributed use shows that a client has to do with a resource.
CREATE TABLE edge_seen (
  tenant uuid NOT NULL, client int NOT NULL, res int NOT NULL, first_ix bigint NOT NULL,
  PRIMARY KEY (tenant, client, res)
);
CREATE INDEX edge_seen_first ON edge_seen (tenant, first_ix);
-- Finds the clients of a resource, however many grants of it there are.
CREATE INDEX edge_seen_res ON edge_seen (tenant, res, client, first_ix);

-- Counts as they stand from one index on: a row for each growth, so that the last row before an index is the count as of that index, whatever
-- the length of the ledger. Written once.
-- Users who hold a grant of a client and a resource.
CREATE TABLE edge_grant (
  tenant uuid NOT NULL, client int NOT NULL, res int NOT NULL, from_ix bigint NOT NULL, grants bigint NOT NULL,
  PRIMARY KEY (tenant, client, res, from_ix) INCLUDE (grants)
);
-- Grants that are new since an index, whoever holds them.
CREATE INDEX edge_grant_from ON edge_grant (tenant, from_ix) INCLUDE (client, res);
-- Users who hold a grant of a client under any of its names.
CREATE TABLE client_user (
  tenant uuid NOT NULL, client int NOT NULL, from_ix bigint NOT NULL, users bigint NOT NULL,
  PRIMARY KEY (tenant, client, from_ix) INCLUDE (users)
);
-- Users who hold any grant, by the issuer that names them.
CREATE TABLE issuer_user (
  tenant uuid NOT NULL, iss text NOT NULL, from_ix bigint NOT NULL, users bigint NOT NULL,
  PRIMARY KEY (tenant, iss, from_ix) INCLUDE (users)
);

-- Each rule as the ledger tells it, by its own entries. `keys` are the rule keys of the selector's members, in the order of dimensions
-- ({}: all); `lead` is the first of them, by which the rules that may concern a token are found. Times: `_ms` epoch milliseconds, others
-- epoch seconds. A rule of several selectors has a row for each, counted by `nth`. Only `lifted_ix` and `lift` change, together and once.
CREATE TABLE rule_version (
  tenant         uuid     NOT NULL,
  rule           text     NOT NULL,
  from_ix        bigint   NOT NULL,
  arrival_ms     bigint   NOT NULL,
  seq            bigint   NOT NULL,
  ordered_ms     bigint   NOT NULL,
  effect         text     NOT NULL CHECK (effect IN ('block', 'revoke')),
  selector       jsonb    NOT NULL,
  keys           bytea[]  NOT NULL,
  lead           bytea    NOT NULL,
  before_at      bigint,
  until_at       bigint,
  resume         boolean  NOT NULL,
  reauthenticate boolean  NOT NULL,
  reason         text     NOT NULL,
  author         jsonb    NOT NULL,
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

-- Events of sources that stop or allow something, a row a selector. An enabling ends older blocks of its source on the same selector and
-- `subject`: no entry of Rescind's own says so.
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

-- Statements of sources about an entity, a row for each entity that the event names: enabled and disabled, sessions, connections, refusals.
-- `usr`, `client`, `agent` and `res` are all that the event names. Written once.
CREATE TABLE said (
  tenant  uuid   NOT NULL,
  entity  int    NOT NULL,
  at_ms   bigint NOT NULL,
  ix      bigint NOT NULL,
  name    text   NOT NULL,
  source  uuid   NOT NULL,
  usr     int,
  client  int,
  agent   int,
  res     int[]  NOT NULL,
  details jsonb  NOT NULL,
  PRIMARY KEY (tenant, entity, at_ms, ix)
);
-- Finds what a range of entries said. These events are few.
CREATE INDEX said_ix ON said (tenant, ix);

-- Holds nothing: its lock keeps questions and the switch of a rebuild apart (gate.ts).
CREATE TABLE projection_gate ();

-- Small ids for what facts name. `key` is the rule key of (kind, parts); `parts` are the names, for people.
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

-- Facts of a token: never changed. `usr` is set once, when known; `conflict_ix` once, when another event contradicts it.
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
  PRIMARY KEY (tenant, key)
);
CREATE INDEX token_id_jag ON token (tenant, id_jag_key) WHERE id_jag_key IS NOT NULL;
CREATE INDEX token_parent ON token (tenant, parent_key) WHERE parent_key IS NOT NULL;
CREATE INDEX token_usr ON token (tenant, usr, ix);
CREATE INDEX token_client ON token (tenant, client, ix);
CREATE INDEX token_conflict ON token (tenant, conflict_ix) WHERE conflict_ix IS NOT NULL;
CREATE INDEX token_agent ON token (tenant, agent, ix) WHERE agent IS NOT NULL;

-- `key` is the identity by (iss, jti), `sha_key` by the digest of its compact form.
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

-- One row an access event. `bound_ix`, `usr` and `client` are set once, in the transaction of the event that made them known.
CREATE TABLE access (
  tenant    uuid     NOT NULL,
  ix        bigint   NOT NULL,
  bound_ix  bigint,
  at        bigint   NOT NULL,
  until_at  bigint   NOT NULL,
  usr       int,
  client    int,
  agent     int,
  res       int,
  scopes    int[],
  op        smallint,
  outcome   smallint NOT NULL,
  status    int,
  route     int,
  addr      int,
  source    uuid     NOT NULL,
  tok       bytea    NOT NULL,
  n         bigint   NOT NULL,
  records   bigint,
  bytes     bigint,
  PRIMARY KEY (tenant, ix)
);
CREATE INDEX access_at ON access (tenant, at, ix);
CREATE INDEX access_usr ON access (tenant, usr, at, ix);
CREATE INDEX access_client ON access (tenant, client, at, ix);
CREATE INDEX access_agent ON access (tenant, agent, at, ix) WHERE agent IS NOT NULL;
CREATE INDEX access_res ON access (tenant, res, at, ix);
CREATE INDEX access_tok ON access (tenant, tok, at, ix);

-- The standing right of user x client x resource; scopes only ever grow, each growth is a version.
CREATE TABLE grant_version (
  tenant  uuid   NOT NULL,
  usr     int    NOT NULL,
  client  int    NOT NULL,
  res     int    NOT NULL,
  from_ix bigint NOT NULL,
  to_ix   bigint,
  scopes  text[] NOT NULL,
  agent   int,
  PRIMARY KEY (tenant, usr, client, res, from_ix)
);
CREATE UNIQUE INDEX grant_open ON grant_version (tenant, usr, client, res) WHERE to_ix IS NULL;
CREATE INDEX grant_client ON grant_version (tenant, client, res);
CREATE INDEX grant_res ON grant_version (tenant, res);

-- Client application to resource application. `id` is the key of (IdP, tenant, idp client, aud, aud tenant, client, resource).
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

-- Users and clients as their IdP last said: state 1 enabled, 0 disabled.
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

-- Two names of one user or client, as one ID-JAG states them together: the RAS's own and the IdP's.
CREATE TABLE alias (
  tenant  uuid   NOT NULL,
  local   int    NOT NULL,
  idp     int    NOT NULL,
  from_ix bigint NOT NULL,
  PRIMARY KEY (tenant, local, idp)
);
CREATE INDEX alias_idp ON alias (tenant, idp);

CREATE TABLE first_use (
  tenant   uuid   NOT NULL,
  usr      int    NOT NULL,
  client   int    NOT NULL,
  res      int    NOT NULL,
  scope    int    NOT NULL,
  first_ix bigint NOT NULL,
  PRIMARY KEY (tenant, usr, client, res, scope)
);

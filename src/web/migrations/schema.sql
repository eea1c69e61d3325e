-- Sessions of people who have signed in. id: SHA-256 of the cookie. seen_seq: the head of the control log at the sign-in. authenticated_at, began_at, used_at
-- and ends_at are epoch milliseconds. sid: the session at the identity provider.
CREATE TABLE person_session (
  tenant           uuid   NOT NULL,
  id               bytea  NOT NULL,
  iss              text   NOT NULL,
  sub              text   NOT NULL,
  sid              text,
  name             text,
  roles            text[] NOT NULL,
  authenticated_at bigint NOT NULL,
  seen_seq         bigint NOT NULL,
  began_at         bigint NOT NULL,
  used_at          bigint NOT NULL,
  ends_at          bigint NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX person_session_id ON person_session (id);
CREATE INDEX person_session_person ON person_session (iss, sub);

-- Links by which an administrator signs in once, without an identity provider. id: SHA-256 of the code in the link. ends_at: epoch milliseconds.
CREATE TABLE sign_in_link (
  tenant  uuid   NOT NULL,
  id      bytea  NOT NULL,
  caller  text   NOT NULL,
  ends_at bigint NOT NULL,
  PRIMARY KEY (tenant, id)
);

-- Views of the console that people saved: a page and the search of its URL, under a name. owner, updated_by: who did it, as an author in the ledger is named.
-- updated_at: epoch seconds.
CREATE TABLE saved_view (
  tenant     uuid    NOT NULL,
  id         uuid    NOT NULL,
  owner      text    NOT NULL,
  name       text    NOT NULL,
  page       text    NOT NULL,
  search     text    NOT NULL,
  shared     boolean NOT NULL,
  updated_at bigint  NOT NULL,
  updated_by text    NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX saved_view_name ON saved_view (tenant, owner, name);
CREATE INDEX saved_view_shared ON saved_view (tenant) WHERE shared;

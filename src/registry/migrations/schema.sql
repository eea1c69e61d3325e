-- Networks (/24 of IPv4, /48 of IPv6) from which callers came to the management API, one row a caller and network, written at the first use. `said` is the
-- data of its ledger entry, `entry` the index of that entry, null until it is written. `at_ms`: the first use, `used_ms`: the last one, to the day; epoch
-- milliseconds.
CREATE TABLE caller_network (
  tenant  uuid   NOT NULL,
  caller  text   NOT NULL,
  network text   NOT NULL,
  at_ms   bigint NOT NULL,
  used_ms bigint NOT NULL,
  said    jsonb  NOT NULL,
  entry   bigint,
  PRIMARY KEY (tenant, caller, network)
);
CREATE INDEX caller_network_network ON caller_network (tenant, network);
CREATE INDEX caller_network_owed ON caller_network (tenant) WHERE entry IS NULL;

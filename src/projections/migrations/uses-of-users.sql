-- Attributed uses of each user by client and resource, a row a block of 16,384 (blk = bound_ix >> 14) in which there are any: written when the
-- next block begins, never again.
-- first_at to last_at spans all uses, first_allowed to last_allowed the allowed ones; agents, where any is known together with the user.
CREATE TABLE use_usr (
  tenant uuid NOT NULL, usr int NOT NULL, client int NOT NULL, res int NOT NULL, blk int NOT NULL,
  n bigint NOT NULL, allowed bigint NOT NULL, first_at bigint NOT NULL, last_at bigint NOT NULL, first_allowed bigint, last_allowed bigint, agents int[],
  PRIMARY KEY (tenant, usr, client, res, blk)
);
-- The blocks below this one are in use_usr.
CREATE TABLE use_usr_end (tenant uuid PRIMARY KEY, blk int NOT NULL);
-- Of these uses the agent became known after the user: few.
CREATE INDEX access_agent_late ON access (tenant, usr, agent_ix) WHERE agent_ix IS NOT NULL;

-- What was added up from it no longer is.
DROP INDEX access_usr;
CREATE INDEX access_usr ON access (tenant, usr, at, ix);

-- With what an access review adds up: an account that many share has a hundred thousand uses, each on another page of the table.
DROP INDEX access_usr;
CREATE INDEX access_usr ON access (tenant, usr, at, ix) INCLUDE (client, res, outcome, n, until_at, bound_ix);

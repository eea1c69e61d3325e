-- Deletions, exports and administration of a resource: few among its uses, and what one looks for; with what is counted of them, so that
-- ten thousand are added up without a look at the uses. Others are not in it and pay nothing.
CREATE INDEX access_res_op ON access (tenant, res, op, at, ix) INCLUDE (bound_ix, res_bound, outcome, n, records, bytes) WHERE op >= 3;

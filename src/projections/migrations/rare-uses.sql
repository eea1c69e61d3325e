-- Deletions, exports and administration of a resource: few among its uses, and what one looks for. Other uses are not in it and pay nothing.
CREATE INDEX access_res_op ON access (tenant, res, op, at, ix) WHERE op >= 3;

-- Marks earlier uses as foreign whose token has come and is not for their source. Returns them.
-- $1 tenants  $2 keys of the tokens
UPDATE access a
SET foreign_ix = greatest(a.ix, t.ix)
FROM unnest($1::uuid[], $2::bytea[]) AS w (tenant, key)
JOIN token t ON t.tenant = w.tenant AND t.key = w.key
WHERE a.tenant = t.tenant AND a.tok = t.key AND a.bound_ix IS NULL AND a.foreign_ix IS NULL AND a.source_res IS NOT NULL AND NOT {meets a t}
RETURNING a.source, a.n::float8

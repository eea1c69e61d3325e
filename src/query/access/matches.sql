-- Selects the accesses that a question is about, as of an index. A fact that became known at or after the index is not
-- used.
-- $1 tenant  $2 as of  $3 users  $4 clients  $5 agents  $6 resources  $7 token  $8 operation  $9 outcome  $10 agents
-- of a type  $11 route  $12 scope  $13 address
    ($3::int[] IS NULL OR (a.usr = ANY ($3) AND a.bound_ix < $2::bigint))
    AND ($4::int[] IS NULL OR (a.client = ANY ($4) AND a.bound_ix < $2))
    AND ($5::int[] IS NULL OR (a.agent = ANY ($5) AND coalesce(a.agent_ix, a.bound_ix) < $2))
    AND ($6::int[] IS NULL OR (a.res = ANY ($6) AND (a.res_bound IS NULL OR a.bound_ix < $2)))
    AND ($7::bytea IS NULL OR a.tok = $7)
    AND ($8::smallint IS NULL OR a.op = $8)
    AND ($9::smallint IS NULL OR a.outcome = $9)
    AND ($10::int[] IS NULL OR (a.agent = ANY ($10) AND coalesce(a.agent_ix, a.bound_ix) < $2))
    AND ($11::int IS NULL OR a.route = $11)
    AND ($12::int IS NULL OR $12 = ANY (a.scopes))
    AND ($13::int IS NULL OR a.addr = $13)

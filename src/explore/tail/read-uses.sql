-- Reads uses at or above an index as lines of text, a thousand to a row.
-- $1 tenant  $2 first index  $3 the index after the last
SELECT string_agg(u.line, E'\n') AS lines
FROM (
  SELECT a.ix / 1000 AS chunk,
         array_to_string(ARRAY[
           a.ix::text, a.at::text, a.until_at::text, a.bound_ix::text, a.usr::text, a.client::text, a.agent::text, a.agent_ix::text, a.res::text,
           a.res_bound::text, array_to_json(a.scopes)::text, a.op::text, a.outcome::text, a.status::text, a.route::text, a.addr::text,
           a.source::text, encode(a.tok, 'hex'), a.n::text, a.records::text, a.bytes::text], '|', '') AS line
  FROM access a
  WHERE a.tenant = $1::uuid AND a.ix >= $2::bigint AND a.ix < $3::bigint
) u
GROUP BY u.chunk

-- Sums the uses of a rule's tokens before it counted and after, and lists the newest of those after. The second from
-- which the rule counts belongs to "before".
-- $1 tenant  $2 as of  $3 tokens  $4 since  $5 second from which it counts  $6 rows read at most  $7 shown  $8 for each
-- token, when the rule stopped counting for it
WITH used AS MATERIALIZED (
  SELECT a.ix, a.at, a.until_at, a.n, a.outcome, a.op, CASE WHEN a.res_bound IS NULL OR a.bound_ix < $2::bigint THEN a.res END AS res, a.records, a.bytes, a.tok,
         a.until_at > $5::bigint AS after
  FROM unnest($3::bytea[], $8::bigint[]) d (tok, ended)
  CROSS JOIN LATERAL (
    SELECT a.* FROM access a WHERE a.tenant = $1 AND a.tok = d.tok AND a.at >= $4::bigint AND (d.ended IS NULL OR a.at < d.ended) AND a.ix < $2
      AND (a.foreign_ix IS NULL OR a.foreign_ix >= $2)
    ORDER BY a.at DESC, a.ix DESC LIMIT $6
  ) a
  LIMIT $6
)
SELECT s.after, count(*) AS rows, coalesce(sum(n) FILTER (WHERE outcome = 1), 0) AS allowed, coalesce(sum(n) FILTER (WHERE outcome <> 1), 0) AS denied,
       coalesce(sum(records) FILTER (WHERE outcome = 1), 0) AS records, coalesce(sum(bytes) FILTER (WHERE outcome = 1), 0) AS bytes,
       min(at) AS first, max(until_at) AS last,
       (SELECT jsonb_agg(jsonb_build_object('ix', u.ix::text, 'at', u.at, 'n', u.n, 'outcome', u.outcome, 'op', u.op, 'res', u.res, 'tok', encode(u.tok, 'hex')) ORDER BY u.at DESC, u.ix DESC)
        FROM (SELECT * FROM used u WHERE s.after AND u.after ORDER BY u.at DESC, u.ix DESC LIMIT $7) u) AS newest
FROM used s GROUP BY s.after

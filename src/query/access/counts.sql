-- Sums the latest accesses of the driving ids, at most $18 of them, that match. `walked` counts one more if there are
-- more; `first_at` is the earliest of all. statements.ts replaces the words in braces as in access.sql. One driving id
-- takes its order from the index; several are merged.
-- $14 driving ids  $15 from  $16 to  $17 seconds in a bucket  $18 rows that may be walked
SELECT w.at / $17::bigint AS bucket, count(*) AS walked, min(w.at) AS first_at, count(*) FILTER (WHERE w.counts) AS matched,
       sum(w.n) FILTER (WHERE w.counts) AS n,
       sum(w.n) FILTER (WHERE w.counts AND w.outcome = 1) AS allowed,
       sum(w.n) FILTER (WHERE w.counts AND w.outcome = 1 AND w.op = 1) AS reads,
       sum(w.n) FILTER (WHERE w.counts AND w.outcome = 1 AND w.op = 2) AS writes,
       sum(w.n) FILTER (WHERE w.counts AND w.outcome = 1 AND w.op = 3) AS deletes,
       sum(w.n) FILTER (WHERE w.counts AND w.outcome = 1 AND w.op = 4) AS exports,
       sum(w.n) FILTER (WHERE w.counts AND w.outcome = 1 AND w.op = 5) AS admins,
       sum(w.records) FILTER (WHERE w.counts AND w.outcome = 1) AS records,
       sum(w.bytes) FILTER (WHERE w.counts AND w.outcome = 1) AS bytes
FROM (
  SELECT a.at, a.n, a.outcome, a.op, a.records, a.bytes, a.matches AND row_number() OVER () <= $18::bigint AS counts
  FROM (
    SELECT a.*
    FROM {driving} AS d (id)
    CROSS JOIN LATERAL (
      SELECT a.ix, a.at, a.n, a.outcome, a.op, a.records, a.bytes,
             -- All uses of a token are attributed or none is. With the token as a filter, they count either way.
             (a.bound_ix < $2::bigint OR $7::bytea IS NOT NULL) AND {matches} AS matches
      FROM access a
      WHERE a.tenant = $1
        AND {driven}
        AND a.at >= $15::bigint AND a.at < $16::bigint
        AND a.ix < $2::bigint
      ORDER BY a.at DESC, a.ix DESC
      LIMIT $18 + 1
    ) a
    {merged}
  ) a
) w
GROUP BY 1

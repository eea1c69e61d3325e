-- Reads the newest uses in a period `s`, by their own columns and of the tokens that candidates.sql found for it, and adds up those of each token.
-- The words in braces are replaced in used-after.ts.
WITH direct AS MATERIALIZED (
  SELECT w.* FROM (
    {walks}
  ) w
  ORDER BY w.at DESC, w.ix DESC
  LIMIT {budget}
),
found AS MATERIALIZED (
  SELECT a.* FROM newest k
  CROSS JOIN LATERAL (
    SELECT {columns} FROM access a
    WHERE a.tenant = $1 AND a.tok = k.key AND a.at > s.after AND a.at < s.before AND a.bound_ix - $2 < 0
    ORDER BY a.at DESC, a.ix DESC
    LIMIT {budget}
  ) a
  ORDER BY a.at DESC, a.ix DESC
  LIMIT {budget}
),
walked AS MATERIALIZED (
  SELECT * FROM direct UNION SELECT * FROM found
)
SELECT (SELECT count(*) >= {budget} FROM direct) OR (SELECT count(*) >= {budget} FROM found)
         OR EXISTS (SELECT FROM seeded GROUP BY part, id HAVING count(*) >= CASE part WHEN 'a' THEN {most} ELSE $5 END) AS cut,
       (SELECT json_agg(g) FROM (
         SELECT encode(w.tok, 'hex') AS token, w.usr, w.client, {agent} AS agent, w.res, sum(w.n)::bigint AS uses, min(w.at) AS at, max(w.until_at) AS last_at,
           (array_agg(w.ix ORDER BY w.at, w.ix))[1] AS access, min({known}) AS first_ix, max({known}) AS last_ix
         FROM walked w
         WHERE w.outcome = 1 AND {known} >= $8::bigint
         GROUP BY w.tok, w.usr, w.client, {agent}, w.res
       ) g) AS groups

-- Lists the tokens that candidates.sql found. The word in braces is replaced in candidates.ts: the columns.
SELECT c.cut_off, a.key, {told}
FROM (SELECT EXISTS (SELECT FROM seeded GROUP BY part, id HAVING count(*) >= $5) AS cut_off) c
LEFT JOIN (newest a JOIN token t ON t.tenant = $1 AND t.key = a.key) ON true
ORDER BY a.ix DESC, a.key

-- Sums attributed uses by groups of $4 hours as of now. For now the stored sums suffice; hour-uses.sql is for the past.
-- $1 tenant  $2, $3 first hour, and the hour after the last  $4 hours in a row of the answer  $5 clients or resources
SELECT u.hour / $4::int * $4 AS hour, sum(u.n) AS n, sum(u.allowed) AS allowed, sum(u.reads) AS reads, sum(u.writes) AS writes, sum(u.deletes) AS deletes, sum(u.exports) AS exports, sum(u.admins) AS admins, sum(u.records) AS records, sum(u.bytes) AS bytes
FROM {table} u
WHERE u.tenant = $1 AND u.hour >= $2::int AND u.hour < $3::int AND {stored}
GROUP BY 1
ORDER BY 1

-- Reads the network of each client address: 24 bits of an IPv4 address, 48 of an IPv6 address. Other texts have none.
-- $1 tenant  $2 as of  $3 rows
SELECT e.id,
       CASE WHEN pg_input_is_valid(e.parts ->> -1, 'inet') THEN
         network(set_masklen(host((e.parts ->> -1)::inet)::inet, CASE WHEN family((e.parts ->> -1)::inet) = 4 THEN 24 ELSE 48 END))::text
       END AS value
FROM entity e
WHERE e.tenant = $1 AND e.kind = 8 AND e.from_ix < $2::bigint
LIMIT $3::int

-- Reads the names that entries of a range are the first to give, without routes (7) and addresses (8), which have tables of their own.
-- $1 tenant  $2 first index  $3 the index after the last
SELECT e.id, e.from_ix, (ARRAY['user', 'client', 'agent', 'agent_type', 'resource', 'issuer', NULL, NULL, 'scope'])[e.kind] AS kind,
       e.parts ->> -1 AS name, CASE WHEN jsonb_array_length(e.parts) > 1 THEN e.parts ->> 0 END AS issuer, e.parts
FROM entity e
WHERE e.tenant = $1::uuid AND e.from_ix >= $2::bigint AND e.from_ix < $3::bigint AND e.kind NOT IN (7, 8)

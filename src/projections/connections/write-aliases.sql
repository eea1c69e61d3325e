INSERT INTO alias (tenant, local, idp, from_ix)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::int[], $4::bigint[]) AS w (tenant, local, idp, from_ix)
WHERE local <> idp
ORDER BY from_ix
ON CONFLICT DO NOTHING
RETURNING tenant, local, idp

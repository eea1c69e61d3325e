-- Within a batch the end of a session may come before the event that first names it. Both are kept, each set once.
INSERT INTO session (tenant, key, from_ix, iss, sid, usr, ended_ix)
SELECT tenant, key, min(ix), min(iss), min(sid), (array_agg(usr ORDER BY ix))[1], min(ended_ix)
FROM unnest($1::uuid[], $2::bytea[], $3::bigint[], $4::text[], $5::text[], $6::int[], $7::bigint[])
  AS w (tenant, key, ix, iss, sid, usr, ended_ix)
GROUP BY tenant, key
ON CONFLICT (tenant, key) DO UPDATE SET ended_ix = excluded.ended_ix
WHERE session.ended_ix IS NULL AND excluded.ended_ix IS NOT NULL

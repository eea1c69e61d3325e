-- Reads the entries of one tenant whose payload, or what stands for it, may hold one of several texts: as they are, or spelled in another way, which only a
-- reader of JSON can tell (escapes, base64). A SET is base64 as a whole.
-- $1 tenant  $2 first index  $3 end, exclusive  $4 texts
SELECT e.ix, e.arrival, e.type, e.source, e.commitment, p.mode, p.salt, p.attributes, p.bytes, r.said
FROM entry e
LEFT JOIN payload p ON p.tenant = $1 AND p.ix = e.ix
LEFT JOIN entry_remainder r ON r.tenant = $1 AND r.ix = e.ix
WHERE e.tenant = $1 AND e.ix >= $2::bigint AND e.ix < $3::bigint
  AND (p.mode = 'set' OR position('\x5c'::bytea IN p.bytes) > 0 OR position('\x646174615f626173653634'::bytea IN p.bytes) > 0
       OR EXISTS (SELECT FROM unnest($4::text[]) AS t (one)
                  WHERE position(convert_to(t.one, 'UTF8') IN p.bytes) > 0 OR position(convert_to(t.one, 'UTF8') IN p.attributes) > 0 OR strpos(r.said, t.one) > 0))
ORDER BY e.ix

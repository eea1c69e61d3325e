-- Reads entries of one tenant in order, each with its payload and with what stands for its event since an erasure, if there are any. Ends after the entry that
-- passes $4 bytes of payload.
-- $1 tenant  $2 first index  $3 end, exclusive  $4 bytes
SELECT ix, arrival, type, source, commitment, leaf_hash, mode, salt, attributes, bytes, said
FROM (
  SELECT e.ix, e.arrival, e.type, e.source, e.commitment, e.leaf_hash, p.mode, p.salt, p.attributes, p.bytes, r.said,
         sum(coalesce(octet_length(p.bytes), 0)) OVER (ORDER BY e.ix) - coalesce(octet_length(p.bytes), 0) AS before
  FROM entry e LEFT JOIN payload p ON p.tenant = e.tenant AND p.ix = e.ix
       LEFT JOIN entry_remainder r ON r.tenant = e.tenant AND r.ix = e.ix
  WHERE e.tenant = $1 AND e.ix >= $2 AND e.ix < $3
) one
WHERE before < $4
ORDER BY ix

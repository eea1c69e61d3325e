-- Makes deliveries of news and moves the cursor past them, if no other process has moved it.
-- $1 tenant  $2 seq at which the cursor stands, 0: nowhere  $3 seq to which it moves  $4 now  $5 ids of channels  $6 seqs  $7 findings  $8 what  $9 times
WITH moved AS (
  INSERT INTO channel_cursor AS c (tenant, seq) SELECT $1::uuid, $3::bigint
  ON CONFLICT (tenant) DO UPDATE SET seq = excluded.seq WHERE c.seq = $2::bigint
  RETURNING c.seq
)
INSERT INTO channel_delivery (tenant, channel, seq, finding, told, at_ms, next_ms)
SELECT $1::uuid, d.channel, d.seq, d.finding, d.told, d.at_ms, $4::bigint
FROM moved, unnest($5::uuid[], $6::bigint[], $7::uuid[], $8::text[], $9::bigint[]) AS d (channel, seq, finding, told, at_ms)
ON CONFLICT DO NOTHING

-- Gives each new staged event its dense index and writes it. Returns each tenant's first new index, and, for each event that is not
-- new, the index and hash of the entry that has its key. No two staged events have the same key.
-- Runs under the locks of the heads, as a statement of its own, so that its snapshot includes what the last lock holder wrote.
WITH clock AS MATERIALIZED (
  SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now
),
seen AS MATERIALIZED (
  SELECT s.ord, s.tenant, d.ix AS known_ix, d.hash AS known_hash
  FROM stage s
  -- One index look-up an event, in the one partition that can hold it, whatever the table's size and statistics.
  LEFT JOIN LATERAL (SELECT ix, hash FROM dedupe WHERE tenant = s.tenant AND key = s.dedupe_key LIMIT 1) d ON true
),
placed AS MATERIALIZED (
  SELECT n.ord, n.tenant, h.next_ix + n.nth AS ix, greatest(h.last_arrival, clock.now) AS arrival
  FROM (
    SELECT ord, tenant, row_number() OVER (PARTITION BY tenant ORDER BY ord) - 1 AS nth
    FROM seen
    WHERE known_ix IS NULL
  ) n
  JOIN ledger_head h USING (tenant)
  CROSS JOIN clock
),
new_entry AS (
  INSERT INTO entry (tenant, ix, arrival, type, source, commitment, leaf_hash)
  SELECT p.tenant, p.ix, p.arrival, s.type, s.source, s.commitment,
         sha256('\x00'::bytea || convert_to(
           E'rescind-entry/v1\n' || p.ix || E'\n' || p.arrival || E'\n' || s.type || E'\n' || s.source || E'\n'
           || encode(s.commitment, 'base64') || E'\n', 'UTF8'))
  FROM placed p JOIN stage s USING (ord)
),
new_payload AS (
  INSERT INTO payload (tenant, ix, mode, salt, attributes, bytes)
  SELECT p.tenant, p.ix, s.mode, s.salt, s.attributes, s.bytes
  FROM placed p JOIN stage s USING (ord)
),
new_dedupe AS (
  INSERT INTO dedupe (tenant, key, ix, hash)
  SELECT p.tenant, s.dedupe_key, p.ix, s.hash
  FROM placed p JOIN stage s USING (ord)
),
new_head AS (
  UPDATE ledger_head h
  SET next_ix = h.next_ix + c.n, last_arrival = c.arrival
  FROM (SELECT tenant, count(*) AS n, max(arrival) AS arrival FROM placed GROUP BY tenant) c
  WHERE h.tenant = c.tenant
)
SELECT NULL::int AS ord, tenant, min(ix) AS ix, min(arrival) AS arrival, NULL::bytea AS hash FROM placed GROUP BY tenant
UNION ALL
SELECT ord, tenant, known_ix, NULL, known_hash FROM seen WHERE known_ix IS NOT NULL

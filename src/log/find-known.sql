-- Finds the entries that have the keys of events, with their payloads. Runs under the locks of the heads, as a statement of its own, so that its
-- snapshot includes what the last lock holder wrote.
-- $1 tenants  $2 keys
SELECT w.nth::int - 1 AS ord, d.ix, d.hash, p.mode, p.attributes, p.bytes
FROM unnest($1::uuid[], $2::bytea[]) WITH ORDINALITY AS w (tenant, key, nth)
-- One index look-up an event, in the one partition that can hold it, whatever the table's size and statistics.
CROSS JOIN LATERAL (SELECT ix, hash FROM dedupe WHERE tenant = w.tenant AND key = w.key LIMIT 1) d
LEFT JOIN LATERAL (SELECT mode, attributes, bytes FROM payload WHERE tenant = w.tenant AND ix = d.ix LIMIT 1) p ON true

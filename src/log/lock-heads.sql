-- Locks heads in tenant order, so that two batches cannot deadlock. The clock is read once the locks are held.
SELECT locked.*, (SELECT up_to FROM ledger_partitions) AS up_to, (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now
FROM (
  SELECT tenant, next_ix, last_arrival FROM ledger_head WHERE tenant = ANY ($1::uuid[]) ORDER BY tenant FOR UPDATE
) locked

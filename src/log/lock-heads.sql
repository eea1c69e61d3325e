-- Locks heads in tenant order, so that two batches cannot deadlock.
SELECT tenant, next_ix, (SELECT up_to FROM ledger_partitions) AS up_to
FROM ledger_head WHERE tenant = ANY ($1::uuid[]) ORDER BY tenant FOR UPDATE OF ledger_head

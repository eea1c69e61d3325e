-- In tenant order, so that two batches cannot wait for each other.
SELECT tenant, next_ix, (SELECT up_to FROM ledger_partitions) AS up_to
FROM ledger_head WHERE tenant = ANY ($1::uuid[]) ORDER BY tenant FOR UPDATE OF ledger_head

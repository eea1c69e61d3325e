-- In tenant order, so that two batches cannot wait for each other.
SELECT tenant FROM ledger_head WHERE tenant = ANY ($1::uuid[]) ORDER BY tenant FOR UPDATE

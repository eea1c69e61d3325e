UPDATE ledger_head h SET next_ix = n.next_ix, last_arrival = n.last_arrival
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS n (tenant, next_ix, last_arrival)
WHERE h.tenant = n.tenant

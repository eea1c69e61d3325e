-- Walks the ledger once, because entries have no index by type. Entries whose payload was erased are left out.
DECLARE entries_of_rules NO SCROLL CURSOR FOR
SELECT e.tenant, e.ix, e.arrival, e.type, e.source, p.mode, p.attributes, p.bytes
FROM entry e JOIN payload p ON p.tenant = e.tenant AND p.ix = e.ix
WHERE e.type = ANY ($1::text[])
ORDER BY e.tenant, e.ix

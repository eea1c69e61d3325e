-- Walks the ledger once: entries have no index by type. Without a payload: erased, and with it what it said.
DECLARE entries_of_rules NO SCROLL CURSOR FOR
SELECT e.tenant, e.ix, e.arrival, e.type, e.source, p.mode, p.attributes, p.bytes
FROM entry e JOIN payload p ON p.tenant = e.tenant AND p.ix = e.ix
WHERE e.type = ANY ($1::text[])
ORDER BY e.tenant, e.ix

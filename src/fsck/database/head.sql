-- Reads the rows of a tenant that move, and the first row of each table that lies beyond them.
-- $1 tenant
SELECT h.next_ix, h.last_arrival, h.next_entity, t.incarnation, t.size, t.root, o.seq AS outbox, c.seq AS control,
       coalesce((SELECT min(ix) FROM entry WHERE tenant = $1 AND ix < 0),
                (SELECT min(ix) FROM entry WHERE tenant = $1 AND ix >= coalesce(h.next_ix, 0))) AS entry_beyond,
       coalesce((SELECT min(ix) FROM payload WHERE tenant = $1 AND ix < 0),
                (SELECT min(ix) FROM payload WHERE tenant = $1 AND ix >= coalesce(h.next_ix, 0))) AS payload_beyond,
       (SELECT min(ix) FROM entry_remainder WHERE tenant = $1 AND (ix < 0 OR ix >= coalesce(h.next_ix, 0))) AS remainder_beyond,
       (SELECT min(r.ix) FROM entry_remainder r
         WHERE r.tenant = $1 AND NOT EXISTS (SELECT FROM erasure e WHERE e.tenant = $1 AND e.id = r.erasure)) AS remainder_of_none,
       (SELECT level || '/' || n FROM tree_tile
         WHERE tenant = $1 AND (level < 0 OR n < 0 OR (n::numeric + 1) * 256::numeric ^ (level + 1) > coalesce(t.size, 0))
         ORDER BY level, n LIMIT 1) AS tile_beyond,
       (SELECT max(id) FROM entity WHERE tenant = $1) AS last_entity,
       (SELECT count(*) FROM dedupe WHERE tenant = $1) AS keys,
       (SELECT count(DISTINCT ix) FROM dedupe WHERE tenant = $1 AND ix >= 0 AND ix < coalesce(h.next_ix, 0)) AS keyed,
       (SELECT count(*) FROM rule_version WHERE tenant = $1 AND nth = 0) AS rules
FROM control_outbox o
CROSS JOIN control_head c
LEFT JOIN ledger_head h ON h.tenant = $1
LEFT JOIN tree_head t ON t.tenant = $1

-- Finds callers that became administrators after the tenant's first one, rules on everything, records of a topic that were lost, ledgers that go on although entries of
-- a signed checkpoint are lost, changes of the key that signs the ledger, and, once the ledger is old enough to know where callers are, callers of Rescind itself in a network in which no other was before.
-- $1 tenant  $2 from  $3 to  $4 days
WITH began AS (SELECT arrival / 1000 AS at FROM entry WHERE tenant = $1 AND ix = 0),
said AS (
  SELECT i.ix, i.type, i.arrival / 1000 AS at, convert_from(p.bytes, 'UTF8')::jsonb -> 'data' AS data
  FROM entry i JOIN payload p ON p.tenant = $1 AND p.ix = i.ix
  WHERE i.tenant = $1 AND i.ix >= $2::bigint AND i.ix < $3::bigint
    AND i.type IN ('dev.rescind.caller.changed.v1', 'dev.rescind.revocation.ordered.v1', 'dev.rescind.log.gap.v1',
                   'dev.rescind.key.used.v1', 'dev.rescind.ledger.continued.v1', 'dev.rescind.log-key.changed.v1')
)
SELECT concat('admin ', data ->> 'id', ' ', ix) AS subject, 1 AS count, at AS first_at, at AS last_at, ARRAY[ix] AS entries,
       jsonb_build_object('how', 'admin', 'caller', data ->> 'id', 'by', data #>> '{author,caller}') AS details
FROM said
WHERE type = 'dev.rescind.caller.changed.v1' AND data ->> 'change' IN ('created', 'updated') AND data #> '{after,roles}' ? 'admin'
  AND data #>> '{author,caller}' NOT IN (data ->> 'id', 'bootstrap')
UNION ALL
SELECT concat('all ', data ->> 'rule'), 1, at, at, ARRAY[ix], jsonb_build_object('how', 'all', 'rule', data ->> 'rule', 'by', data #>> '{author,caller}')
FROM said WHERE type = 'dev.rescind.revocation.ordered.v1' AND data -> 'selector' ? 'all'
UNION ALL
SELECT concat('lost ', data ->> 'topic', ' ', ix), 1, at, at, ARRAY[ix], jsonb_build_object('how', 'lost', 'topic', data ->> 'topic')
FROM said WHERE type = 'dev.rescind.log.gap.v1'
UNION ALL
SELECT concat('anchor ', data ->> 'origin'), 1, at, at, ARRAY[ix],
       jsonb_build_object('how', 'anchor', 'kept', data ->> 'kept', 'signed', data #>> '{last,size}')
FROM said WHERE type = 'dev.rescind.ledger.continued.v1'
UNION ALL
SELECT concat('log-key ', data ->> 'to'), 1, at, at, ARRAY[ix],
       jsonb_build_object('how', 'log-key', 'from', data ->> 'from', 'to', data ->> 'to')
FROM said WHERE type = 'dev.rescind.log-key.changed.v1'
UNION ALL
SELECT concat('key ', data ->> 'caller', ' ', data ->> 'network'), 1, s.at, s.at, ARRAY[ix],
       CASE WHEN data ? 'person' THEN jsonb_build_object('how', 'person', 'caller', data ->> 'caller', 'person', data -> 'person', 'network', data ->> 'network')
            ELSE jsonb_build_object('how', 'key', 'caller', data ->> 'caller', 'key', data ->> 'key', 'network', data ->> 'network') END
FROM said s CROSS JOIN began b
WHERE type = 'dev.rescind.key.used.v1' AND NOT (data -> 'first')::boolean AND NOT (data -> 'shared')::boolean AND s.at - b.at >= $4::int * 86400

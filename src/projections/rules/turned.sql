-- Joins to a rule `r` that an event ordered: `o`, the event, and `e`, the newer enabling of the same source that ended the block, if any.
LEFT JOIN LATERAL (
  SELECT e.* FROM rule_event e
  WHERE r.cause IS NOT NULL AND e.tenant = r.tenant AND e.keys = r.keys AND e.event_id = r.cause ->> 'id' AND NOT e.enables AND e.ix < {index}
  ORDER BY e.at_ms DESC LIMIT 1
) o ON true
LEFT JOIN LATERAL (
  SELECT e.* FROM rule_event e
  WHERE r.effect = 'block' AND e.tenant = r.tenant AND e.keys = r.keys AND e.source = o.source AND e.subject IS NOT DISTINCT FROM o.subject
    AND e.enables AND e.at_ms > o.at_ms AND e.ix < {index}
  ORDER BY e.ix LIMIT 1
) e ON true

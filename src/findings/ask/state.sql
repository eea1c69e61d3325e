-- The state of each finding `f`, in `s`: what a person said last, as long as it counts. `why` says where the state comes from: `ended`, the cause has ended;
-- `wide`, its kind is muted for its names. {at} is the moment, epoch seconds. What a person had seen is below `read_ix`.
-- {known}: only changes that the ledger tells before a moment.
LEFT JOIN LATERAL (
  SELECT c.state, c.until_at, c.read_ix, c.at_ms, c.said
  FROM finding_change c
  WHERE c.tenant = $1 AND c.finding = f.id AND NOT c.wide{known}
  ORDER BY c.nth DESC
  LIMIT 1
) own ON true
LEFT JOIN LATERAL (
  SELECT m.until_at, m.at_ms, m.said
  FROM muted m
  WHERE m.kind = f.kind AND m.until_at > {at} AND (m.usr IS NULL OR m.usr = f.usr) AND (m.client IS NULL OR m.client = f.client)
    AND (m.agent IS NULL OR m.agent = f.agent) AND (m.res IS NULL OR m.res = f.res) AND (m.source IS NULL OR m.source = f.source)
  ORDER BY m.until_at DESC
  LIMIT 1
) wide ON true
CROSS JOIN LATERAL (
  SELECT CASE
    WHEN own.state = 'false-alarm' AND (own.until_at > {at} OR f.grown_ix < own.read_ix) THEN 'false-alarm'
    WHEN own.state = 'resolved' AND f.grown_ix < own.read_ix THEN 'resolved'
    WHEN f.closed_ms IS NOT NULL THEN 'ended'
    WHEN own.state = 'acknowledged' AND f.opened_ix < own.read_ix THEN 'acknowledged'
    WHEN own.state = 'muted' AND own.until_at > {at} THEN 'muted'
    WHEN wide.until_at IS NOT NULL THEN 'wide'
    ELSE 'open'
  END AS why
) w
CROSS JOIN LATERAL (
  SELECT CASE w.why WHEN 'ended' THEN 'resolved' WHEN 'wide' THEN 'muted' ELSE w.why END AS state,
         CASE w.why WHEN 'wide' THEN wide.said WHEN own.state THEN own.said END AS said,
         CASE w.why WHEN 'wide' THEN wide.at_ms WHEN own.state THEN own.at_ms END AS at_ms
) s

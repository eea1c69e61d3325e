-- Reads presentations of ID-JAGs that were refused: those of the step, and those of at most an hour around a token of the step, which may be of the same
-- ID-JAG and arrived after the refusal. `is_said`: the refusal itself calls it a replay.
-- $1 tenant  $2 from  $3 to
WITH refused AS (
  SELECT i.ix FROM entry i WHERE i.tenant = $1 AND i.ix >= $2::bigint AND i.ix < $3::bigint AND i.type = 'dev.rescind.token.denied.v1'
  UNION
  SELECT s.ix
  FROM token t
  JOIN said s ON s.tenant = $1 AND s.entity = t.client AND s.at_ms > (t.iat - 60) * 1000 AND s.at_ms < (t.iat + 3600) * 1000
  WHERE t.tenant = $1 AND t.ix >= $2::bigint AND t.ix < $3::bigint AND t.id_jag_key IS NOT NULL AND s.name = 'token.denied' AND s.ix < $2::bigint
)
SELECT r.ix, i.source, d.data #>> '{id_jag,iss}' AS iss, d.data #>> '{id_jag,jti}' AS jti, d.data #>> '{id_jag,sha256}' AS sha256,
       coalesce((SELECT s.at_ms / 1000 FROM said s WHERE s.tenant = $1 AND s.ix = r.ix LIMIT 1), i.arrival / 1000) AS at, r.ix >= $2::bigint AS is_new,
       concat_ws(' ', d.data ->> 'error', d.data ->> 'reason') ~* 'replay|already|re-?us|twice|second time|(presented|used|seen|redeemed|consumed|traded) (before|earlier|once)' AS is_said
FROM refused r
JOIN entry i ON i.tenant = $1 AND i.ix = r.ix
JOIN payload p ON p.tenant = $1 AND p.ix = r.ix
CROSS JOIN LATERAL (SELECT coalesce(x.event -> 'data', x.event) AS data FROM (SELECT convert_from(p.bytes, 'UTF8')::jsonb AS event) x) d

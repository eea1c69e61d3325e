-- Finds the newest entry before an index in which Rescind says that a source has a key. Finds none whose payload was erased.
-- $1 tenant  $2 index  $3 id of the source  $4 JSON: an array of one object with the key's `kid`
WITH changed AS MATERIALIZED (
  SELECT e.ix, e.arrival, e.type, e.source, e.commitment, p.mode, p.salt, p.attributes, p.bytes
  FROM entry e
  JOIN payload p ON p.tenant = $1 AND p.ix = e.ix
  WHERE e.tenant = $1 AND e.source = $1 AND e.type = 'dev.rescind.source.changed.v1' AND e.ix < $2
)
SELECT ix, arrival, type, source, commitment, mode, salt, attributes, bytes
FROM changed, convert_from(bytes, 'UTF8') AS said (text)
WHERE text::jsonb #>> '{data,id}' = $3 AND text::jsonb #> '{data,after,jwks,keys}' @> $4::jsonb
ORDER BY ix DESC
LIMIT 1

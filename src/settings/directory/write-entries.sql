-- Creates and changes entries of the directory. An entry that says the same as the stored one stays as it is. Takes rows
-- in the order of the list. Returns a row for each entry written.
-- $1 tenant  $2 entries, a JSON list; keys in base64
INSERT INTO directory (tenant, kind, key, parts, {said}, updated_at, updated_by)
SELECT $1::uuid, g.kind, decode(g.key, 'base64'), g.parts, {given}, g.updated_at, g.updated_by
FROM json_to_recordset($2::json) AS g (
  kind smallint, key text, parts jsonb, display_name text, user_name text, emails text[], active boolean, owner text, team text,
  updated_at bigint, updated_by text)
-- OFFSET 0 has each entry looked up by its key. As a join, each statement would read the whole directory.
WHERE NOT EXISTS (
  SELECT FROM directory d
  WHERE d.tenant = $1 AND d.kind = g.kind AND d.key = decode(g.key, 'base64') AND ({stored}) IS NOT DISTINCT FROM ({given})
  OFFSET 0)
ON CONFLICT (tenant, kind, key) DO UPDATE
SET ({said}, updated_at, updated_by) = ({excluded}, excluded.updated_at, excluded.updated_by)
RETURNING xmax = 0 AS created

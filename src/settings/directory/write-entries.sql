-- Creates and changes entries of the directory. An entry that says the same as the stored one stays as it is. Takes rows
-- in the order of the list. Tags that are not given stay. Returns a row for each entry written.
-- $1 tenant  $2 entries, a JSON list; keys in base64
INSERT INTO directory (tenant, kind, key, parts, {said}, updated_at, updated_by)
SELECT $1::uuid, g.kind, g.key, g.parts, {given}, g.updated_at, g.updated_by
FROM (
  SELECT r.kind, k.key, r.parts, r.display_name, r.user_name, r.emails, r.active, r.owner, r.team, r.updated_at, r.updated_by,
         coalesce(r.tags, (SELECT d.tags FROM directory d WHERE d.tenant = $1 AND d.kind = r.kind AND d.key = k.key), '{}') AS tags
  FROM json_to_recordset($2::json) AS r (
    kind smallint, key text, parts jsonb, display_name text, user_name text, emails text[], active boolean, owner text, team text, tags text[],
    updated_at bigint, updated_by text)
  CROSS JOIN LATERAL decode(r.key, 'base64') AS k (key)
) g
-- OFFSET 0 has each entry looked up by its key. As a join, each statement would read the whole directory.
WHERE NOT EXISTS (
  SELECT FROM directory d
  WHERE d.tenant = $1 AND d.kind = g.kind AND d.key = g.key AND ({stored}) IS NOT DISTINCT FROM ({given})
  OFFSET 0)
ON CONFLICT (tenant, kind, key) DO UPDATE
SET ({said}, updated_at, updated_by) = ({excluded}, excluded.updated_at, excluded.updated_by)
RETURNING xmax = 0 AS created

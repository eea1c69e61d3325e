-- Creates or replaces entries as a whole; an unchanged entry is not written.
-- $1 tenant  $2 entries  $3 when  $4 by whom
WITH given AS (
  SELECT kind, decode(key, 'base64') AS key, parts, display_name, user_name, emails, active, owner, team
  FROM jsonb_to_recordset($2::jsonb)
    AS w (kind smallint, key text, parts jsonb, display_name text, user_name text, emails text[], active boolean, owner text, team text)
),
known AS (
  SELECT count(*) AS n FROM given g JOIN directory d ON d.tenant = $1 AND d.kind = g.kind AND d.key = g.key
),
written AS (
  INSERT INTO directory AS d (tenant, kind, key, parts, display_name, user_name, emails, active, owner, team, updated_at, updated_by)
  SELECT $1, kind, key, parts, display_name, user_name, emails, active, owner, team, $3, $4 FROM given
  ON CONFLICT (tenant, kind, key) DO UPDATE
  SET display_name = excluded.display_name, user_name = excluded.user_name, emails = excluded.emails, active = excluded.active,
      owner = excluded.owner, team = excluded.team, updated_at = excluded.updated_at, updated_by = excluded.updated_by
  WHERE (d.display_name, d.user_name, d.emails, d.active, d.owner, d.team)
        IS DISTINCT FROM (excluded.display_name, excluded.user_name, excluded.emails, excluded.active, excluded.owner, excluded.team)
  RETURNING 1
)
SELECT (SELECT count(*) FROM given) AS entries, (SELECT n FROM known) AS known, (SELECT count(*) FROM written) AS written

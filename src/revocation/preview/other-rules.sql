-- Finds rules that may stop a part of a selection, newest first: rules that name all its members and more, and rules on another name of its
-- user or client. The caller, which holds the rules, decides whether they are in force and whether they stop all or a part.
-- $1 tenant  $2 keys that a rule has all of  $3 issuer that one of its other members may name instead, or null  $4 that issuer's key
-- $5 key of the user or client whose other names count, or null  $6 rules looked at  $7 rules found
WITH named AS MATERIALIZED (
  SELECT r.rule, r.from_ix, r.keys, r.selector FROM rule_version r
  WHERE r.tenant = $1 AND r.lifted_ix IS NULL AND r.keys @> $2::bytea[]
  ORDER BY r.from_ix DESC LIMIT $6
),
other_name (key) AS MATERIALIZED (
  SELECT o.key FROM entity e JOIN alias a ON a.tenant = $1 AND a.local = e.id JOIN entity o ON o.tenant = $1 AND o.id = a.idp
  WHERE e.tenant = $1 AND e.kind IN (1, 2) AND e.key = $5::bytea
  UNION
  SELECT o.key FROM entity e JOIN alias a ON a.tenant = $1 AND a.idp = e.id JOIN entity o ON o.tenant = $1 AND o.id = a.local
  WHERE e.tenant = $1 AND e.kind IN (1, 2) AND e.key = $5
),
found AS (
  SELECT n.rule, n.from_ix, false AS by_other_name FROM named n
  WHERE $3::text IS NULL OR $4::bytea = ANY (n.keys) OR jsonb_path_exists(n.selector, '$.*.iss ? (@ == $iss)', jsonb_build_object('iss', $3))
  UNION
  SELECT r.rule, r.from_ix, true FROM rule_version r
  WHERE r.tenant = $1 AND r.lifted_ix IS NULL AND $5 IS NOT NULL AND r.keys && ARRAY(SELECT key FROM other_name)
)
SELECT
  (SELECT count(*) FROM named) = $6 OR (SELECT count(*) FROM found) > $7 AS cut_off,
  coalesce((SELECT jsonb_agg(jsonb_build_array(f.rule, f.by_other_name)) FROM (SELECT * FROM found ORDER BY from_ix DESC LIMIT $7) f), '[]') AS found

-- Selects what has one of the tags {tags}, with the tag: by its own entry of the directory, by that of its team, or by that of the user who owns it,
-- found by an email or the user name. A user or client also has the tags of the IdP's names that grants state with it.
-- $1 tenant
WITH listed AS (
  SELECT d.kind, d.key, d.tags FROM directory d WHERE d.tenant = $1 AND d.tags && {tags}
  UNION ALL
  SELECT d.kind, d.key, t.tags FROM directory t JOIN directory d ON d.tenant = $1 AND d.team = t.parts ->> 0
  WHERE t.tenant = $1 AND t.kind = 100 AND t.tags && {tags}
  UNION ALL
  SELECT d.kind, d.key, o.tags FROM directory o
  CROSS JOIN LATERAL unnest(o.emails || lower(o.user_name)) AS n (name)
  JOIN directory d ON d.tenant = $1 AND lower(d.owner) = n.name
  WHERE o.tenant = $1 AND o.kind = 1 AND o.tags && {tags}
)
SELECT DISTINCT n.id, e.kind, g.tag
FROM listed l
CROSS JOIN LATERAL unnest(l.tags) AS g (tag)
JOIN entity e ON e.tenant = $1 AND e.kind = l.kind AND e.key = l.key
CROSS JOIN LATERAL (SELECT e.id UNION ALL SELECT a.local FROM alias a WHERE a.tenant = $1 AND a.idp = e.id) n
WHERE g.tag = ANY ({tags})

-- Standing rights and connections that a rule on who and what they are for would reach.
-- What stands in braces is made of the selector by preview-text.ts.
-- $1 tenant  $2 grants at most  $3 and on: what the selector names
WITH standing AS MATERIALIZED (
  SELECT g.usr, g.client, g.res FROM grant_version g
  WHERE g.tenant = $1 AND g.to_ix IS NULL{grants}
  LIMIT $2
)
SELECT
  (SELECT count(*) FROM standing) AS grants,
  (SELECT count(DISTINCT usr) FROM standing) AS users,
  (SELECT count(*) FROM connection_version c WHERE c.tenant = $1 AND c.to_ix IS NULL AND c.state <> 0{connections}) AS connections

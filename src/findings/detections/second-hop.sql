-- Finds uses of a token that another token was exchanged for, at a resource where their user had been on no earlier day and, that day, in no other way.
-- Uses before are those that came before. A client that brought $5 others so to any resource goes that way always. A ledger younger than $6 seconds
-- cannot know.
-- $1 tenant  $2 from  $3 to  $4 time to look back to  $5 users  $6 seconds  $7, $8 second hops of the step: tokens, and clients at the IdP
WITH fresh AS MATERIALIZED (
{fresh}
),
hop AS MATERIALIZED (
  SELECT * FROM unnest($7::bytea[], $8::int[]) AS h (tok, idp_client)
),
late AS MATERIALIZED (
{late_hops}
),
-- IN makes a hash of the hops; a join would compare each use with each.
used AS MATERIALIZED (
  SELECT f.usr, f.client, f.res, f.agent, f.tok, f.n, f.at, f.until_at, f.ix, greatest(f.ix, f.bound_ix) AS known_ix, (f.at / 86400)::int AS day,
         f.tok IN (SELECT tok FROM hop) AS hop
  FROM fresh f
  WHERE f.outcome = 1 AND f.usr IS NOT NULL AND f.client IS NOT NULL AND f.res IS NOT NULL
),
hopped AS MATERIALIZED (
  SELECT u.*, h.idp_client FROM used u JOIN hop h ON h.tok = u.tok WHERE u.hop AND cardinality($7::bytea[]) > 0
  UNION ALL
  SELECT usr, client, res, agent, tok, n, at, until_at, ix, greatest(ix, bound_ix), (at / 86400)::int, true, idp_client FROM late
),
strange AS MATERIALIZED (
  SELECT h.* FROM hopped h
  WHERE (SELECT arrival / 1000 FROM entry WHERE tenant = $1 AND ix = 0) < h.at - $6::bigint
    AND NOT EXISTS (SELECT FROM finding_day d WHERE d.tenant = $1 AND d.usr = h.usr AND d.res = h.res AND d.allowed > 0
                    AND NOT (d.day = h.day AND d.client = h.client AND (d.hops = d.allowed OR h.known_ix < $2::bigint)))
    AND NOT EXISTS (SELECT FROM used u WHERE u.usr = h.usr AND u.res = h.res AND u.known_ix < h.known_ix AND NOT (u.day = h.day AND u.client = h.client AND u.hop))
),
-- Users whom a client brought where they had not been, as far as the step's beginning.
brought AS (
  SELECT c.idp_client, d.usr
  FROM (
    SELECT DISTINCT s.idp_client, n.id FROM strange s
    CROSS JOIN LATERAL (SELECT s.client AS id UNION SELECT a.local FROM alias a WHERE a.tenant = $1 AND a.idp = s.idp_client) n
  ) c
  JOIN finding_day d ON d.tenant = $1 AND d.client = c.id AND d.hops > 0
  WHERE NOT EXISTS (SELECT FROM finding_day o WHERE o.tenant = $1 AND o.usr = d.usr AND o.res = d.res AND o.day <= d.day AND o.allowed > o.hops)
)
SELECT concat_ws(' ', s.usr, s.client, s.res) AS subject, s.usr, s.client, s.agent, s.res, encode(s.tok, 'hex') AS tok, s.n AS count, s.at AS first_at, s.until_at AS last_at,
       ARRAY[s.ix] AS entries, '{}'::jsonb AS details
FROM strange s
WHERE (
  SELECT count(*) FROM (
    SELECT b.usr FROM brought b WHERE b.idp_client IS NOT DISTINCT FROM s.idp_client AND b.usr <> s.usr
    UNION SELECT o.usr FROM strange o WHERE o.idp_client IS NOT DISTINCT FROM s.idp_client AND o.usr <> s.usr AND o.known_ix < s.known_ix
    LIMIT $5::int
  ) o
) < $5::int
ORDER BY s.known_ix, s.ix

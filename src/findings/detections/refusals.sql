-- Finds bursts of refusals of a user through a client: many in a window, more than were allowed, and far more than on any earlier day; or refusals at many
-- resources within an hour. A client counts by its name at the IdP, whatever its names at the resources. An IdP that refuses an ID-JAG and an authorization
-- server that refuses a token count too. A summary of equal calls counts as three at most towards a burst. Uses of unknown lineage count by their token.
-- Each refusal is judged by what was known with it, so that the steps do not matter. The finding begins with the hour before the refusal that makes it,
-- and each later refusal of the day adds to it.
-- $1 tenant  $2 from  $3 to  $4 refusals in a window  $5 window, seconds  $6 resources in an hour  $7 time to look back to  $8 days after which a ledger knows
-- what is usual
WITH fresh AS (
{fresh}
),
began AS (SELECT arrival / 1000 AS at FROM entry WHERE tenant = $1 AND ix = 0),
-- A statement has a row for each entity that it names: that of its user stands for all. Its further name of the client is the one at the IdP.
told AS MATERIALIZED (
  SELECT s.ix, s.at_ms / 1000 AS at, s.usr, coalesce(o.entity, s.client) AS client, s.agent, s.res[1] AS res
  FROM said s
  LEFT JOIN LATERAL (
    SELECT o.entity FROM said o
    WHERE o.tenant = $1 AND o.ix = s.ix AND o.entity <> s.usr AND o.entity IS DISTINCT FROM s.client AND o.entity IS DISTINCT FROM s.agent AND NOT o.entity = ANY (s.res) LIMIT 1
  ) o ON true
  WHERE s.tenant = $1 AND s.ix >= $2::bigint AND s.ix < $3::bigint AND s.entity = s.usr AND s.name IN ('id-jag.denied', 'token.denied')
),
refused AS MATERIALIZED (
  SELECT f.ix, greatest(f.ix, f.bound_ix) AS known_ix, f.at, f.usr, f.client, f.agent, f.res, f.n, CASE WHEN f.usr IS NULL THEN f.tok END AS by_tok
  FROM fresh f WHERE f.outcome = 2
  UNION ALL
  SELECT ix, ix, at, usr, client, agent, res, 1, NULL FROM told
),
-- A client by its name at the IdP.
called AS MATERIALIZED (
  SELECT c.client, coalesce((SELECT a.idp FROM alias a WHERE a.tenant = $1 AND a.local = c.client ORDER BY a.from_ix LIMIT 1), c.client) AS named
  FROM (SELECT DISTINCT client FROM refused WHERE client IS NOT NULL) c
),
mine AS MATERIALIZED (
  SELECT r.*, c.named, (r.at / 86400)::int AS day, concat_ws(' ', coalesce(r.usr::text, encode(r.by_tok, 'hex')), c.named, r.at / 86400) AS subject
  FROM refused r LEFT JOIN called c ON c.client = r.client
),
names AS MATERIALIZED (
  SELECT c.named, c.named AS local FROM called c
  UNION
  SELECT c.named, a.local FROM called c JOIN alias a ON a.tenant = $1 AND a.idp = c.named
),
-- The days on which a user and a client, or a token, was refused, and those that have their finding already.
pair AS MATERIALIZED (
  SELECT m.*, EXISTS (SELECT FROM finding f WHERE f.tenant = $1 AND f.kind = 'refusals' AND f.subject = m.subject) AS is_found
  FROM (SELECT DISTINCT subject, usr, named, by_tok, day FROM mine) m
),
-- Usual numbers of the days before: refusals a day, and resources a day.
usual AS MATERIALIZED (
  SELECT p.*, coalesce(d.denied, 0) AS usual, coalesce(d.resources, 0) AS usual_resources
  FROM pair p
  CROSS JOIN LATERAL (
    SELECT max(y.denied) AS denied, max(y.resources) AS resources
    FROM (
      SELECT x.day, sum(x.denied) AS denied, count(DISTINCT x.res) AS resources
      FROM (
        SELECT d.day, d.res, d.denied FROM finding_day d
        WHERE d.tenant = $1 AND d.usr = p.usr AND d.day < p.day AND d.day >= p.day - 21 AND d.denied > 0 AND d.client IN (SELECT n.local FROM names n WHERE n.named = p.named)
        UNION ALL
        SELECT s.* FROM (
          SELECT (s.at_ms / 86400000)::int, s.res[1], 1 FROM said s
          WHERE s.tenant = $1 AND s.entity = p.usr AND s.at_ms >= (p.day - 21) * 86400000::bigint AND s.at_ms < p.day * 86400000::bigint AND s.ix < $3::bigint
            AND s.name IN ('id-jag.denied', 'token.denied')
          ORDER BY s.at_ms DESC LIMIT 2000
        ) s
      ) x (day, res, denied)
      GROUP BY x.day
    ) y
  ) d
  WHERE NOT p.is_found
),
-- The first refusal that makes a finding, with the hour before it.
founding AS MATERIALIZED (
  SELECT u.subject, u.usual, b.*
  FROM usual u
  CROSS JOIN LATERAL (
    SELECT m.known_ix, m.at AS last_at, w.*
    FROM (SELECT m.* FROM mine m CROSS JOIN began b WHERE m.subject = u.subject AND m.at - b.at >= $8::int * 86400 ORDER BY m.known_ix, m.at OFFSET 0) m
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(least(x.n, 3)) FILTER (WHERE x.outcome = 2 AND x.at >= m.at - $5::bigint), 0) AS burst,
             coalesce(sum(least(x.n, 3)) FILTER (WHERE x.outcome = 1 AND x.at >= m.at - $5::bigint), 0) AS allowed,
             count(DISTINCT x.res) FILTER (WHERE x.outcome = 2) AS resources, sum(x.n) FILTER (WHERE x.outcome = 2) AS n,
             min(x.at) FILTER (WHERE x.outcome = 2) AS first_at, min(x.client) FILTER (WHERE x.outcome = 2) AS client,
             min(x.agent) FILTER (WHERE x.outcome = 2) AS agent, min(x.res) FILTER (WHERE x.outcome = 2) AS res,
             array_agg(x.ix) FILTER (WHERE x.outcome = 2) AS entries
      FROM (
        SELECT * FROM (
          SELECT a.ix, a.at, a.n, a.outcome, a.client, a.agent, a.res FROM access a
          WHERE a.tenant = $1 AND a.usr = m.usr AND (a.usr, a.at) > (m.usr, greatest(m.at - 3600, $7::bigint)) AND (a.usr, a.at) <= (m.usr, m.at)
            AND greatest(a.ix, a.bound_ix) <= m.known_ix AND a.foreign_ix IS NULL
          ORDER BY a.at DESC LIMIT 2000
        ) a
        WHERE a.client IN (SELECT n.local FROM names n WHERE n.named = m.named)
        UNION ALL
        SELECT * FROM (
          SELECT a.ix, a.at, a.n, a.outcome, a.client, a.agent, a.res FROM access a
          WHERE a.tenant = $1 AND a.tok = m.by_tok AND (a.tok, a.at) > (m.by_tok, greatest(m.at - 3600, $7::bigint)) AND (a.tok, a.at) <= (m.by_tok, m.at)
            AND a.ix <= m.known_ix AND a.foreign_ix IS NULL
          ORDER BY a.at DESC LIMIT 2000
        ) a
        UNION ALL
        SELECT * FROM (
          SELECT s.ix, s.at_ms / 1000, 1, 2::smallint, s.client, s.agent, s.res[1] FROM said s
          WHERE s.tenant = $1 AND s.entity = m.usr AND s.at_ms > (m.at - 3600) * 1000 AND s.at_ms < (m.at + 1) * 1000 AND s.ix <= m.known_ix AND s.name IN ('id-jag.denied', 'token.denied')
            AND (s.client IN (SELECT n.local FROM names n WHERE n.named = m.named) OR EXISTS (SELECT FROM said o WHERE o.tenant = $1 AND o.ix = s.ix AND o.entity = m.named))
          ORDER BY s.at_ms DESC LIMIT 2000
        ) s
      ) x (ix, at, n, outcome, client, agent, res)
    ) w
    WHERE (w.burst >= $4::int AND w.burst > w.allowed AND w.burst >= 3 * u.usual) OR (w.resources >= $6::int AND w.resources >= 2 * u.usual_resources)
    LIMIT 1
  ) b
)
SELECT p.subject, p.usr, CASE WHEN b.resources > 1 THEN p.named ELSE b.client END AS client, b.agent, b.res, encode(p.by_tok, 'hex') AS tok,
       coalesce(b.n, 0) + coalesce(l.n, 0) AS count, least(b.first_at, l.first_at) AS first_at, greatest(b.last_at, l.last_at) AS last_at,
       ARRAY(SELECT x FROM unnest(b.entries || l.entries) AS x ORDER BY x LIMIT 20) AS entries,
       jsonb_build_object('resources', r.resources) || CASE WHEN p.is_found THEN '{}' ELSE jsonb_build_object('usual', b.usual) END AS details
FROM pair p
LEFT JOIN founding b ON b.subject = p.subject
-- Further refusals of the same day.
CROSS JOIN LATERAL (
  SELECT sum(m.n) AS n, min(m.at) AS first_at, max(m.at) AS last_at, array_agg(m.ix) AS entries
  FROM mine m WHERE m.subject = p.subject AND (p.is_found OR m.known_ix > b.known_ix)
) l
CROSS JOIN LATERAL (
  SELECT count(DISTINCT x.res) AS resources
  FROM (
    SELECT m.res FROM mine m WHERE m.subject = p.subject
    UNION ALL
    SELECT d.res FROM finding_day d
    WHERE d.tenant = $1 AND d.usr = p.usr AND d.day = p.day AND d.denied > 0 AND d.client IN (SELECT n.local FROM names n WHERE n.named = p.named)
    UNION ALL
    SELECT s.res[1] FROM said s
    WHERE s.tenant = $1 AND s.entity = p.usr AND s.at_ms >= p.day * 86400000::bigint AND s.at_ms < (p.day + 1) * 86400000::bigint AND s.ix < $3::bigint
      AND s.name IN ('id-jag.denied', 'token.denied')
      AND (s.client IN (SELECT n.local FROM names n WHERE n.named = p.named) OR EXISTS (SELECT FROM said o WHERE o.tenant = $1 AND o.ix = s.ix AND o.entity = p.named))
  ) x
) r
WHERE p.is_found OR b.subject IS NOT NULL

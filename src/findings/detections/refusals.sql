-- Finds bursts of refusals of a user through a client: many in a window, more than were allowed, and far more than on any earlier day; or refusals at many
-- resources within an hour. A client counts by its name at the IdP, whatever its names at the resources. An IdP that refuses an ID-JAG and an authorization
-- server that refuses a token count too. A summary of equal calls counts as three at most. Uses of unknown lineage count by their token.
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
  SELECT f.ix, f.at, f.usr, f.client, f.agent, f.res, f.n, CASE WHEN f.usr IS NULL THEN f.tok END AS by_tok FROM fresh f WHERE f.outcome = 2
  UNION ALL
  SELECT ix, at, usr, client, agent, res, 1, NULL FROM told
),
-- A client by its name at the IdP.
called AS MATERIALIZED (
  SELECT c.client, coalesce((SELECT a.idp FROM alias a WHERE a.tenant = $1 AND a.local = c.client ORDER BY a.from_ix LIMIT 1), c.client) AS named
  FROM (SELECT DISTINCT client FROM refused WHERE client IS NOT NULL) c
),
mine AS MATERIALIZED (
  SELECT r.*, c.named FROM refused r LEFT JOIN called c ON c.client = r.client
),
who AS MATERIALIZED (
  SELECT usr, named, by_tok, min(at) AS least, max(at) AS most FROM mine GROUP BY 1, 2, 3
),
names AS MATERIALIZED (
  SELECT w.named, w.named AS local FROM who w WHERE w.named IS NOT NULL
  UNION
  SELECT w.named, a.local FROM who w JOIN alias a ON a.tenant = $1 AND a.idp = w.named
),
-- Rows are compared whole, so that no index by time alone is chosen.
around AS MATERIALIZED (
  SELECT w.usr, w.named, w.by_tok, u.*
  FROM who w
  CROSS JOIN LATERAL (
    SELECT a.at, least(a.n, 3) AS n, a.outcome, a.res, a.client FROM access a
    WHERE a.tenant = $1 AND a.usr = w.usr AND (a.usr, a.at) > (w.usr, greatest(w.least - 3600, $7::bigint)) AND (a.usr, a.at) <= (w.usr, w.most) AND a.ix < $3::bigint
      AND a.foreign_ix IS NULL
    ORDER BY a.at DESC LIMIT 2000
  ) u
  WHERE w.by_tok IS NULL AND u.client IN (SELECT n.local FROM names n WHERE n.named = w.named)
  UNION ALL
  SELECT w.usr, w.named, w.by_tok, u.*
  FROM who w
  CROSS JOIN LATERAL (
    SELECT a.at, least(a.n, 3) AS n, a.outcome, a.res, a.client FROM access a
    WHERE a.tenant = $1 AND a.tok = w.by_tok AND (a.tok, a.at) > (w.by_tok, greatest(w.least - 3600, $7::bigint)) AND (a.tok, a.at) <= (w.by_tok, w.most) AND a.ix < $3::bigint
      AND a.foreign_ix IS NULL
    ORDER BY a.at DESC LIMIT 2000
  ) u
  WHERE w.by_tok IS NOT NULL
  UNION ALL
  SELECT w.usr, w.named, w.by_tok, u.*
  FROM who w
  CROSS JOIN LATERAL (
    SELECT s.at_ms / 1000, 1, 2::smallint, s.res[1], s.client FROM said s
    WHERE s.tenant = $1 AND s.entity = w.usr AND s.at_ms > (w.least - 3600) * 1000 AND s.at_ms < (w.most + 1) * 1000 AND s.ix < $3::bigint AND s.name IN ('id-jag.denied', 'token.denied')
      AND (s.client IN (SELECT n.local FROM names n WHERE n.named = w.named) OR EXISTS (SELECT FROM said o WHERE o.tenant = $1 AND o.ix = s.ix AND o.entity = w.named))
    ORDER BY s.at_ms DESC LIMIT 2000
  ) u
),
counted AS MATERIALIZED (
  SELECT a.*, sum(n) FILTER (WHERE outcome = 2) OVER within AS refused, coalesce(sum(n) FILTER (WHERE outcome = 1) OVER within, 0) AS allowed
  FROM around a
  WINDOW within AS (PARTITION BY usr, named, by_tok ORDER BY at RANGE BETWEEN $5::bigint PRECEDING AND CURRENT ROW)
),
judged AS (
  SELECT usr, named, by_tok, (max(at) / 86400)::int AS day, max(refused) FILTER (WHERE refused > allowed) AS burst,
         count(DISTINCT res) FILTER (WHERE outcome = 2) AS resources
  FROM counted GROUP BY usr, named, by_tok
),
likely AS MATERIALIZED (
  SELECT * FROM judged WHERE burst >= $4::int OR resources >= $6::int
),
-- Usual numbers of the days before: refusals a day, and resources a day.
usual AS MATERIALIZED (
  SELECT j.*, coalesce(p.denied, 0) AS usual, coalesce(p.resources, 0) AS usual_resources
  FROM likely j
  CROSS JOIN LATERAL (
    SELECT max(y.denied) AS denied, max(y.resources) AS resources
    FROM (
      SELECT x.day, sum(x.denied) AS denied, count(DISTINCT x.res) AS resources
      FROM (
        SELECT d.day, d.res, d.denied FROM finding_day d
        WHERE d.tenant = $1 AND d.usr = j.usr AND d.day < j.day AND d.day >= j.day - 21 AND d.denied > 0 AND d.client IN (SELECT n.local FROM names n WHERE n.named = j.named)
        UNION ALL
        SELECT s.* FROM (
          SELECT (s.at_ms / 86400000)::int, s.res[1], 1 FROM said s
          WHERE s.tenant = $1 AND s.entity = j.usr AND s.at_ms >= (j.day - 21) * 86400000::bigint AND s.at_ms < j.day * 86400000::bigint AND s.ix < $3::bigint
            AND s.name IN ('id-jag.denied', 'token.denied')
          ORDER BY s.at_ms DESC LIMIT 2000
        ) s
      ) x (day, res, denied)
      GROUP BY x.day
    ) y
  ) p
)
SELECT concat_ws(' ', coalesce(u.usr::text, encode(u.by_tok, 'hex')), u.named, u.day) AS subject, u.usr,
       CASE WHEN u.resources > 1 THEN u.named ELSE min(m.client) END AS client, min(m.agent) AS agent, min(m.res) AS res,
       encode(u.by_tok, 'hex') AS tok, sum(m.n) AS count, min(m.at) AS first_at, max(m.at) AS last_at, (array_agg(m.ix ORDER BY m.at, m.ix))[1:20] AS entries,
       jsonb_build_object('burst', coalesce(u.burst, 0), 'resources', u.resources, 'usual', u.usual) AS details
FROM usual u
CROSS JOIN began b
JOIN mine m ON m.usr IS NOT DISTINCT FROM u.usr AND m.named IS NOT DISTINCT FROM u.named AND m.by_tok IS NOT DISTINCT FROM u.by_tok
WHERE ((u.burst >= $4::int AND u.burst >= 3 * u.usual) OR (u.resources >= $6::int AND u.resources >= 2 * u.usual_resources)) AND m.at - b.at >= $8::int * 86400
GROUP BY u.usr, u.named, u.by_tok, u.day, u.burst, u.resources, u.usual

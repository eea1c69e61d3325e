-- Finds days on which a user, client and resource read far more records than on their own earlier days; if they have no two of those, than others
-- read of the resource a day. `finding_day` does not have the step yet.
-- $1 tenant  $2 from  $3 to  $4 least records  $5 times the usual  $6 days
WITH fresh AS MATERIALIZED (
{fresh}
),
read AS MATERIALIZED (
  SELECT client, res, usr, (at / 86400)::int AS day, sum(records) AS records, sum(n) AS n, min(agent) AS agent, min(at) AS first_at, max(until_at) AS last_at,
         (array_agg(ix ORDER BY records DESC, ix))[1:20] AS entries
  FROM fresh
  WHERE outcome = 1 AND records > 0 AND client IS NOT NULL AND res IS NOT NULL AND usr IS NOT NULL
  GROUP BY client, res, usr, (at / 86400)::int
),
large AS MATERIALIZED (
  SELECT r.*, r.records + coalesce(d.records, 0) AS total
  FROM read r
  LEFT JOIN finding_day d ON d.tenant = $1 AND d.client = r.client AND d.res = r.res AND d.usr = r.usr AND d.day = r.day
  WHERE r.records + coalesce(d.records, 0) >= $4::bigint
),
compared AS (
  SELECT l.*, own.days, own.most, CASE WHEN own.days >= 2 THEN own.most ELSE greatest(own.most, others.usual) END AS usual
  FROM large l
  CROSS JOIN LATERAL (
    SELECT count(*) AS days, coalesce(max(d.records), 0) AS most FROM finding_day d
    WHERE d.tenant = $1 AND d.usr = l.usr AND d.res = l.res AND d.client = l.client AND d.day < l.day AND d.day >= l.day - $6::int
  ) own
  CROSS JOIN LATERAL (
    SELECT coalesce(percentile_disc(0.95) WITHIN GROUP (ORDER BY d.records), 0) AS usual
    FROM finding_day d
    WHERE d.tenant = $1 AND d.res = l.res AND d.day < l.day AND d.day >= l.day - $6::int AND d.records > 0 AND own.days < 2
  ) others
)
SELECT concat_ws(' ', client, res, usr, day) AS subject, usr, client, agent, res, n AS count, first_at, last_at, entries,
       jsonb_build_object('records', total, 'usual', usual, 'day', to_char(to_timestamp(day * 86400::bigint) AT TIME ZONE 'UTC', 'YYYY-MM-DD')) AS details
FROM compared
WHERE total >= $5::int * usual

-- Lists what sources said of an entity under any of its names, newest first, and the seconds at which it ends runs of uses.
-- $1 tenant  $2 as of  $3 ids  $4 names of events  $5 names of events that end runs  $6 from and $7 to, epoch milliseconds, both included
-- $8 rows  $9 sessions: what is said of another one is left out; null: of any
SELECT (
    SELECT json_agg(x) FROM (
      SELECT DISTINCT ON (s.at_ms, s.ix) s.*
      FROM unnest($3::int[]) AS d (id)
      CROSS JOIN LATERAL (
        SELECT at_ms, ix, name, source, usr, client, agent, res, details FROM said
        WHERE tenant = $1 AND entity = d.id AND at_ms BETWEEN $6::bigint AND $7::bigint AND ix < $2::bigint AND name = ANY ($4::text[])
          AND ($9::text[] IS NULL OR details ->> 'sid' IS NULL OR details ->> 'sid' = ANY ($9))
        ORDER BY at_ms DESC, ix DESC
        LIMIT $8
      ) s
      ORDER BY s.at_ms DESC, s.ix DESC
      LIMIT $8
    ) x
  ) AS lines,
  (
    SELECT json_agg(DISTINCT at_ms / 1000 + 1) FROM said
    WHERE tenant = $1 AND entity = ANY ($3) AND at_ms BETWEEN $6 AND $7 AND ix < $2 AND name = ANY ($5::text[])
      AND ($9 IS NULL OR details ->> 'sid' IS NULL OR details ->> 'sid' = ANY ($9))
  ) AS cuts

-- Finds the rules that were ordered or lifted last, as of index $3, and the periods in which each counted. A rule counts from the
-- time of the event that made it, else of its order. A rule that an enabling or its `until` ended has two periods: until the
-- end, and after it for whatever was granted before. Rules on sessions and ID-JAGs, which come all the time, do not crowd out others.
-- $1 tenant  $3 until  $9 the second by which all known uses were made
WITH rule AS MATERIALIZED (
  SELECT r.*, coalesce(o.at_ms, r.ordered_ms) / 1000 AS began, {turned_ms} AS turned_ms, e.ix AS turned_ix, coalesce(({turned_ms}) / 1000, r.until_at) AS ended,
         e.ix IS NOT NULL OR NOT r.resume AS stays_revoked,
         row_number() OVER (ORDER BY r.newest_ix DESC, r.rule, r.of_rule) AS nth,
         row_number() OVER (PARTITION BY {brief} ORDER BY r.newest_ix DESC, r.rule, r.of_rule) AS place
  FROM (
    {newest}
  ) r
  {turned}
),
-- Periods of each rule: strictly between two seconds. `known_ix` is the entry that made the rule or its lift known.
part AS (
  SELECT nth, place, 'ordered' AS state, false AS is_ended, from_ix AS known_ix, began AS after, least(ended, lifted, $9::bigint) AS before FROM rule
  UNION ALL
  -- Nothing granted before the end is valid for longer than it is kept.
  SELECT nth, place, 'ordered', true, from_ix, greatest(ended - 1, began), least(lifted, ended + {kept}, $9) FROM rule WHERE ended IS NOT NULL AND stays_revoked
  UNION ALL
  SELECT nth, place, 'lifted', false, lifted_ix, lifted, $9 FROM rule WHERE lifted IS NOT NULL
)
SELECT coalesce((SELECT max(place) > {rules} FROM rule), false) AS cut,
       (SELECT json_agg(json_build_object('nth', nth, 'state', state, 'is_ended', is_ended, 'known_ix', known_ix, 'after', after, 'before', before::text))
        FROM part WHERE place <= {rules}) AS parts,
       (SELECT json_agg(r) FROM (
          SELECT nth, rule, selector, seq, ordered_ms, effect, before_at, until_at, resume, reauthenticate, turned_ms, turned_ix
          FROM rule WHERE place <= {rules}) r) AS rules

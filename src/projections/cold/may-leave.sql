-- Whether the use `a` may leave, by the bounds `l` of its tenant: it is archived and summed up with all that is known of it, and nothing can become
-- known any more. A use waits for its token, or for the agent that the ID-JAG of its token may name.
(
  a.ix < l.end_ix AND coalesce(a.bound_ix, 0) < l.end_ix AND coalesce(a.agent_ix, 0) < l.end_ix AND coalesce(a.foreign_ix, 0) < l.end_ix
  AND (a.bound_ix IS NOT NULL OR a.foreign_ix IS NOT NULL)
  AND (a.bound_ix IS NULL OR a.agent IS NOT NULL OR NOT EXISTS (
    SELECT FROM token t
    WHERE t.tenant = a.tenant AND t.key = a.tok AND t.agent IS NULL AND t.id_jag_key IS NOT NULL
      AND NOT EXISTS (SELECT FROM id_jag j WHERE j.tenant = t.tenant AND j.key = t.id_jag_key AND j.facts ->> 'iss' = t.facts #>> '{id_jag,iss}')
      AND NOT EXISTS (SELECT FROM id_jag j WHERE j.tenant = t.tenant AND j.sha_key = t.id_jag_key AND j.facts ->> 'iss' = t.facts #>> '{id_jag,iss}')))
)

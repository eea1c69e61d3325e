-- Mutes of a kind for the findings that have the same names; the newest change for those names counts. {known}: only changes that the ledger tells before a moment.
muted AS MATERIALIZED (
  SELECT m.* FROM (
    SELECT DISTINCT ON (kind, usr, client, agent, res, source) kind, usr, client, agent, res, source, state, until_at, at_ms, said
    FROM finding_change c
    WHERE tenant = $1 AND wide{known}
    ORDER BY kind, usr, client, agent, res, source, nth DESC
  ) m
  WHERE m.state = 'muted'
)

-- Finds the names that tokens and ID-JAGs of a user state for it, and whether they state them for other users too.
-- $1 tenant  $2 ids of the user
WITH stated AS (
  SELECT t.facts ->> 'iss' AS iss, t.facts ->> 'tenant' AS claim, t.facts ->> 'sub' AS sub FROM token t WHERE t.tenant = $1 AND t.usr = ANY ($2::int[])
  UNION
  SELECT t.facts ->> 'iss', t.facts #>> '{id_jag,aud_tenant}', t.facts #>> '{id_jag,aud_sub}' FROM token t WHERE t.tenant = $1 AND t.usr = ANY ($2::int[])
  UNION
  SELECT a.iss, j.facts ->> 'aud_tenant', j.facts ->> 'aud_sub'
  FROM id_jag j CROSS JOIN LATERAL jsonb_array_elements_text(j.facts -> 'aud') AS a (iss)
  WHERE j.tenant = $1 AND j.usr = ANY ($2::int[])
)
SELECT s.iss, s.claim, s.sub,
       EXISTS (SELECT FROM token t
               WHERE t.tenant = $1 AND NOT t.usr = ANY ($2::int[]) AND t.facts ->> 'iss' = s.iss
                 AND ((t.facts ->> 'sub' = s.sub AND t.facts ->> 'tenant' IS NOT DISTINCT FROM s.claim)
                      OR (t.facts #>> '{id_jag,aud_sub}' = s.sub AND t.facts #>> '{id_jag,aud_tenant}' IS NOT DISTINCT FROM s.claim)))
       OR EXISTS (SELECT FROM id_jag j
                  WHERE j.tenant = $1 AND NOT j.usr = ANY ($2::int[]) AND j.facts -> 'aud' ? s.iss AND j.facts ->> 'aud_sub' = s.sub
                    AND j.facts ->> 'aud_tenant' IS NOT DISTINCT FROM s.claim) AS shared
FROM stated s
WHERE s.sub IS NOT NULL

-- Lists the tokens of a range that came of an ID-JAG, and whether its IdP had told of it $5 milliseconds after the token came.
-- $1 tenant  $2, $3 indexes of those tokens: from, to  $4 end of the step  $5 milliseconds
SELECT encode(t.key, 'hex') AS tok, t.ix, CASE WHEN t.bound_ix = t.ix THEN t.usr END AS usr, t.client, CASE WHEN t.agent_ix IS NULL THEN t.agent END AS agent, t.res[1] AS res,
       t.source, t.iat, t.facts #>> '{id_jag,iss}' AS iss, t.facts #>> '{id_jag,jti}' AS jti,
       EXISTS (
         SELECT FROM (
           SELECT j.ix FROM id_jag j WHERE j.tenant = $1 AND j.key = t.id_jag_key
           UNION ALL SELECT j.ix FROM id_jag j WHERE j.tenant = $1 AND j.sha_key = t.id_jag_key
         ) j
         JOIN entry b ON b.tenant = $1 AND b.ix = j.ix
         WHERE j.ix < $4::bigint AND b.arrival < i.arrival + $5::bigint
       ) AS told
FROM token t
JOIN entry i ON i.tenant = $1 AND i.ix = t.ix
WHERE t.tenant = $1 AND t.ix >= $2::bigint AND t.ix < $3::bigint AND t.id_jag_key IS NOT NULL
ORDER BY t.ix

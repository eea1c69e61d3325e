-- Lists the known reasons why a token was not active when somebody asked, the latest first.
-- $1 tenant  $2 key
SELECT reason, nullif(member, '') AS member, last_ms FROM refused_token
WHERE tenant = $1 AND token = $2
ORDER BY last_ms DESC, reason, member

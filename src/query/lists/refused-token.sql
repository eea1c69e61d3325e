-- Why one token was not active when somebody asked, as far as it is named.  $1 tenant  $2 key
SELECT reason, nullif(member, '') AS member, last_ms FROM refused_token
WHERE tenant = $1 AND token = $2
ORDER BY last_ms DESC, reason, member

-- Connections that differ between two indexes, and where what they are now began.
-- $1 tenant  $2 since  $3 until  $4 clients  $5 resources, null: all
WITH touched AS (
  SELECT DISTINCT id FROM connection_version
  WHERE tenant = $1 AND from_ix >= $2::bigint AND from_ix < $3::bigint
    AND ($4::int[] IS NULL OR client = ANY ($4) OR idp_client = ANY ($4)) AND ($5::int[] IS NULL OR res = ANY ($5))
)
SELECT encode(a.id, 'hex') AS id, a.client, a.idp_client, a.res, b.state AS state_before, a.state AS state_after, b.agent AS agent_before, a.agent AS agent_after,
       coalesce(b.scopes, '{}') AS scopes_before, a.scopes AS scopes_after, a.from_ix AS changed_ix,
       -- Since when it stands, or is deleted, without a break.
       (SELECT min(v.from_ix) FROM connection_version v
        WHERE v.tenant = $1 AND v.id = a.id AND v.from_ix < $3 AND (v.state <> 0) = (a.state <> 0)
          AND v.from_ix > coalesce((SELECT max(o.from_ix) FROM connection_version o
                                    WHERE o.tenant = $1 AND o.id = a.id AND o.from_ix < $3 AND (o.state <> 0) <> (a.state <> 0)), -1)) AS turned_ix
FROM touched t
JOIN connection_version a ON a.tenant = $1 AND a.id = t.id AND a.from_ix < $3 AND (a.to_ix IS NULL OR a.to_ix >= $3)
LEFT JOIN connection_version b ON b.tenant = $1 AND b.id = t.id AND b.from_ix < $2 AND (b.to_ix IS NULL OR b.to_ix >= $2)

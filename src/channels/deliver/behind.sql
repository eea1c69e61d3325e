-- Finds the tenants whose news are not all in deliveries yet.
SELECT h.tenant, coalesce(c.seq, 0) AS seq FROM finding_news_head h LEFT JOIN channel_cursor c ON c.tenant = h.tenant
WHERE h.seq > coalesce(c.seq, 0)

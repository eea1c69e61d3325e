-- Where to look for tokens of a selector that nothing narrower finds them by: clients that have any. What stands in braces is made of the selector
-- by preview-text.ts.
-- $1 tenant  $2 and on: what the selector names
SELECT c.id FROM ({clients}) c
WHERE EXISTS (SELECT FROM token t WHERE t.tenant = $1 AND t.client = c.id OFFSET 0)

-- Finds clients that have tokens, for a selector without a narrower member. preview-text.ts fills in the braces from the selector.
-- $1 tenant  $2 and on: values of the selector
SELECT c.id FROM ({clients}) c
WHERE EXISTS (SELECT FROM token t WHERE t.tenant = $1 AND t.client = c.id OFFSET 0)

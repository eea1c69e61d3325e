-- Selects the resources that the directory tags, as it is now: `every` says whether every action there is sensitive, or none. A resource that is missing here
-- has the default: deletions, exports and administration are.
-- $1 tenant
SELECT t.id AS res, bool_or(t.tag = 'sensitive') AS every FROM ({tagged}) t WHERE t.kind = 5 GROUP BY t.id

-- The session's staging table, where an earlier transaction made it: one that this transaction made goes when it rolls back.
SELECT FROM pg_class
WHERE oid = to_regclass('pg_temp.stage') AND xmin IS DISTINCT FROM pg_current_xact_id_if_assigned()::xid

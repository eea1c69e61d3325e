-- Finds the session's staging table if an earlier transaction created it. A table of this transaction disappears with a rollback.
SELECT FROM pg_class
WHERE oid = to_regclass('pg_temp.stage') AND xmin IS DISTINCT FROM pg_current_xact_id_if_assigned()::xid

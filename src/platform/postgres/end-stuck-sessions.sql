-- Materialised: otherwise the planner might call pg_terminate_backend before it has checked the conditions.
WITH stuck AS MATERIALIZED (
  SELECT pid
  FROM pg_stat_activity
  WHERE datname = current_database()
    AND usename = current_user
    AND application_name = $1
    AND state = 'active'
    AND wait_event_type = 'Client'
    AND wait_event = 'ClientRead'
    AND query_start < clock_timestamp() - make_interval(secs => $2)
    AND pid <> pg_backend_pid()
)
SELECT pid, pg_terminate_backend(pid) AS ended FROM stuck

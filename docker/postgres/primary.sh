#!/bin/bash
# Run once, by the image, when the primary's directory is made.
set -euo pipefail

psql --set=ON_ERROR_STOP=1 --set=password="$(<"$REPLICATION_PASSWORD_FILE")" --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
CREATE ROLE standby LOGIN REPLICATION PASSWORD :'password';
SELECT pg_create_physical_replication_slot('standby');
-- From the next start on, which follows: this server has no standby yet, and would wait for one at its own next commit.
ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (standby)';
-- A standby that is away keeps no more of the log than this; it is copied anew then.
ALTER SYSTEM SET max_slot_wal_keep_size = '16GB';
SQL
echo 'host replication standby all scram-sha-256' >>"$PGDATA/pg_hba.conf"

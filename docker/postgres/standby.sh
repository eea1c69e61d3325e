#!/bin/bash
# Copies the primary at the first start, then follows it.
set -euo pipefail

primary="host=$PRIMARY_HOST user=standby application_name=standby passfile=$PGPASSFILE"
umask 077
printf '%s:*:*:standby:%s\n' "$PRIMARY_HOST" "$(<"$REPLICATION_PASSWORD_FILE")" >"$PGPASSFILE"

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  # Under another name until it is whole: a copy that was broken off is no database.
  copy="$PGDATA.copy"
  mkdir -p "$(dirname "$PGDATA")"
  rm -rf "$copy"
  pg_basebackup --dbname="$primary" --slot=standby --wal-method=stream --checkpoint=fast --pgdata="$copy"
  # The copy has the primary's settings; this server has no standby of its own to wait for, even once it is promoted.
  printf "synchronous_standby_names = ''\nprimary_slot_name = 'standby'\nprimary_conninfo = '%s'\n" "$primary" >>"$copy/postgresql.auto.conf"
  touch "$copy/standby.signal"
  rm -rf "$PGDATA"
  mv "$copy" "$PGDATA"
fi
exec docker-entrypoint.sh postgres

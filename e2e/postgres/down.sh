#!/usr/bin/env bash
# Stops the Postgres that up.sh started and removes its data folder. usage: down.sh [--test] [--keep]
# --keep leaves the data for the next up.sh.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../scripts/lib.sh"
. "$here/lib.sh"

choose_server main
keep=
for argument in "$@"; do
  case $argument in
    --test) choose_server test ;;
    --keep) keep=yes ;;
    *) fail "unknown argument $argument" "usage: down.sh [--test] [--keep]" ;;
  esac
done
[ -d "$home" ] || exit 0
lock "postgres-$server"
if find_postgres && server_runs; then
  as_postgres "$postgres_bin/pg_ctl" -D "$data" -m fast -w -t 30 stop >/dev/null ||
    as_postgres "$postgres_bin/pg_ctl" -D "$data" -m immediate -w -t 10 stop >/dev/null ||
    fail "Postgres in $data does not stop" "its pid is the first line of $data/postmaster.pid"
fi
[ -n "$keep" ] || rm -rf "$home"

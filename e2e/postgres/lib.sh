# What up.sh and down.sh of Postgres share. Sourced after scripts/lib.sh.
# shellcheck shell=bash disable=SC2034,SC2154

# Chooses one of the two servers: `main` is FlowPilot's own database, as a managed one would be;
# `test` is a throw-away server with a superuser login for tests that create databases of their own.
choose_server() { # main|test
  server=$1
  if [ "$server" = test ]; then
    home=$state/postgres-test port=$postgres_test_port addresses=127.0.0.1
  else
    home=$state/postgres port=$postgres_port addresses=127.0.0.1,$node_ip
  fi
  data=$home/data
}

# Postgres refuses to run as root: there it runs as the user of Debian's package, elsewhere as whoever calls.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

server_runs() {
  local pid
  pid=$(head -n1 "$data/postmaster.pid" 2>/dev/null) && [ -n "$pid" ] &&
    { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF -- "$data"
}

server_answers() { server_runs && as_postgres "$postgres_bin/pg_isready" -q -h "$home/socket" -p "$port"; }

# The newest installed server wins; Debian puts each major version in a folder of its own, off PATH.
find_postgres() {
  local found
  found=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -name pg_ctl 2>/dev/null | sort -V | tail -n1)
  [ -n "$found" ] || found=$(command -v pg_ctl) || return 1
  postgres_bin=$(dirname "$(readlink -f "$found")")
}

#!/usr/bin/env bash
# Starts Postgres on this machine the way a managed database looks from a cluster: an address, TLS with its own CA,
# scram passwords, a login that is no superuser. Prints DATABASE_URL. Again: a no-op.
#
# usage: up.sh           FlowPilot's database: port 5433 on the node address and on loopback
#        up.sh --test    a throw-away server on 127.0.0.1:5434 with a superuser login, for tests that create databases
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../scripts/lib.sh"
. "$here/lib.sh"

case ${1:-} in
  --test) choose_server test ;;
  "") choose_server main ;;
  *) fail "unknown argument $1" "usage: up.sh [--test]" ;;
esac

if ! find_postgres; then
  # The package would otherwise start a server of its own on 5432, which nobody asked for.
  [ "$(id -u)" != 0 ] || [ -e /etc/postgresql-common/createcluster.conf ] ||
    { mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf; }
  need_packages /usr/lib/postgresql:postgresql
  find_postgres || fail "no pg_ctl under /usr/lib/postgresql" "install Debian's package postgresql"
fi
need_packages openssl:openssl flock:util-linux
[ "$server" = test ] || need_packages ip:iproute2
lock "postgres-$server"

print_url() {
  echo "DATABASE_URL=$(cat "$home/url")"
}
if [ -f "$home/url" ] && server_answers; then
  print_url
  exit 0
fi
server_runs || ! port_taken "$port" ||
  fail "port $port is taken by another program" "see which one: ss -ltnp 'sport = :$port'; stop it and try again"
[ "$server" = test ] || [ "$(id -u)" = 0 ] ||
  fail "the node's Postgres listens on $node_ip, which only root can set up" "run this as root, or use --test"

umask 077
mkdir -p "$home/tls" "$home/socket"
chmod 711 "$state" "$home" # the server's user passes through; what is inside has its own modes
version=$("$postgres_bin/postgres" --version | grep -oE '[0-9]+' | head -n1)

[ -f "$home/password" ] || openssl rand -hex 24 >"$home/password"
password=$(cat "$home/password")

if [ ! -f "$home/tls/server.crt" ]; then
  names=DNS:localhost,DNS:postgres.database.svc,DNS:postgres.database.svc.cluster.local,IP:127.0.0.1,IP:$node_ip
  curve=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
  openssl req -x509 "${curve[@]}" -days 3650 -subj /CN=flowpilot-local-postgres-ca \
    -keyout "$home/tls/ca.key" -out "$home/tls/ca.crt" 2>/dev/null
  openssl req "${curve[@]}" -subj /CN=postgres -keyout "$home/tls/server.key" -out "$home/tls/server.csr" 2>/dev/null
  openssl x509 -req -in "$home/tls/server.csr" -CA "$home/tls/ca.crt" -CAkey "$home/tls/ca.key" -CAcreateserial -days 3650 \
    -out "$home/tls/server.crt" -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$names") 2>/dev/null
fi
if [ "$(id -u)" = 0 ]; then
  chown postgres: "$home/socket" "$home/tls" "$home/tls/server.crt" "$home/tls/server.key"
  mkdir -p "$data" && chown -R postgres: "$data"
fi
chmod 755 "$home/tls" && chmod 644 "$home/tls/ca.crt" "$home/tls/server.crt"

if [ ! -f "$data/PG_VERSION" ]; then
  # C.UTF-8: the same order on every machine. The bootstrap superuser has no password: it comes by socket only.
  as_postgres "$postgres_bin/initdb" -D "$data" -U postgres --encoding=UTF8 --locale=C.UTF-8 --auth=reject >"$home/initdb.log" 2>&1 ||
    { cat "$home/initdb.log" >&2; rm -rf "$data"; exit 1; }
fi

connections=100
[ "$server" != test ] || connections=300 # many tests at once, each with pools of its own
settings() {
  cat <<CONF
listen_addresses = '$addresses'
port = $port
unix_socket_directories = '$home/socket'
max_connections = $connections
ssl = on
ssl_ca_file = '$home/tls/ca.crt'
ssl_cert_file = '$home/tls/server.crt'
ssl_key_file = '$home/tls/server.key'
ssl_min_protocol_version = 'TLSv1.2'
password_encryption = scram-sha-256
fsync = on
synchronous_commit = on
shared_buffers = 256MB
wal_compression = lz4
default_toast_compression = lz4
checkpoint_timeout = 15min
max_wal_size = 2GB
random_page_cost = 1.1
jit = off
autovacuum_naptime = 5s
idle_in_transaction_session_timeout = 10s
hot_standby_feedback = off
track_io_timing = on
shared_preload_libraries = 'pg_stat_statements'
timezone = 'UTC'
log_timezone = 'UTC'
log_min_duration_statement = 250ms
log_line_prefix = '%m [%p] %q%u@%d '
CONF
  # Newer servers know it; an older one would refuse to start.
  [ "$version" -lt 17 ] || echo "transaction_timeout = 30s"
}
access() {
  # Over TCP: a password always; off this machine's loopback also TLS always.
  echo "local   all all                 peer map=here"
  echo "host    all all 127.0.0.1/32    scram-sha-256"
  [ "$server" = test ] || printf 'hostssl all all %s scram-sha-256\n' "$node_ip/32" "$pod_range"
}
settings | as_postgres tee "$data/postgresql.auto.conf" >/dev/null
access | as_postgres tee "$data/pg_hba.conf" >/dev/null
as_postgres id -un | sed 's/.*/here & postgres/' | as_postgres tee "$data/pg_ident.conf" >/dev/null

[ "$server" = test ] || node_address
if ! server_answers; then
  # A folder of a server that was killed has a stale pid file; Postgres itself decides that and recovers.
  setsid -w bash -c "$(declare -f as_postgres)"'; as_postgres "$@"' start \
    "$postgres_bin/pg_ctl" -D "$data" -l "$data/server.log" -w -t 60 start >/dev/null 9>&- ||
    { tail -n 20 "$data/server.log" >&2; fail "Postgres did not start" "its log stands above: $data/server.log"; }
fi

sql() { as_postgres "$postgres_bin/psql" -X -q -At -v ON_ERROR_STOP=1 -h "$home/socket" -p "$port" -U postgres "$@"; }
if [ "$server" = test ]; then login=test attributes='LOGIN SUPERUSER'; else login=flowpilot attributes='LOGIN NOSUPERUSER CREATEROLE NOCREATEDB'; fi
[ "$(sql -d postgres -c "SELECT 1 FROM pg_roles WHERE rolname = '$login'")" = 1 ] || sql -d postgres -c "CREATE ROLE $login"
sql -d postgres -f - <<SQL
SET log_min_duration_statement = -1;
ALTER ROLE $login $attributes PASSWORD '$password';
SQL
[ "$(sql -d postgres -c "SELECT 1 FROM pg_database WHERE datname = '$login'")" = 1 ] || sql -d postgres -c "CREATE DATABASE $login OWNER $login"
sql -d "$login" -c "CREATE EXTENSION IF NOT EXISTS pg_stat_statements"

if [ "$server" = test ]; then
  echo "postgres://$login:$password@127.0.0.1:$port/$login?sslmode=disable" >"$home/url"
else
  echo "postgres://$login:$password@127.0.0.1:$port/$login?sslmode=verify-full&sslrootcert=$home/tls/ca.crt" >"$home/url"
  # What pods use: the same login behind the Service's name, which the certificate also carries.
  echo "postgres://$login:$password@postgres.database.svc:$port/$login?sslmode=verify-full&sslrootcert=/etc/flowpilot/database/ca.crt" >"$home/cluster-url"
fi
print_url

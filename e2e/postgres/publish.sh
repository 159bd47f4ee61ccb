#!/usr/bin/env bash
# Makes a database known to the cluster of KUBECONFIG: the Secret flowpilot-database in flowpilot-system with the keys
# `url` and `ca.crt`, which is all that the chart knows.
#
# usage: publish.sh                  the Postgres of up.sh, behind the Service postgres.database
#        publish.sh --external       the one of FLOWPILOT_DATABASE_URL, as pods reach it; FLOWPILOT_DATABASE_CA names a file with its CA
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../scripts/lib.sh"
. "$here/lib.sh"

url_file=$(mktemp) && trap 'rm -f "$url_file"' EXIT
if [ "${1:-}" = --external ]; then
  [ -n "${FLOWPILOT_DATABASE_URL:-}" ] || fail "FLOWPILOT_DATABASE_URL is not set" "for example FLOWPILOT_DATABASE_URL=postgres://flowpilot:…@db.example.com/flowpilot?sslmode=verify-full"
  printf %s "$FLOWPILOT_DATABASE_URL" >"$url_file"
  ca=${FLOWPILOT_DATABASE_CA:-/etc/ssl/certs/ca-certificates.crt}
  [ -r "$ca" ] || fail "the CA file $ca cannot be read" "set FLOWPILOT_DATABASE_CA to a PEM file"
else
  choose_server main
  server_runs || fail "no Postgres runs in $data" "start it first: e2e/postgres/up.sh"
  tr -d '\n' <"$home/cluster-url" >"$url_file"
  ca=$home/tls/ca.crt
  sed -e "s|@port@|$postgres_port|g" -e "s|@node_ip@|$node_ip|g" "$here/service.yaml" | kubectl apply -f - >/dev/null
fi
kubectl create namespace flowpilot-system --dry-run=client -o yaml | kubectl apply --server-side --field-manager=flowpilot-local -f - >/dev/null
# From files, so that the password is never on a command line.
kubectl create secret generic flowpilot-database -n flowpilot-system --from-file=url="$url_file" --from-file=ca.crt="$ca" --dry-run=client -o yaml |
  kubectl apply --server-side --force-conflicts --field-manager=flowpilot-local -f - >/dev/null

#!/usr/bin/env bash
# Prints what a test or a person needs to talk to the local world: eval "$(e2e/scripts/env.sh)"
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
[ -f "$local_kubeconfig" ] || fail "no local cluster" "start it: make up"

print() { printf 'export %s=%q\n' "$1" "$2"; }
print KUBECONFIG "$local_kubeconfig"
printf 'export PATH=%q:"$PATH"\n' "$tools_bin"
[ ! -f "$state/postgres/url" ] || print FLOWPILOT_E2E_DATABASE_URL "$(cat "$state/postgres/url")"
[ ! -f "$state/postgres-test/url" ] || print DATABASE_URL "$(cat "$state/postgres-test/url")"

#!/usr/bin/env bash
# `make logs`: follows what FlowPilot's processes write, the runners of up to 20 tenants included, each line with its
# pod. Ctrl-C ends it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
if [ "${CLUSTER:-local}" != current ]; then
  [ -f "$local_kubeconfig" ] || fail "no local cluster" "start it: make up"
  export KUBECONFIG=$local_kubeconfig
fi

follow() { kubectl logs --all-containers --prefix --tail=50 --follow --max-log-requests=20 --ignore-errors "$@" & }
# shellcheck disable=SC2046  # a list of pids
trap 'kill $(jobs -p) 2>/dev/null' EXIT
follow -n flowpilot-system -l app.kubernetes.io/instance=flowpilot
for namespace in $(kubectl get namespaces -l flowpilot.io/tenant -o name | head -n 20); do
  follow -n "${namespace#namespace/}" -l app.kubernetes.io/managed-by=flowpilot
done
wait

#!/usr/bin/env bash
# `make logs`: follows what FlowPilot's processes write, all of them, each line with its pod; Ctrl-C ends it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
[ "${CLUSTER:-local}" = current ] || export KUBECONFIG=$local_kubeconfig
[ "${CLUSTER:-local}" = current ] || [ -f "$KUBECONFIG" ] || fail "no local cluster" "start it: make up"

trap 'kill $(jobs -p) 2>/dev/null' EXIT
kubectl logs -n flowpilot-system -l app.kubernetes.io/name=flowpilot --all-containers --prefix --tail=50 --follow --max-log-requests=20 &
kubectl get namespaces -l app.kubernetes.io/managed-by=flowpilot -o 'jsonpath={range .items[*]}{.metadata.name}{"\n"}{end}' |
  head -n 20 >"${TMPDIR:-/tmp}/flowpilot-namespaces.$$"
while read -r namespace; do
  kubectl logs -n "$namespace" -l app.kubernetes.io/managed-by=flowpilot --prefix --tail=20 --follow --max-log-requests=20 &
done <"${TMPDIR:-/tmp}/flowpilot-namespaces.$$"
rm -f "${TMPDIR:-/tmp}/flowpilot-namespaces.$$"
wait

#!/usr/bin/env bash
# `make down`: removes everything that `make up` made; compiled things and downloads stay in the cache folder.
# CLUSTER=current: uninstalls from the cluster of KUBECONFIG; the definitions and what people declared with them stay.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
. "$here/steps.sh"
cd "$root"

uninstall() {
  # First the samples, while the operator is there to clean up after them.
  kubectl delete -f config/samples/ --ignore-not-found --timeout=120s
  helm uninstall flowpilot -n flowpilot-system --ignore-not-found --wait
  kubectl delete -f e2e/manifests/sample-server.yaml --ignore-not-found
}
case ${CLUSTER:-local} in
  local)
    steps_begin "$cache/logs/down.log" 3
    step "stop Kubernetes, remove its folder and interfaces" e2e/cluster/down.sh
    step "stop Postgres, remove its data" e2e/postgres/down.sh
    step "stop the test Postgres" e2e/postgres/down.sh --test
    rm -rf "$state"
    ;;
  current)
    steps_begin "$cache/logs/down.log" 1
    step "uninstall FlowPilot and the samples" uninstall
    [ -d "$cluster_state" ] || rm -rf "$state"
    echo "Kept: the definitions (helm uninstall flowpilot-crds -n flowpilot-system; they stay even then), the database and its Secret."
    ;;
  *) fail "CLUSTER=$CLUSTER is not known" "use CLUSTER=local (the default) or CLUSTER=current" ;;
esac

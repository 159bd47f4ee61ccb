#!/usr/bin/env bash
# Installs FlowPilot, and the sample server, into the cluster of KUBECONFIG by Helm; waits until both answer.
# Again with nothing changed: seconds, and nothing restarts.
#
# usage: install.sh TAG    the tag that images/build.sh printed
# CLUSTER=current: DATABASE_SECRET names the Secret with the address (default flowpilot-database), IMAGE_REGISTRY the
# registry that the images were pushed to (default localhost: they were loaded into the nodes).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
cd "$root"

tag=$1
registry=${IMAGE_REGISTRY:-localhost}
values=(-f e2e/values/local.yaml --set "images.tag=$tag,images.registry=$registry")
[ "${CLUSTER:-local}" != local ] || values+=(-f e2e/values/node.yaml)
[ -z "${DATABASE_SECRET:-}" ] || values+=(--set "database.secretName=$DATABASE_SECRET")

# The definitions may be there already, applied by hand or kept by an uninstall: then they become this release's.
helm upgrade --install flowpilot-crds charts/flowpilot-crds -n flowpilot-system --create-namespace --take-ownership --wait
kubectl wait --for=condition=Established --timeout=30s \
  crd/{tenants,runnerclasses,connectors,connections,workflows,workflowruns}.flowpilot.io
helm upgrade --install flowpilot charts/flowpilot -n flowpilot-system "${values[@]}" --wait --timeout 180s || {
  # Helm says only that it waited in vain; the reason is in the pods. A look that fails must not hide the next one.
  kubectl get pods,jobs -n flowpilot-system -o wide
  kubectl get events -n flowpilot-system --sort-by=.lastTimestamp | tail -n 15
  for deployment in flowpilot-api flowpilot-operator; do
    kubectl logs -n flowpilot-system "deployment/$deployment" --all-containers --tail=15 || true
  done
  exit 1
}
sed "s|localhost/flowpilot-samples:@version@|$registry/flowpilot-samples:$tag|" e2e/manifests/sample-server.yaml | kubectl apply -f -
kubectl rollout status -n samples deployment/data --timeout=60s

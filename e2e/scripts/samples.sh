#!/usr/bin/env bash
# Applies config/samples, waits until all of it is Ready, and runs one workflow to its end.
# usage: samples.sh apply | run     `run` prints the WorkflowRun as NAMESPACE/NAME on its last line
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
cd "$root"
sample_run=${SAMPLE_RUN:-$(find config/samples/runs -name '*.yaml' | sort | head -n1)}

# Workflows live in namespaces that the operator makes for tenants: what is refused at first is applied a second later.
apply() {
  wait_for 60 "the samples to be accepted" kubectl apply -f config/samples/
  kubectl get -f config/samples/ -o json | ready_targets | while read -r namespace target; do
    kubectl wait --for=condition=Ready --timeout=90s -n "$namespace" "$target" || {
      kubectl get -n "$namespace" "$target" -o yaml
      return 1
    }
  done
}
ready_targets() { # lines "namespace kind.group/name" of what has a Ready condition to wait for
  python3 -c '
import json, sys
for item in json.load(sys.stdin)["items"]:
    kind = item["kind"].lower()
    if kind in ("tenant", "workflow"):
        print(item["metadata"].get("namespace", "default"), kind + "s.flowpilot.io/" + item["metadata"]["name"])'
}

run() {
  local created name namespace
  created=$(kubectl create -f "$sample_run" -o 'jsonpath={.metadata.namespace}/{.metadata.name}')
  namespace=${created%/*} name=${created#*/}
  kubectl wait --for=condition=Succeeded --timeout=120s -n "$namespace" "workflowruns.flowpilot.io/$name" || {
    kubectl describe -n "$namespace" "workflowruns.flowpilot.io/$name"
    kubectl get pods -n "$namespace"
    return 1
  }
  echo "$created"
}

case ${1:-} in
  apply) apply ;;
  run) run ;;
  *) fail "what?" "usage: samples.sh apply|run" ;;
esac

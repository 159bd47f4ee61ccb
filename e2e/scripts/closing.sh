# What `make up` says at its end: the result of the run, where things are, what to try next. Sourced by up.sh.
# shellcheck shell=bash disable=SC2154

sample=$(tail -n1 "$state/last-run")
namespace=${sample%/*}
workflow=$(kubectl get -n "$namespace" "workflowruns.flowpilot.io/${sample#*/}" -o 'jsonpath={.spec.workflow}')
if [ "$CLUSTER" = local ]; then
  address=http://$node_ip:30080
else
  address="http://127.0.0.1:8080 while this runs: kubectl port-forward -n flowpilot-system service/flowpilot-api 8080:8080"
fi

echo
echo "Result of the run $sample:"
kubectl get -n "$namespace" "workflowruns.flowpilot.io/${sample#*/}" -o 'jsonpath={.status.outputs}' |
  python3 -m json.tool --no-ensure-ascii 2>/dev/null | sed 's/^/    /'
cat <<END

FlowPilot is up after $(seconds_since "$begin") s.

    address   $address
    token     kubectl get secret -n flowpilot-system flowpilot-admin-token -o jsonpath='{.data.token}' | base64 -d
END
if [ "$CLUSTER" = local ]; then
  cat <<END
    kubectl   export KUBECONFIG=$KUBECONFIG PATH=$tools_bin:\$PATH
END
fi
cat <<END

Try next:
    kubectl get tenants,workflows,workflowruns -A
    kubectl create -f $(find config/samples/runs -name '*.yaml' | sort | head -n1) && kubectl get workflowruns -n $namespace -w
    curl -s -H "Authorization: Bearer \$(kubectl get secret -n flowpilot-system flowpilot-admin-token -o jsonpath='{.data.token}' | base64 -d)" ${address%% *}/api/v1/tenants/${namespace#fp-}/workflows/$workflow
END

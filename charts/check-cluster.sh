#!/usr/bin/env bash
# Checks the rights and policies of an installed chart, on the cluster that KUBECONFIG points to, as an administrator
# who may impersonate. Each guard is tried from both sides: what must work works, what must not is refused by exactly
# that guard. Changes are dry runs on the server, except for two namespaces of its own, which it removes.
# Ends with a line that counts, in the form of cargo's.
set -uo pipefail

KUBECTL=${KUBECTL:-kubectl}
SYSTEM=${SYSTEM:-flowpilot-system}
SCRATCH=fp-chart-check-$$
FOREIGN=fp-chart-foreign-$$
passed=0 failed=0

report() { # name, problem ("" if none)
  if [ -z "$2" ]; then
    passed=$((passed + 1)) && echo "test $1 ... ok"
  else
    failed=$((failed + 1)) && printf 'test %s ... FAILED\n    %s\n' "$1" "$2"
  fi
}

# The rest of the line is a kubectl command; standard input goes to it.
allows() { # name, command…
  local name=$1 answer && shift
  if answer=$("$KUBECTL" "$@" 2>&1); then report "$name" ""; else report "$name" "${answer:0:300}"; fi
}
refuses() { # name, text that the refusal must contain, command…
  local name=$1 text=$2 answer && shift 2
  if answer=$("$KUBECTL" "$@" 2>&1); then
    report "$name" "was allowed: ${answer:0:200}"
  elif [[ $answer == *"$text"* ]]; then
    report "$name" ""
  else
    report "$name" "was refused for another reason: ${answer:0:300}"
  fi
}

service_account() { echo "--as=system:serviceaccount:$SYSTEM:$1 --as-group=system:serviceaccounts --as-group=system:authenticated"; }
person() { echo "--as=$1 --as-group=flowpilot:chart-check:$2 --as-group=system:authenticated"; }
operator=$(service_account flowpilot-operator)
api=$(service_account flowpilot-api)
dry="--dry-run=server"

cleanup() { "$KUBECTL" delete namespace "$SCRATCH" "$FOREIGN" --ignore-not-found --wait=false >/dev/null 2>&1; }
trap cleanup EXIT
"$KUBECTL" get validatingadmissionpolicy flowpilot-members flowpilot-operator-bounds >/dev/null || {
  echo "the chart is not installed here (or admissionPolicies is off): helm upgrade --install flowpilot …" >&2
  exit 2
}

workflow() { # name, annotation
  printf 'apiVersion: flowpilot.io/v1alpha1\nkind: Workflow\nmetadata: {name: %s, namespace: %s, annotations: {%s}}\nspec: {steps: [{id: a, set: {b: 1}}]}\n' "$1" "$SCRATCH" "$2"
}

# ---- the operator -------------------------------------------------------------------------------------------------
# shellcheck disable=SC2086 # $operator and $api are several words.
{
  "$KUBECTL" create namespace "$FOREIGN" >/dev/null
  "$KUBECTL" create -f - >/dev/null <<YAML
apiVersion: v1
kind: Namespace
metadata: {name: $SCRATCH, labels: {app.kubernetes.io/managed-by: flowpilot}}
YAML

  allows "operator makes a tenant's namespace" create namespace fp-chart-check-new $operator $dry
  refuses "operator makes no other namespace" flowpilot-operator-bounds create namespace chart-check-new $operator $dry
  refuses "operator deletes no foreign namespace" flowpilot-operator-bounds delete namespace "$FOREIGN" $operator $dry
  refuses "operator labels no foreign namespace" flowpilot-operator-bounds label namespace default a=b $operator $dry
  allows "operator deploys in a tenant's namespace" create deployment x --image=x -n "$SCRATCH" $operator $dry
  refuses "operator deploys nothing in kube-system" flowpilot-operator-bounds create deployment x --image=x -n kube-system $operator $dry
  refuses "operator deploys nothing in its own namespace" flowpilot-operator-bounds create deployment x --image=x -n "$SYSTEM" $operator $dry
  refuses "operator deploys nothing in a foreign fp- namespace" flowpilot-operator-bounds create deployment x --image=x -n "$FOREIGN" $operator $dry
  for role in owner admin manager member operator approver viewer; do
    allows "operator binds $role" create rolebinding x --clusterrole="flowpilot-tenant-$role" --group=x -n "$SCRATCH" $operator $dry
  done
  refuses "operator binds no cluster-admin" "is attempting to grant RBAC permissions" create rolebinding x --clusterrole=cluster-admin --group=x -n "$SCRATCH" $operator $dry
  refuses "operator binds no role of the system" "is attempting to grant RBAC permissions" create rolebinding x --clusterrole=system:kube-scheduler --group=x -n "$SCRATCH" $operator $dry
  refuses "operator binds nothing outside tenants" flowpilot-operator-bounds create rolebinding x --clusterrole=flowpilot-tenant-admin --group=x -n kube-system $operator $dry

  allows "operator reads its certificate" get secret flowpilot-webhook-certificate -n "$SYSTEM" $operator -o name
  refuses "operator reads no other Secret" Forbidden get secret flowpilot-admin-token -n "$SYSTEM" $operator -o name
  refuses "operator lists no Secrets" Forbidden get secrets -n "$SYSTEM" $operator -o name
  refuses "operator lists no tenant's Secrets" Forbidden get secrets -n "$SCRATCH" $operator -o name
  refuses "operator makes no Secret" "is forbidden" create secret generic x -n "$SYSTEM" $operator $dry
  refuses "operator impersonates nobody" no auth can-i impersonate users/admin $operator

  rules='{"rules": [{"apiGroups": [""], "resources": ["users"], "resourceNames": ["x"], "verbs": ["impersonate"]}]}'
  allows "operator fills the list of whom the API may act as" patch clusterrole flowpilot-impersonator --type=merge -p "$rules" $operator $dry
  refuses "operator changes no other ClusterRole" Forbidden patch clusterrole flowpilot-api --type=merge -p "$rules" $operator $dry
  refuses "operator makes no ClusterRole" Forbidden create clusterrole x --verb=get --resource=secrets $operator $dry
  allows "operator sets the webhook's CA" apply --server-side --force-conflicts --field-manager=flowpilot-webhook -f - $operator $dry <<'YAML'
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: flowpilot}
webhooks: [{name: validate.flowpilot.io, clientConfig: {caBundle: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==}}]
YAML

  # ---- the API server ---------------------------------------------------------------------------------------------
  # `can-i` answers "no" with status 1.
  allows "API checks tokens" auth can-i create tokenreviews $api
  allows "API watches workflows" auth can-i watch workflows.flowpilot.io -A $api
  refuses "API writes no workflow by itself" no auth can-i create workflows.flowpilot.io -n "$SCRATCH" $api
  refuses "API reads no Secrets" no auth can-i get secrets -n "$SYSTEM" $api
  refuses "API becomes no administrator" no auth can-i impersonate groups/system:masters $api
  refuses "API becomes no service account" no auth can-i impersonate "serviceaccounts/flowpilot-operator" -n "$SYSTEM" $api

  # ---- a tenant's people ------------------------------------------------------------------------------------------
  for role in manager member operator approver viewer; do
    "$KUBECTL" create rolebinding "$role" --clusterrole="flowpilot-tenant-$role" --group="flowpilot:chart-check:$role" -n "$SCRATCH" >/dev/null
  done
  ada=$(person user:ada member) bob=$(person user:bob member) eve=$(person user:eve manager)
  o=$(person user:o operator) v=$(person user:v viewer) p=$(person user:p approver)
  workflow mine "flowpilot.io/created-by: 'user:ada'" | "$KUBECTL" create -f - >/dev/null
  allows "member makes an object in their own name" create -f - $ada $dry < <(workflow new "flowpilot.io/created-by: 'user:ada'")
  refuses "member makes none without a name" flowpilot-members create -f - $ada $dry < <(workflow new "")
  refuses "member makes none in another's name" flowpilot-members create -f - $ada $dry < <(workflow new "flowpilot.io/created-by: 'user:bob'")
  allows "member changes their own" label workflows.flowpilot.io mine a=b -n "$SCRATCH" $ada $dry
  refuses "member changes no other's" flowpilot-members label workflows.flowpilot.io mine a=b -n "$SCRATCH" $bob $dry
  refuses "member gives nothing away" flowpilot-members annotate workflows.flowpilot.io mine --overwrite flowpilot.io/created-by=user:bob -n "$SCRATCH" $ada $dry
  refuses "member deletes no other's" flowpilot-members delete workflows.flowpilot.io mine -n "$SCRATCH" $bob $dry
  allows "member deletes their own" delete workflows.flowpilot.io mine -n "$SCRATCH" $ada $dry
  allows "member reads another's" get workflows.flowpilot.io mine -n "$SCRATCH" $bob -o name
  allows "manager changes another's" label workflows.flowpilot.io mine a=b -n "$SCRATCH" $eve $dry
  refuses "manager changes no connection yet" no auth can-i update connections.flowpilot.io -n "$SCRATCH" $eve
  run='{"apiVersion": "flowpilot.io/v1alpha1", "kind": "WorkflowRun", "metadata": {"name": "x", "namespace": "'$SCRATCH'"}, "spec": {"workflow": "x"}}'
  refuses "manager reaches no other namespace" no auth can-i get workflows.flowpilot.io -n default $eve
  allows "operator (role) starts runs" auth can-i create workflowruns.flowpilot.io -n "$SCRATCH" $o
  refuses "operator (role) changes no workflow" no auth can-i update workflows.flowpilot.io -n "$SCRATCH" $o
  refuses "viewer starts no run" Forbidden create -f - $v $dry <<<"$run"
  refuses "approver sees no workflow" Forbidden get workflows.flowpilot.io -n "$SCRATCH" $p
}

echo
if [ "$failed" -eq 0 ]; then verdict=ok; else verdict=FAILED; fi
echo "test result: $verdict. $passed passed; $failed failed; 0 ignored"
[ "$failed" -eq 0 ]

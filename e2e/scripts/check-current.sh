#!/usr/bin/env bash
# Says what a cluster of one's own lacks for `make up CLUSTER=current`. Reads only.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
. "$here/../images/load.sh"

problems=0
problem() { say "error: $1"; say "       $2"; problems=$((problems + 1)); }

if ! command -v kubectl >/dev/null; then
  problem "no kubectl on PATH" "install it, or e2e/scripts/tools.sh puts one into $tools_bin"
elif ! kubectl --request-timeout=10s get --raw /readyz >/dev/null 2>&1; then
  server=$(kubectl config view --minify -o 'jsonpath={.clusters[0].cluster.server}' 2>/dev/null)
  if [ -n "$server" ]; then what="no cluster answers at $server"; else what="KUBECONFIG (${KUBECONFIG:-$HOME/.kube/config}) names no cluster"; fi
  problem "$what" \
    "set KUBECONFIG to a file that has one, and choose its context: kubectl config use-context …"
else
  for right in "create customresourcedefinitions" "create clusterroles" "create namespaces"; do
    # shellcheck disable=SC2086  # a verb and a resource
    kubectl auth can-i $right --all-namespaces >/dev/null 2>&1 ||
      problem "you may not $right in this cluster" "installing needs the rights of cluster-admin"
  done
  way=$(image_way)
  case $way in
    kind | k3d) command -v "$way" >/dev/null || problem "the cluster is one of $way, and there is no program $way on PATH to load images with" "install it" ;;
    none)
      problem "nobody knows how the nodes of this cluster get images: it is neither kind nor k3d, and IMAGE_REGISTRY is not set" \
        "make images writes archives to $cache/images and prints their tag: push them to a registry and set IMAGE_REGISTRY to it, or import them into each node (ctr -n k8s.io images import FILE) and set IMAGE_REGISTRY=localhost"
      ;;
  esac
  secret=${DATABASE_SECRET:-flowpilot-database}
  if [ -z "${FLOWPILOT_DATABASE_URL:-}" ] && ! kubectl get secret -n flowpilot-system "$secret" >/dev/null 2>&1; then
    problem "no database: FLOWPILOT_DATABASE_URL is not set, and there is no Secret $secret in flowpilot-system" \
      "set FLOWPILOT_DATABASE_URL to a Postgres 15 or newer as pods reach it (and FLOWPILOT_DATABASE_CA to its CA file), with a login that has CREATEROLE; or make the Secret with the keys url and ca.crt and set DATABASE_SECRET"
  fi
fi
[ $problems -eq 0 ] || exit 1

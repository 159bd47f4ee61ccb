# The parts of the local node: their names, ports, processes. Sourced after scripts/lib.sh.
# shellcheck shell=bash disable=SC2034,SC2154

cluster_parts=(etcd apiserver controller-manager scheduler containerd kubelet proxy coredns)
# etcd, its peers, the API server, the kubelet's two, and the health ports of proxy, controller-manager and scheduler.
cluster_ports=(2379 2380 6443 10250 10248 10249 10256 10257 10259)
# DNS and its health, on the node's address only: a resolver on loopback is not in the way.
node_ports=(53 8181)

# In the background, in a session of its own, logged, its pid kept. The lock of the caller is not passed on.
start_part() { # name, command...
  local name=$1
  shift
  setsid "$@" >>"$cluster_state/logs/$name.log" 2>&1 </dev/null 9>&- &
  echo $! >"$cluster_state/pids/$name"
}
part_runs() { alive "$cluster_state/pids/$1" "$cluster_state"; }
any_part_runs() {
  local part
  for part in "${cluster_parts[@]}"; do part_runs "$part" && return 0; done
  return 1
}
# All processes are there and the API server says it is ready.
cluster_runs() {
  local part
  for part in "${cluster_parts[@]}"; do part_runs "$part" || return 1; done
  "$cluster_bin/kube" kubectl --kubeconfig="$local_kubeconfig" --request-timeout=5s get --raw /readyz >/dev/null 2>&1
}

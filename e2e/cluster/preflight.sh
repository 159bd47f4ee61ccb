#!/usr/bin/env bash
# Says everything that stands in the way of a local cluster, each with its remedy, before anything is changed.
# Reads only. Exit status 1 when something is in the way.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../scripts/lib.sh"
. "$here/parts.sh"
. "$here/../postgres/lib.sh"

problems=0
problem() { say "error: $1"; say "       $2"; problems=$((problems + 1)); }

[ "$(id -u)" = 0 ] ||
  problem "not root: a node makes network interfaces, mounts and cgroups" "run it with sudo, or use a cluster you have: make up CLUSTER=current"
[ "$(uname -m)" = x86_64 ] || problem "this machine is $(uname -m); images are built for x86_64" "use a cluster you have: make up CLUSTER=current"

if ! grep -q ' cgroup2\? ' /proc/mounts; then
  problem "no cgroups are mounted" "boot with systemd, or mount them: mount -t cgroup2 none /sys/fs/cgroup"
elif ! grep -qE '^\S+ \S+ cgroup \S*\bmemory\b' /proc/mounts && ! grep -qw memory /sys/fs/cgroup/cgroup.controllers 2>/dev/null; then
  problem "the memory controller of cgroups is off" "boot with cgroup_enable=memory on the kernel's command line"
fi

command -v apt-get >/dev/null || problem "no apt-get: the node's packages are Debian's" "use a cluster you have: make up CLUSTER=current"
command -v go >/dev/null || [ -x "$cluster_bin/kube" ] ||
  problem "no Go compiler on PATH, and Kubernetes is built from Go modules" "install Go 1.24 or newer (https://go.dev/dl)"

if ! any_part_runs; then
  taken=()
  for port in "${cluster_ports[@]}"; do port_taken "$port" && taken+=("$port"); done
  for port in "${node_ports[@]}"; do port_taken "$port" $node_ip && taken+=("$port"); done
  [ ${#taken[@]} -eq 0 ] ||
    problem "ports in use that Kubernetes needs: ${taken[*]}" "see by what (package iproute2): ss -ltnp | grep -E ':($(IFS='|'; echo "${taken[*]}")) '; stop it and try again"
  for address in "${pod_range%/*}" $node_ip $kubernetes_ip; do
    interface=$(network_with "$address")
    [ -z "$interface" ] ||
      problem "$address belongs to the network of the interface $interface, and Kubernetes needs it (podman's default network is one)" \
        "stop what uses that network and remove the interface, or use a cluster you have: make up CLUSTER=current"
  done
  memory=$(($(awk '$1 == "MemAvailable:" {print $2}' /proc/meminfo) / 1024))
  [ "$memory" -ge 2000 ] || problem "only $memory MB of memory available, 2000 MB are needed" "close something large and try again"
fi

choose_server main
server_runs || ! port_taken $postgres_port ||
  problem "port $postgres_port is taken, and the local Postgres needs it" "see by what (package iproute2): ss -ltnp 'sport = :$postgres_port'; stop it and try again"

nearest_folder() { # the path itself, or what of it exists already
  local path=$1
  while [ ! -d "$path" ]; do path=$(dirname "$path"); done
  echo "$path"
}
disk() { # path, GB
  local path free
  path=$(nearest_folder "$1")
  free=$(($(df -Pk "$path" | awk 'NR == 2 {print $4}') / 1048576))
  [ "$free" -ge "$2" ] ||
    problem "only $free GB free on the disk of $path, $2 GB are needed" "make room, or set FLOWPILOT_STATE and FLOWPILOT_CACHE to folders elsewhere"
}
disk "$state" 3
# Once Kubernetes and the crates are compiled, a rebuild needs little.
if [ -f "$cluster_bin/inputs" ] && [ -d "$CARGO_TARGET_DIR" ]; then disk "$cache" 2; else disk "$cache" 12; fi

[ $problems -eq 0 ] || exit 1

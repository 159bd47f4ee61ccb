#!/usr/bin/env bash
# Stops what up.sh started, by its recorded pids, and removes its folder, bridges, mounts, cgroups and rules.
# usage: down.sh [--keep]     --keep leaves the folder (keys, objects, images) for the next up.sh
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../scripts/lib.sh"
. "$here/parts.sh"
. "$here/leftovers.sh"

keep='' locked=''
for argument in "$@"; do
  case $argument in
    --keep) keep=yes ;;
    --locked) locked=yes ;; # up.sh calls, and holds the lock
    *) fail "unknown argument $argument" "usage: down.sh [--keep]" ;;
  esac
done
[ -d "$cluster_state" ] || exit 0
[ "$(id -u)" = 0 ] || fail "not root" "run it with sudo"
[ -n "$locked" ] || lock cluster

stop_parts() { # part...: asks, waits up to 10 s, then insists
  local part pids=()
  for part in "$@"; do
    part_runs "$part" && pids+=("$(cat "$cluster_state/pids/$part")")
  done
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null
  for _ in $(seq 50); do
    local left=''
    for part in "$@"; do part_runs "$part" && left=yes; done
    [ -n "$left" ] || break
    sleep 0.2
  done
  for part in "$@"; do
    part_runs "$part" && kill -9 "$(cat "$cluster_state/pids/$part")" 2>/dev/null
    rm -f "$cluster_state/pids/$part"
  done
}
containers() { timeout 20 ctr -a "$cluster_state/containerd.sock" -n k8s.io "$@" 2>/dev/null; }

stop_parts kubelet proxy coredns scheduler controller-manager
if part_runs containerd; then
  containers tasks ls -q | while read -r task; do containers tasks kill -s SIGKILL "$task"; containers tasks delete -f "$task"; done
  containers containers ls -q | while read -r container; do containers containers rm "$container"; done
fi >/dev/null
# Their command line names our socket and no other's.
for shim in $(pids_with "-address $cluster_state/containerd.sock"); do kill "$shim"; done
stop_parts containerd apiserver
stop_parts etcd
awk -v s="$cluster_state/" 'index($2, s) == 1 {print $2}' /proc/mounts | sort -r | xargs -r -n1 umount -l
ip link del cni0 2>/dev/null
for family in ip ip6; do nft delete table $family kube-proxy 2>/dev/null; done
for direction in -i -o; do iptables -D FORWARD $direction cni0 -j ACCEPT 2>/dev/null; done
ip netns list 2>/dev/null | awk '/^cni-/ {print $1}' | xargs -r -n1 ip netns del
rm -rf "$cluster_state/cni/leases"
sweep_leftovers
find /sys/fs/cgroup -depth -type d -path '*/kubepods*' -exec rmdir {} + 2>/dev/null
if [ -z "$keep" ]; then
  ip link del fpnode 2>/dev/null
  rm -rf "$cluster_state"
fi
exit 0

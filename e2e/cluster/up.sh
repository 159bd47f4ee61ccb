#!/usr/bin/env bash
# Starts a single-node Kubernetes on this machine, as root. A running one is left alone (well under a second); what is
# left of a killed one is cleaned up and started again with its objects.
# usage: up.sh     then: export KUBECONFIG="$(e2e/cluster/up.sh)"
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../scripts/lib.sh"
. "$here/parts.sh"

[ -x "$cluster_bin/kube" ] || fail "no $cluster_bin/kube" "build it first: e2e/cluster/build.sh"
lock cluster
if cluster_runs; then
  echo "$local_kubeconfig"
  exit 0
fi
"$here/preflight.sh" || exit 1
[ ! -d "$cluster_state" ] || "$here/down.sh" --keep --locked

kube=$cluster_bin/kube
pki=$cluster_state/pki
umask 022 # what containerd unpacks is read by users who are not root
mkdir -p "$cluster_state"/{pki,etcd,logs,pids,kubelet,cni}
chmod 711 "$state" "$cluster_state"
chmod 700 "$cluster_state"/{pki,etcd,logs}
rm -f "$cluster_state"/logs/*.log
export KUBECONFIG=$local_kubeconfig
kubectl() { "$kube" kubectl "$@"; }

. "$here/pki.sh"
[ -f "$pki/complete" ] || make_pki

# Each part's configuration is a file of this folder with a few names filled in.
render() { # name of the file, target
  sed -e "s|@state@|$cluster_state|g" -e "s|@pki@|$pki|g" -e "s|@node_ip@|$node_ip|g" -e "s|@pods@|$pod_range|g" -e "s|@dns_ip@|$dns_ip|g" \
    "$here/config/$1" >"$2"
}
render containerd.toml "$cluster_state/containerd.toml"
render bridge.conflist "$cluster_state/cni/10-bridge.conflist"
render kubelet.yaml "$cluster_state/kubelet.yaml"
render proxy.yaml "$cluster_state/proxy.yaml"
render audit.yaml "$cluster_state/audit.yaml"
render Corefile "$cluster_state/Corefile"
# Names outside the cluster go to the machine's own resolver, where there is one.
grep -q '^nameserver' /etc/resolv.conf 2>/dev/null ||
  sed -i '/forward/d' "$cluster_state/Corefile"

node_address
echo 1 >/proc/sys/net/ipv4/ip_forward
# Docker and some firewalls drop what is forwarded; pods' traffic is.
if command -v iptables >/dev/null && iptables -S FORWARD 2>/dev/null | grep -q '^-P FORWARD DROP'; then
  for direction in -i -o; do
    iptables -C FORWARD $direction cni0 -j ACCEPT 2>/dev/null || iptables -I FORWARD $direction cni0 -j ACCEPT
  done
fi

# Everything listens on the node's address or on loopback, nothing on the networks that this machine is in.
# No fsync: this etcd holds nothing that `make up` could not make again, and laptops have slow disks.
start_part etcd "$kube" etcd --data-dir "$cluster_state/etcd" --unsafe-no-fsync \
  --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380
start_part apiserver "$kube" kube-apiserver --etcd-servers=http://127.0.0.1:2379 --bind-address=$node_ip --secure-port=6443 --advertise-address=$node_ip \
  --service-cluster-ip-range=$service_range --kubelet-preferred-address-types=InternalIP --authorization-mode=Node,RBAC \
  --enable-admission-plugins=NodeRestriction --client-ca-file="$pki/ca.crt" \
  --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
  --kubelet-client-certificate="$pki/kubelet-client.crt" --kubelet-client-key="$pki/kubelet-client.key" \
  --service-account-key-file="$pki/sa.pub" --service-account-signing-key-file="$pki/sa.key" \
  --service-account-issuer=https://kubernetes.default.svc.cluster.local \
  --audit-policy-file="$cluster_state/audit.yaml" --audit-log-path="$cluster_state/logs/audit.log" --audit-log-maxsize=100 --audit-log-maxbackup=1
if ! wait_for 60 "the API server" kubectl --request-timeout=5s get --raw /readyz; then
  tail -n 5 "$cluster_state"/logs/{etcd,apiserver}.log >&2
  fail "the API server did not become ready" "start afresh: make down, then make up"
fi
start_part controller-manager "$kube" kube-controller-manager --flex-volume-plugin-dir="$cluster_state/kubelet/volume-plugins" --bind-address=127.0.0.1 --kubeconfig="$cluster_state/controller-manager.kubeconfig" --leader-elect=false \
  --service-account-private-key-file="$pki/sa.key" --root-ca-file="$pki/ca.crt" --use-service-account-credentials
start_part scheduler "$kube" kube-scheduler --bind-address=127.0.0.1 --kubeconfig="$cluster_state/scheduler.kubeconfig" --leader-elect=false

start_part containerd containerd --config "$cluster_state/containerd.toml"
wait_for 30 containerd ctr -a "$cluster_state/containerd.sock" version
ctr -a "$cluster_state/containerd.sock" -n k8s.io images import "$cluster_bin/pause.tar" >/dev/null
start_part kubelet "$kube" kubelet --config="$cluster_state/kubelet.yaml" --kubeconfig="$cluster_state/kubelet.kubeconfig" \
  --root-dir="$cluster_state/kubelet" --hostname-override=node1 --node-ip=$node_ip
wait_for 60 "the node's object" kubectl get node node1
start_part proxy "$kube" kube-proxy --config="$cluster_state/proxy.yaml"

# DNS runs on the node, behind the usual Service name and address. Its rights come first, or it starts with errors.
sed -e "s|@node_ip@|$node_ip|g" -e "s|@dns_ip@|$dns_ip|g" "$here/config/dns.yaml" | kubectl apply -f - >/dev/null
start_part coredns "$kube" coredns -conf "$cluster_state/Corefile"
wait_for 60 "a Ready node" kubectl wait --for=condition=Ready node/node1 --timeout=60s
wait_for 60 "the default ServiceAccount" kubectl get serviceaccount default
wait_for 30 DNS curl -fs "http://$node_ip:8181/ready"
echo "$local_kubeconfig"

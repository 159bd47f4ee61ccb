# The local cluster's certificates and kubeconfigs. Sourced by up.sh; needs $pki, $kube, $cluster_state.
# shellcheck shell=bash disable=SC2154

certificate() { # name, subject, extensions
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$pki/$1.key" -out "$pki/$1.csr" -subj "$2" 2>/dev/null
  openssl x509 -req -in "$pki/$1.csr" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -CAcreateserial -days 3650 \
    -out "$pki/$1.crt" -extfile <(printf '%s\n' "$3") 2>/dev/null
}

kubeconfig() { # name
  local file=$cluster_state/$1.kubeconfig
  "$kube" kubectl --kubeconfig="$file" config set-cluster flowpilot-local --server="https://$node_ip:6443" \
    --certificate-authority="$pki/ca.crt" --embed-certs >/dev/null
  "$kube" kubectl --kubeconfig="$file" config set-credentials "$1" --client-certificate="$pki/$1.crt" --client-key="$pki/$1.key" --embed-certs >/dev/null
  "$kube" kubectl --kubeconfig="$file" config set-context flowpilot-local --cluster=flowpilot-local --user="$1" >/dev/null
  "$kube" kubectl --kubeconfig="$file" config use-context flowpilot-local >/dev/null
}

make_pki() {
  local user client=extendedKeyUsage=clientAuth
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$pki/ca.key" -out "$pki/ca.crt" \
    -days 3650 -subj /CN=flowpilot-local-kubernetes 2>/dev/null
  openssl genrsa -out "$pki/sa.key" 2048 2>/dev/null
  openssl rsa -in "$pki/sa.key" -pubout -out "$pki/sa.pub" 2>/dev/null
  certificate apiserver /CN=kube-apiserver \
    "subjectAltName=DNS:localhost,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:$kubernetes_ip,IP:$node_ip"
  certificate kubelet /O=system:nodes/CN=system:node:node1 $'extendedKeyUsage=clientAuth,serverAuth\nsubjectAltName=DNS:node1,IP:'"$node_ip"
  certificate kubelet-client /O=system:masters/CN=apiserver-kubelet-client $client
  certificate admin /O=system:masters/CN=admin $client
  certificate controller-manager /CN=system:kube-controller-manager $client
  certificate scheduler /CN=system:kube-scheduler $client
  certificate proxy /CN=system:kube-proxy $client
  certificate coredns /CN=system:coredns $client
  for user in admin controller-manager scheduler kubelet proxy coredns; do kubeconfig $user; done
  touch "$pki/complete"
}

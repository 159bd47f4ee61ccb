#!/usr/bin/env bash
# Builds what a node is made of: Debian's packages, the `kube` binary (all Kubernetes parts) and the pause image.
# Cold about 5 to 8 min on 2 cores, once; when nothing changed, at once. Needs Go and a C compiler.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../scripts/lib.sh"

version=v1.34.4 # the last line that takes Debian's containerd 1.6 and cgroup v1
need_packages containerd:containerd runc:runc nft:nftables ip:iproute2 conntrack:conntrack \
  openssl:openssl curl:curl flock:util-linux python3:python3 gcc:gcc /usr/include/stdlib.h:libc6-dev /usr/lib/cni/bridge:containernetworking-plugins
command -v go >/dev/null || fail "no Go compiler on PATH" "install Go 1.24 or newer: https://go.dev/dl, or apt-get install golang"

mkdir -p "$cluster_bin" "$tools_bin"
# What goes in decides: the same sources and compiler need no build.
inputs=$(cat "$here"/kube/* "$here/pause.c" "$here/image.py" <(echo "$version"; go version) | sha256sum | cut -d' ' -f1)
if [ "$(cat "$cluster_bin/inputs" 2>/dev/null)" != "$inputs" ]; then
  variable=k8s.io/component-base/version
  # Beside and renamed: a running cluster keeps its binary.
  (cd "$here/kube" && CGO_ENABLED=0 go build -mod=readonly -trimpath -o "$cluster_bin/kube.new" \
    -ldflags "-s -w -X $variable.gitVersion=$version -X $variable.gitMajor=1 -X $variable.gitMinor=34" .)
  mv "$cluster_bin/kube.new" "$cluster_bin/kube"
  gcc -O2 -static -s -o "$cluster_bin/pause" "$here/pause.c"
  python3 "$here/image.py" "$cluster_bin/pause.tar" localhost/pause:1 '["/pause"]' "$cluster_bin/pause=/pause"
  echo "$inputs" >"$cluster_bin/inputs"
fi
# The kubectl of the same version: one that is three minors ahead of the server is outside its support.
ln -sfn "$cluster_bin/kube" "$tools_bin/kubectl"

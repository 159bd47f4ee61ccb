# What the kubelet, containerd and the CNI plugins write outside our folder, and do not take away when pods are killed
# instead of deleted. Sourced by down.sh; needs nothing to run.
# shellcheck shell=bash disable=SC2154

sweep_leftovers() {
  local results=/var/lib/cni/results file container rules
  # The bridge plugin masquerades each pod by a chain of its own; its comment has the name of our network.
  if command -v iptables-save >/dev/null; then
    rules=$(iptables-save -t nat 2>/dev/null | awk '
      /^-A POSTROUTING / && index($0, "name: \\\"flowpilot\\\"") {
        sub(/^-A/, "-D")
        rules = rules $0 "\n"
        chains = chains "-F " $NF "\n-X " $NF "\n"
      }
      END {if (rules != "") printf "*nat\n%s%sCOMMIT\n", rules, chains}')
    [ -z "$rules" ] || iptables-restore --noflush <<<"$rules"
  fi
  # What each pod got, noted per network; loopback's is not ours by name, but by the container.
  for file in "$results"/flowpilot-*; do
    [ -e "$file" ] || continue
    container=$(basename "$file" | cut -d- -f2)
    rm -f "$file" "$results/cni-loopback-$container-lo"
  done
  [ ! -d /var/log/containers ] || find /var/log/containers -lname "$cluster_state/*" -delete
  # Places that cannot be chosen; what is not empty belongs to somebody else.
  rm -f /var/lib/kubelet/device-plugins/kubelet.sock
  rmdir /var/lib/cni/results /var/lib/cni /var/lib/kubelet/device-plugins /var/lib/kubelet /var/log/containers \
    /run/containerd/runc/k8s.io /run/containerd/runc /run/containerd/s /run/containerd 2>/dev/null
}

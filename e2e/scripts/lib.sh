# Shared by every script of the local world: where things live, how steps are printed, how processes are kept.
# Sourced, never run. Purpose: one place that knows the paths and ports, so that no script guesses another's.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# What may be thrown away at any time without losing anything but minutes: compiled things, downloaded tools.
cache=${FLOWPILOT_CACHE:-$HOME/.cache/flowpilot}
# What `make up` made and `make down` removes: keys, data folders, logs, pids. Never inside the clone.
# For root it is not under $HOME, because Postgres runs as a user who may not enter root's home.
if [ "$(id -u)" = 0 ]; then default_state=/var/lib/flowpilot; else default_state=$HOME/.local/state/flowpilot; fi
state=${FLOWPILOT_STATE:-$default_state}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}

cluster_state=$state/cluster
cluster_bin=$cache/cluster-bin
tools_bin=$cache/bin
local_kubeconfig=$cluster_state/admin.kubeconfig
export PATH=$tools_bin:$PATH

# shellcheck disable=SC2034  # read by the scripts that source this file
{
  node_ip=10.89.0.1 # on a bridge of its own: the kubelet refuses a loopback address
  pod_range=10.88.0.0/24
  service_range=10.96.0.0/16
  kubernetes_ip=10.96.0.1
  dns_ip=10.96.0.10
  postgres_port=5433      # beside a system Postgres on 5432
  postgres_test_port=5434 # the throw-away one of the tests
}

say() { printf '%s\n' "$*" >&2; }
fail() { # what is wrong, what to do
  say "error: $1"
  [ -z "${2:-}" ] || say "       $2"
  exit 1
}

# Runs a command until it succeeds; gives up with its last words after so many seconds.
wait_for() { # seconds, what, command...
  local deadline=$((SECONDS + $1)) what=$2 output
  shift 2
  until output=$("$@" 2>&1); do
    if [ $SECONDS -ge $deadline ]; then
      say "gave up waiting for $what: $output"
      return 1
    fi
    sleep 0.2
  done
}

# A recorded pid counts only while that process still runs what we started: pids are used again after a reboot.
alive() { # pid file, a word of the command line
  local pid
  pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] && { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF -- "$2"
}

# By anyone, on any address; with an address, only what listens there or everywhere. Read from the kernel: the checks
# come before any package is installed.
port_taken() { # port [IPv4 address]
  local address=''
  [ -z "${2:-}" ] || address=$(printf '%08X' "$(address_number "$2")")
  awk -v port="$(printf ':%04X' "$1")" -v address="$address" '
    $4 == "0A" && substr($2, length($2) - 4) == port {
      at = substr($2, 1, length($2) - 5)
      if (address == "" || at == address || at ~ /^0+$/) found = 1
    }
    END {exit !found}' /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# As the kernel writes it: the first byte is the lowest.
address_number() { # IPv4 address
  local a b c d
  IFS=. read -r a b c d <<<"$1"
  echo $((a | b << 8 | c << 16 | d << 24))
}

# The interface of a network, other than ours, that has this address. Wider ones than /16 do not count: a VPN that takes
# 10.0.0.0/8 loses a few addresses to us, and nothing breaks.
network_with() { # IPv4 address
  local address interface destination mask
  address=$(address_number "$1")
  while read -r interface destination _ _ _ _ _ mask _; do
    case $interface in Iface | cni0 | fpnode) continue ;; esac
    [ $((16#$mask & 0xFFFF)) -eq $((0xFFFF)) ] && [ $((address & 16#$mask)) -eq $((16#$destination)) ] || continue
    echo "$interface"
    return
  done </proc/net/route
}

# Pids of the processes whose command line has this text.
pids_with() { # text
  local file
  for file in /proc/[0-9]*/cmdline; do
    { tr '\0' ' ' <"$file"; } 2>/dev/null | grep -qF -- "$1" && basename "$(dirname "$file")"
  done
  return 0
}

# One script at a time changes the local world; a second one waits for the first.
lock() { # name
  mkdir -p "$state"
  exec 9>"$state/.$1.lock"
  flock -w 600 9 || fail "another script has been holding $state/.$1.lock for 10 min" "see who: fuser $state/.$1.lock"
}

# Installs Debian packages for the commands that are missing. Arguments: command:package or /path:package.
need_packages() {
  local pair missing=()
  for pair in "$@"; do
    case $pair in
      /*) [ -e "${pair%%:*}" ] || missing+=("${pair##*:}") ;;
      *) command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}") ;;
    esac
  done
  [ ${#missing[@]} -eq 0 ] && return
  [ "$(id -u)" = 0 ] || fail "missing packages: ${missing[*]}" "as root: apt-get install ${missing[*]}"
  command -v apt-get >/dev/null || fail "missing: ${missing[*]}, and this is no Debian" "install what provides them and try again"
  say "installing ${missing[*]}"
  apt-get update -q >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends \
    -o Dpkg::Options::=--force-confold "${missing[@]}" >&2 ||
    fail "apt-get could not install ${missing[*]}" "its reason stands above"
}

# The address that the node, its DNS and Postgres share. Idempotent.
node_address() {
  ip link show fpnode >/dev/null 2>&1 || ip link add fpnode type bridge
  ip addr replace "$node_ip/32" dev fpnode
  ip link set fpnode up
}

# Brings an image archive to the nodes of a cluster. Sourced by build.sh.
# shellcheck shell=bash disable=SC2154

load_image() { # none|local|current, archive, reference
  case $1 in
    none) ;;
    local) load_local "$2" "$3" ;;
    current) load_current "$2" "$3" ;;
  esac
}

local_images() { ctr -a "$cluster_state/containerd.sock" -n k8s.io images "$@"; }

load_local() { # archive, reference: the reference names the content, so that one which is there is the right one
  part_runs containerd || return 0
  [ -z "$(local_images ls -q "name==$2")" ] || return 0
  local_images import "$1" >/dev/null || fail "containerd did not take $1" "its log: $cluster_state/logs/containerd.log"
}

# Keeps the images of the last builds only: pods of the one before may still be restarting.
prune_local() { # newest tag
  part_runs containerd || return 0
  local keep=3 list=$cluster_state/image-tags
  touch "$list"
  awk -v newest="$1" '$0 != newest {print} END {print newest}' "$list" | tail -n $keep >"$list.new"
  mv "$list.new" "$list"
  # Our images whose tag ends with a digest and is none of these; the tag of the plain version stays.
  local_images ls -q |
    awk -F: 'NR == FNR {keep[$0]; next} $1 ~ /^localhost\/flowpilot/ && $2 ~ /-[0-9a-f]+$/ && !($2 in keep)' "$list" - |
    xargs -r ctr -a "$cluster_state/containerd.sock" -n k8s.io images rm >/dev/null
}

# How the nodes of the cluster of KUBECONFIG get images: `kind`, `k3d` or `local` where a program brings them there,
# `registry` where IMAGE_REGISTRY says that they have a way of their own, `none` where nothing is known.
image_way() {
  local context
  context=$(kubectl config current-context 2>/dev/null)
  case ${IMAGE_REGISTRY:+registry}/$context in
    registry/*) echo registry ;;
    /kind-*) echo kind ;;
    /k3d-*) echo k3d ;;
    /flowpilot-local) echo local ;;
    *) echo none ;;
  esac
}

load_current() { # archive, reference
  local context
  context=$(kubectl config current-context)
  case $(image_way) in
    kind) kind load image-archive "$1" --name "${context#kind-}" >&2 ;;
    k3d) k3d image import "$1" --cluster "${context#k3d-}" >&2 ;;
    local) load_local "$1" "$2" ;;
    registry | none) say "    not loaded: bring $1 to the nodes of $context as ${IMAGE_REGISTRY:-localhost}/${2#localhost/}" ;;
  esac
}

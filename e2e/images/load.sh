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
  { cat "$list" 2>/dev/null || true; } | grep -vxF "$1" >"$list.new" || true
  echo "$1" >>"$list.new"
  tail -n $keep "$list.new" >"$list" && rm -f "$list.new"
  local_images ls -q | grep -E '^localhost/flowpilot[a-z-]*:.*-[0-9a-f]{10}$' | grep -vFf <(sed 's/^/:/' "$list") |
    xargs -r ctr -a "$cluster_state/containerd.sock" -n k8s.io images rm >/dev/null || true
}

load_current() { # archive, reference
  local context
  context=$(kubectl config current-context)
  case $context in
    kind-*)
      command -v kind >/dev/null || fail "the context $context is of kind, and there is no program kind" "put kind on PATH"
      kind load image-archive "$1" --name "${context#kind-}" >&2
      ;;
    k3d-*)
      command -v k3d >/dev/null || fail "the context $context is of k3d, and there is no program k3d" "put k3d on PATH"
      k3d image import "$1" --cluster "${context#k3d-}" >&2
      ;;
    flowpilot-local) load_local "$1" "$2" ;;
    *)
      say "  $context is neither kind nor k3d: bring $1 to its nodes, or push it to a registry"
      say "  (docker load -i $1; docker tag $2 REGISTRY/…; docker push …) and set IMAGE_REGISTRY=REGISTRY"
      ;;
  esac
}

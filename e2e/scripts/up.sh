#!/usr/bin/env bash
# `make up`: from a bare machine to a workflow that ran. Every step can be done again; again takes seconds.
#
# CLUSTER=local (default)   a single-node Kubernetes and Postgres on this machine
# CLUSTER=current           the cluster of KUBECONFIG, with a Postgres of yours: either FLOWPILOT_DATABASE_URL (as pods reach it;
#                           FLOWPILOT_DATABASE_CA names its CA file) or a Secret, by DATABASE_SECRET, in flowpilot-system;
#                           docs/development.md says how images get there
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
. "$here/steps.sh"
export CLUSTER=${CLUSTER:-local}
begin=$(date +%s%N)
cd "$root"

# Before anything is changed: all that stands in the way.
ready=yes
if ! command -v cargo >/dev/null; then
  say "error: no cargo on PATH"
  say "       install Rust: https://rustup.rs (rust-toolchain.toml names the version)"
  ready=
fi
case $CLUSTER in
  local) e2e/cluster/preflight.sh || ready= ;;
  current) e2e/scripts/check-current.sh || ready= ;;
  *) fail "CLUSTER=$CLUSTER is not known" "use CLUSTER=local (the default) or CLUSTER=current" ;;
esac
[ -n "$ready" ] || exit 1

build_images() { # the tag goes to a file: steps run in a shell of their own
  local how=
  [ "$CLUSTER" = local ] || how=--current
  e2e/images/build.sh $how >"$state/tag.new" && mv "$state/tag.new" "$state/tag"
}
publish_database() {
  if [ "$CLUSTER" = local ]; then
    e2e/postgres/publish.sh
  elif [ -n "${FLOWPILOT_DATABASE_URL:-}" ]; then
    e2e/postgres/publish.sh --external
  fi
}
install() { e2e/scripts/install.sh "${IMAGE_TAG:-$(cat "$state/tag")}"; }
run_sample() { e2e/scripts/samples.sh run >"$state/last-run"; cat "$state/last-run"; }

mkdir -p "$state"
if [ "$CLUSTER" = local ]; then
  steps_begin "$state/logs/up.log" 9
  step "install packages, build Kubernetes from its sources (cold: 5 to 8 min)" e2e/cluster/build.sh
  step "install helm" e2e/scripts/tools.sh
  step "start Kubernetes" e2e/cluster/up.sh
  step "start Postgres" e2e/postgres/up.sh
  export KUBECONFIG=$local_kubeconfig
else
  steps_begin "$state/logs/up.log" "$([ -z "${IMAGE_TAG:-}" ] && echo 6 || echo 5)"
  step "install helm" e2e/scripts/tools.sh
fi
[ -n "${IMAGE_TAG:-}" ] || step "build the images (cold: about 10 min)" build_images
step "make the database known to the cluster" publish_database
step "install FlowPilot and the sample server" install
step "apply config/samples, wait until Ready" e2e/scripts/samples.sh apply
step "run a workflow" run_sample

. "$here/closing.sh"

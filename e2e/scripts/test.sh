#!/usr/bin/env bash
# `make test`: everything that can fail, cheap things first, ending with one line: "N passed, N failed".
#
# usage: test.sh          all
#        test.sh --quick  `make check`: formatting, lints, and the tests inside the crates
#
# Cargo is always asked for the whole workspace: a crate alone (-p) would select other features of the dependencies and
# compile them all again.
#
# A check (formatting, lints, charts, starting the cluster) counts as one; a part that breaks before its
# tests ran counts as a failure. After a failure the parts that need the cluster are left out, and that is said;
# KEEP_GOING=1 runs them all the same.
#
# A local world that already runs (`make up`) is used and stays up: its ports can be had only once. The tests keep to
# tenants of their own, but they do restart FlowPilot and upgrade it to this working tree.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
. "$here/steps.sh"
. "$here/../cluster/parts.sh"
. "$here/../postgres/lib.sh"
cd "$root" || exit 1

quick=
case ${1:-} in
  --quick) quick=yes ;;
  "") ;;
  *) fail "unknown argument $1" "usage: test.sh [--quick]" ;;
esac

passed=0 failed=0 broken=()
logs=$cache/test-logs
mkdir -p "$logs"

# One command that is a check: it passes or fails as a whole.
check() { # name, command...
  run_part "$@"
  if [ $part_status -eq 0 ]; then passed=$((passed + 1)); else note_failure "$1" 1; fi
}
# One command that runs tests: cargo's result lines are summed up.
tests() { # name, command...
  run_part "$@"
  local counts part_passed part_failed
  counts=$(awk '/^test result: / {for (i = 1; i < NF; i++) {if ($(i+1) == "passed;") p += $i; if ($(i+1) == "failed;") f += $i}} END {print p + 0, f + 0}' "$part_log")
  part_passed=${counts% *} part_failed=${counts#* }
  passed=$((passed + part_passed))
  echo "        $part_passed passed, $part_failed failed"
  if [ "$part_failed" -gt 0 ]; then
    note_failure "$1" "$part_failed"
  elif [ $part_status -ne 0 ] || [ "$part_passed" -eq 0 ]; then
    note_failure "$1" 1 # it broke, or there was nothing to run: neither is a success
  fi
}
run_part() { # name, command...: sets part_status and part_log
  local start
  part_log=$logs/$(echo "$1" | tr -c 'a-z0-9\n' '-').log
  printf '%-34s ' "$1"
  shift
  start=$(date +%s%N)
  "$@" >"$part_log" 2>&1 </dev/null
  part_status=$?
  echo "$([ $part_status -eq 0 ] && echo ok || echo FAILED)  $(seconds_since "$start") s"
}
note_failure() { # name, how many
  failed=$((failed + $2))
  broken+=("$1")
  # The failures themselves where cargo lists them, else the end of the output.
  if grep -q '^failures:$' "$part_log"; then sed -n '/^failures:$/,$p' "$part_log"; else cat "$part_log"; fi | tail -n 60 | sed 's/^/        /'
  echo "        all of it: $part_log"
}
finish() {
  [ ${#broken[@]} -eq 0 ] || printf 'failed: %s\n' "${broken[@]}"
  echo "$passed passed, $failed failed"
  [ $failed -eq 0 ] || exit 1
  exit 0
}
may_go_on() { [ $failed -eq 0 ] || [ -n "${KEEP_GOING:-}" ]; }
# What this run started, it stops; what was there before stays.
started=()
stop_started() {
  local what
  for what in "${started[@]}"; do
    case $what in
      test-postgres) e2e/postgres/down.sh --test ;;
      cluster) e2e/cluster/down.sh && e2e/postgres/down.sh && rm -f "$state/tag" "$state/last-run" ;;
    esac >>"$logs/teardown.log" 2>&1
  done
  started=()
}
trap stop_started EXIT
trap 'echo; echo "interrupted"; exit 130' INT TERM

export CARGO_TERM_COLOR=never
lint_charts() {
  local chart
  e2e/scripts/tools.sh || return 1
  for chart in charts/*/; do helm lint --strict "$chart" || return 1; done
  helm template flowpilot-crds charts/flowpilot-crds >/dev/null &&
    helm template flowpilot charts/flowpilot -n flowpilot-system -f e2e/values/local.yaml -f e2e/values/node.yaml >/dev/null
}

check "formatting" cargo fmt --all --check
check "lints" cargo clippy --workspace --all-targets --locked -- -D warnings
# Some tests inside the crates talk to Postgres: it starts in seconds. After `make check` it stays, for the next time.
choose_server test
[ -n "$quick" ] || server_runs || started+=(test-postgres)
check "test Postgres" e2e/postgres/up.sh --test
DATABASE_URL=$(cat "$state/postgres-test/url" 2>/dev/null)
export DATABASE_URL
if [ -n "$quick" ]; then
  tests "unit tests" cargo test --workspace --locked --no-fail-fast --lib --bins
  finish
fi
check "charts" lint_charts
tests "what the charts render" charts/check.sh
tests "unit and database tests" cargo test --workspace --locked --no-fail-fast
# All at once, so that what waits for its time to be over waits together.
proofs() { SEEDS=10000 FUZZ_SECONDS=30 cargo test --workspace --locked --test proofs -- --nocapture --test-threads=8; }
tests "10,000 seeds, and fuzzing" proofs
may_go_on || { echo "The cluster's tests are left out after these failures (KEEP_GOING=1 runs them)."; finish; }

any_part_runs || tests "missing preconditions" e2e/cluster/check-preflight.sh
# The cluster is up before its images are built, so that they are loaded as they come.
any_part_runs || started+=(cluster)
check "Kubernetes and Postgres" e2e/scripts/cluster-up.sh
export KUBECONFIG=$local_kubeconfig
build_images() { e2e/images/build.sh >"$state/tag.new" && mv "$state/tag.new" "$state/tag"; }
if may_go_on; then check "images" build_images; fi
install() { e2e/scripts/install.sh "$(cat "$state/tag")"; }
if may_go_on; then check "installation" install; fi
if may_go_on; then check "samples are Ready" e2e/scripts/samples.sh apply; fi
if may_go_on; then check "a sample runs" e2e/scripts/samples.sh run; fi
if may_go_on; then
  eval "$(e2e/scripts/env.sh)"
  tests "rights on the cluster" charts/check-cluster.sh
  tests "end-to-end tests" cargo test --workspace --locked --no-fail-fast --test cluster --test disruption
fi
stop_started
finish

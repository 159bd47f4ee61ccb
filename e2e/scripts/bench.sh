#!/usr/bin/env bash
# Measures the local world that `make up` started, and prints the table of docs/benchmarks.md. Close other programs first.
# usage: bench.sh [--rounds N]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
cd "$root"
eval "$("$here/env.sh")"
binaries=$CARGO_TARGET_DIR/x86_64-unknown-linux-gnu/release
e2e/images/build.sh --no-load >/dev/null
e2e/postgres/up.sh --test >/dev/null
DATABASE_URL=$(cat "$state/postgres-test/url") "$binaries/bench" --flowpilot "$binaries/flowpilot" "$@"

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
# The benches of the language, built with the flags of the images: their dependencies are compiled already.
engine() { RUSTFLAGS="-C target-feature=+crt-static" cargo bench --locked --workspace --target x86_64-unknown-linux-gnu "$@"; }
say "The language: compiler, expressions, interpreter"
rm -rf "$CARGO_TARGET_DIR/criterion"
engine --bench compile --bench expression --bench run -- --noplot >&2
engine --bench allocations >"$cache/allocations.jsonl"
say "The local world"
DATABASE_URL=$(cat "$state/postgres-test/url") "$binaries/bench" --flowpilot "$binaries/flowpilot" \
  --criterion "$CARGO_TARGET_DIR/criterion" --printed "$cache/allocations.jsonl" "$@"

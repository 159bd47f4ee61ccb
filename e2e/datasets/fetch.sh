#!/usr/bin/env bash
# Installs the pinned data sets into the cache folder (the clone stays clean). Again: a no-op.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../scripts/lib.sh"

target=$cache/datasets
if cmp -s "$here/package-lock.json" "$target/package-lock.json" && [ -d "$target/node_modules/vega-datasets/data" ]; then exit 0; fi
command -v npm >/dev/null || need_packages npm:npm
rm -rf "$target" && mkdir -p "$target"
cp "$here/package.json" "$here/.npmrc" "$target/"
cp "$here/package-lock.json" "$target/package-lock.json.new"
(cd "$target" && mv package-lock.json.new package-lock.json && npm ci --silent >&2) || {
  rm -rf "$target"
  fail "npm could not install the data sets" "its reason stands above"
}

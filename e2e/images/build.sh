#!/usr/bin/env bash
# Builds the container images without a container engine: static release binaries, one file and a CA bundle each.
# Cargo decides what to compile. Prints the tag of what it built: the version, and a digest over the content of all
# images, so that a changed program gives changed pods. Each image also has the plain version as a tag.
#
# usage: build.sh            build, and load into the local cluster when it runs
#        build.sh --no-load  build only
#        build.sh --current  build, and load into the kind or k3d cluster of KUBECONFIG
# The archives are in $FLOWPILOT_CACHE/images; `ctr images import`, `docker load` and `kind load` read them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../scripts/lib.sh"
. "$here/../cluster/parts.sh"
. "$here/load.sh"

case ${1:-} in
  "") load=local ;;
  --no-load) load=none ;;
  --current) load=current ;;
  *) fail "unknown argument $1" "usage: build.sh [--no-load|--current]" ;;
esac
limit_mb=30 # what an image may weigh: a cold node pulls it in a second or two
target=x86_64-unknown-linux-gnu
cd "$root"
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
ca=/etc/ssl/certs/ca-certificates.crt
need_packages $ca:ca-certificates python3:python3 strip:binutils
lock images

# The benchmark is built along: alone it would select other features of the dependencies and compile them all again.
# With --target the flags reach our code and not the build scripts, and these artifacts stay apart from the developer's.
RUSTFLAGS="-C target-feature=+crt-static" cargo build --locked --release --target $target \
  -p flowpilot-api -p flowpilot-operator -p flowpilot-runner -p flowpilot-cli -p flowpilot-e2e \
  --bin flowpilot-api --bin flowpilot-operator --bin flowpilot-runner --bin flowpilot --bin sample-server --bin bench >&2
# Cargo does not strip a package that has an optimisation level of its own.
binaries=$cache/stripped
mkdir -p "$binaries"
for binary in flowpilot-api flowpilot-operator flowpilot-runner flowpilot sample-server; do
  strip -o "$binaries/$binary" "$CARGO_TARGET_DIR/$target/release/$binary"
done
"$here/../datasets/fetch.sh"
data=()
while read -r file; do data+=("$cache/datasets/node_modules/vega-datasets/data/$file=/data/$file"); done <"$here/../datasets/files.txt"

out=$cache/images
mkdir -p "$out"
digest=$(cd "$binaries" && cat flowpilot-api flowpilot-operator flowpilot-runner flowpilot sample-server "$ca" "${data[@]%%=*}" \
  "$here/../cluster/image.py" | sha256sum)
tag=$version-${digest:0:10}

image() { # name, binary, further files...
  local name=$1 binary=$2 archive=$out/$1.tar size
  shift 2
  if [ "$(cat "$out/$name.tag" 2>/dev/null)" != "$tag" ]; then
    rm -f "$out/$name.tag"
    python3 "$here/../cluster/image.py" "$archive" "localhost/$name:$tag,localhost/$name:$version" "[\"/$binary\"]" \
      "$binaries/$binary=/$binary" "$ca=/etc/ssl/certs/ca-certificates.crt" "$@"
  fi
  size=$(stat -c %s "$archive")
  [ "$size" -le $((limit_mb * 1024 * 1024)) ] ||
    fail "image $name is $((size / 1048576)) MB, above $limit_mb MB" "see what grew: cargo bloat, or a dependency that came in"
  echo "$tag" >"$out/$name.tag"
  say "$(awk "BEGIN {printf \"  %-20s %5.1f MB\", \"$name\", $size / 1048576}")"
  load_image $load "$archive" "localhost/$name:$tag"
}
image flowpilot-api flowpilot-api
image flowpilot-operator flowpilot-operator
image flowpilot-runner flowpilot-runner
image flowpilot flowpilot # for pipelines; no pod pulls it
image flowpilot-samples sample-server "${data[@]}"
[ $load != local ] || prune_local "$tag"
echo "$tag"

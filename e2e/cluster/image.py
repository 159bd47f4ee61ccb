#!/usr/bin/env python3
"""Writes a one-layer container image as an archive that `ctr images import`, `kind load image-archive` and
`k3d image import` read. No engine, no registry, no privileges.

usage: image.py OUT.tar NAME:TAG[,NAME:TAG...] ENTRYPOINT_JSON SRC=/DEST...

A SRC that is a folder is taken with everything below it. Files are owned by root, dated 1970; mode 0755 when the
source is executable, else 0644: the same input gives the same bytes, so that an unchanged image keeps its digest.
The image runs as user 65532.
"""
import hashlib
import io
import json
import os
import sys
import tarfile


def files_of(items):
    """Yields (source, target) for every file, in the order of their targets."""
    found = []
    for item in items:
        source, _, target = item.partition("=")
        if not os.path.isdir(source):
            found.append((target.lstrip("/"), source))
            continue
        for folder, _, names in os.walk(source):
            for name in names:
                path = os.path.join(folder, name)
                inside = os.path.join(target, os.path.relpath(path, source))
                found.append((inside.lstrip("/"), path))
    return sorted(found)


def layer_of(items):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        for target, source in files_of(items):
            info = tarfile.TarInfo(target)
            info.size = os.path.getsize(source)
            info.mode = 0o755 if os.access(source, os.X_OK) else 0o644
            with open(source, "rb") as content:
                layer.addfile(info, content)
    return buffer.getvalue()


def main(out, names, entrypoint, *items):
    layer = layer_of(items)
    layer_digest = hashlib.sha256(layer).hexdigest()
    config = json.dumps({
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": json.loads(entrypoint), "User": "65532"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
    }).encode()
    config_digest = hashlib.sha256(config).hexdigest()
    manifest = [{"Config": f"{config_digest}.json", "RepoTags": names.split(","), "Layers": [f"{layer_digest}/layer.tar"]}]
    # Written beside and renamed: a reader never sees half an archive.
    with tarfile.open(f"{out}.new", "w") as archive:
        for path, content in (
            (f"{config_digest}.json", config),
            (f"{layer_digest}/layer.tar", layer),
            ("manifest.json", json.dumps(manifest).encode()),
        ):
            info = tarfile.TarInfo(path)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    os.replace(f"{out}.new", out)


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])

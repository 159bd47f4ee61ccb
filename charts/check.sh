#!/usr/bin/env bash
# Checks the charts without a cluster: lints them, renders them with several sets of values, and looks at what must
# hold in every rendering (check.py). Ends with a line that counts, in the form of cargo's.
#
# Needs helm 4 (HELM, or in PATH, or where e2e/scripts put it) and python3 with PyYAML.
set -euo pipefail
cd "$(dirname "$0")"

HELM=${HELM:-$(command -v helm || echo "$HOME/.cache/flowpilot/bin/helm")}
if ! "$HELM" version >/dev/null 2>&1; then
  echo "helm is missing: put it in PATH or name it in HELM" >&2
  exit 2
fi
if ! python3 -c 'import yaml' 2>/dev/null; then
  echo "PyYAML is missing: apt-get install python3-yaml, or pip install pyyaml" >&2
  exit 2
fi
HELM="$HELM" exec python3 check.py

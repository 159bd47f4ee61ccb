#!/usr/bin/env bash
# Checks the charts without a cluster: lints them, renders them with several sets of values, and looks at what must
# hold in every rendering (check.py). Ends with a line that counts, in the form of cargo's.
#
# Needs helm 4 (HELM, or in PATH, or where e2e/scripts put it) and python3 with PyYAML, which root gets installed.
set -euo pipefail
cd "$(dirname "$0")"

HELM=${HELM:-$(command -v helm || echo "$HOME/.cache/flowpilot/bin/helm")}
if ! "$HELM" version >/dev/null 2>&1; then
  echo "helm is missing: put it in PATH or name it in HELM" >&2
  exit 2
fi
has_yaml() { "$1" -c 'import yaml' 2>/dev/null; }
PYTHON=python3
if ! has_yaml "$PYTHON"; then
  PYTHON=/usr/bin/python3 # Debian's packages serve Debian's python
  has_yaml "$PYTHON" || { [ "$(id -u)" = 0 ] && apt-get install -y -qq python3-yaml >&2; }
  has_yaml "$PYTHON" || { echo "PyYAML is missing: apt-get install python3-yaml, or pip install pyyaml" >&2 && exit 2; }
fi
HELM="$HELM" exec "$PYTHON" check.py

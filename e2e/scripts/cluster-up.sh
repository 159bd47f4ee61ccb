#!/usr/bin/env bash
# `make cluster-up`: Kubernetes and Postgres on this machine, known to each other, without FlowPilot.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
cd "$root"

e2e/cluster/preflight.sh
e2e/cluster/build.sh
e2e/postgres/up.sh >/dev/null
KUBECONFIG=$(e2e/cluster/up.sh)
export KUBECONFIG
e2e/postgres/publish.sh
echo "# eval \"\$(e2e/scripts/env.sh)\" sets:"
e2e/scripts/env.sh

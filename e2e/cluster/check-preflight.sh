#!/usr/bin/env bash
# Takes away what a local cluster needs, one thing at a time, and looks that preflight.sh names it, with its remedy.
# Needs root and no running cluster. Changes nothing outside its own processes and mount namespace. Ends with a line
# that counts, in the form of cargo's.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../scripts/lib.sh"
. "$here/parts.sh"
passed=0 failed=0

names() { # what is missing, a text that the answer must have, command...
  local what=$1 text=$2 answer
  shift 2
  if answer=$("$@" 2>&1); then
    answer="it found nothing: $answer"
  elif [[ $answer == *"$text"*$'\n       '* ]]; then
    passed=$((passed + 1))
    echo "test $what ... ok"
    return
  fi
  failed=$((failed + 1))
  printf 'test %s ... FAILED\n    %s\n' "$what" "$answer"
}

# Listens on a port while the command runs. The address matters: DNS is disturbed by those on all addresses only.
while_taken() { # address, port, command...
  local address=$1 port=$2 pid status
  shift 2
  python3 -c 'import socket, sys, time
listener = socket.create_server((sys.argv[1], int(sys.argv[2])))
time.sleep(60)' "$address" "$port" 9>&- &
  pid=$!
  wait_for 10 "a listener" port_taken "$port"
  "$@"
  status=$?
  kill $pid
  wait $pid 2>/dev/null
  return $status
}

any_part_runs && fail "the local cluster runs" "stop it first: make cluster-down"
preflight=$here/preflight.sh
if answer=$("$preflight" 2>&1); then
  passed=1
  echo "test nothing is missing ... ok"
else
  failed=1
  printf 'test nothing is missing ... FAILED\n    %s\n' "$answer"
fi
names "root" "not root" unshare --user "$preflight"
# shellcheck disable=SC2016  # for the inner shell
names "cgroups" "no cgroups are mounted" unshare --mount bash -c \
  'awk "\$3 ~ /^cgroup/ {print \$2}" /proc/mounts | xargs -r -n1 umount -l; exec "$0"' "$preflight"
names "a port of Kubernetes" "6443" while_taken 127.0.0.1 6443 "$preflight"
names "the port of Postgres" "port $postgres_port is taken" while_taken 127.0.0.1 $postgres_port "$preflight"
names "the port of DNS" "Kubernetes needs: 53" while_taken 0.0.0.0 53 "$preflight"
names "room on the disk" "GB free on the disk" unshare --mount bash -c \
  'mount -t tmpfs -o size=1m tmpfs /mnt && FLOWPILOT_STATE=/mnt exec "$0"' "$preflight"

if [ $failed -eq 0 ]; then verdict=ok; else verdict=FAILED; fi
echo "test result: $verdict. $passed passed; $failed failed; 0 ignored"
[ $failed -eq 0 ]

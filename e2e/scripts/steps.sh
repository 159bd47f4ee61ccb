# Numbered steps with a name and a time each. Sourced after lib.sh.
# shellcheck shell=bash disable=SC2154

step_number=0
step_total=0
step_log=/dev/null

# Where the output of the steps goes; the previous one is kept beside it.
steps_begin() { # log file, how many
  step_total=$2
  step_log=$1
  mkdir -p "$(dirname "$step_log")"
  [ ! -f "$step_log" ] || mv "$step_log" "$step_log.1"
  : >"$step_log"
  echo "What the steps print goes to $step_log"
}

# Runs one step. On failure: the end of its output, and the end of everything.
step() { # what, command...
  local what=$1 from start status seconds
  shift
  step_number=$((step_number + 1))
  printf '[%2d/%d] %s … ' "$step_number" "$step_total" "$what"
  printf '== %s\n' "$what" >>"$step_log"
  from=$(wc -l <"$step_log")
  start=$(date +%s%N)
  set +e
  (set -e; "$@") >>"$step_log" 2>&1 </dev/null
  status=$?
  set -e
  seconds=$(seconds_since "$start")
  if [ $status -ne 0 ]; then
    echo "failed after $seconds s"
    tail -n "+$((from + 1))" "$step_log" | tail -n 40 | sed 's/^/    /' >&2
    say "error: the step \"$what\" failed; its last words stand above, all of them in $step_log"
    exit 1
  fi
  echo "$seconds s"
}

seconds_since() { # nanoseconds of a start
  awk -v now="$(date +%s%N)" -v start="$1" 'BEGIN {s = (now - start) / 1e9; printf s < 10 ? "%.1f" : "%.0f", s}'
}

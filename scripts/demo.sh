#!/bin/bash
# Sets up what is missing, builds, runs the shipped pipeline in `local` twice, and shows why the second run
# did nothing. Can be run again at any time; needs no privileges, no hypervisor and, once set up, no network.
set -euo pipefail
cd "$(dirname "$0")/.."
# The demonstration is of `local`, whatever the shell says.
unset INFRA_ENV

heading() { printf '\n\033[1m── %s\033[0m\n' "$*"; }
[ -t 1 ] || heading() { printf '\n── %s\n' "$*"; }
# show COMMAND…: prints a command as one would type it, then runs it.
show() {
  printf '\n$ %s\n' "$*"
  "$@"
}

heading "tools"
scripts/setup.sh ansible

heading "build"
cargo build --locked
PATH=$PWD/target/debug:$PWD/.tools/venv/bin:$PATH

heading "from nothing to verified: real terraform and ansible, simulated machines"
show infra run verify

heading "the same again"
show infra run verify

heading "why nothing ran"
show infra why configure
show infra status

# Ends with 10 if anything is not fresh: then the second run was not for nothing.
infra status verify --exit-code >/dev/null

heading "try"
cat <<'TEXT'
  infra run gates                       is it all still true?
  infra run verify --set worker_count=3 what does one more worker need?
  infra why verify                      one task, explained
  infra run teardown                    machines gone; then `make demo` starts from nothing

with PATH="$PWD/target/debug:$PATH"
TEXT
printf '\nverified\n'

#!/bin/bash
# Puts pinned tools into .tools/ and says plainly what it can't get and how you get it.
#
#   scripts/setup.sh [ansible] [lint] [bench]     default: ansible
#
# A second call needs no network and takes no time: a stamp in each folder names what it was made from.
set -euo pipefail
cd "$(dirname "$0")/.."
export CHECKPOINT_DISABLE=1
# Not with the tools that are to be made here.
PATH=${PATH//"$PWD/.tools/bin:"/}
PATH=${PATH//"$PWD/.tools/venv/bin:"/}

missing=0

say() { printf '%-10s %s\n' "$1" "$2"; }

# cannot NAME WHAT HOW: one thing that can't be had from here. Goes on, to tell all of them at once.
cannot() {
  say "$1" "$2"
  printf '%-10s %s\n' '' "$3"
  missing=$((missing + 1))
}

# at_least 1.11.4 1.9: compares versions as numbers.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

check_cargo() {
  local wanted found
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  local how="get Rust $wanted or newer from https://rustup.rs, then open a new shell"
  if ! found=$(cargo --version 2>/dev/null); then
    cannot cargo "is missing, and nothing can be built without it" "$how"
    return
  fi
  found=$(cut -d ' ' -f 2 <<<"$found")
  if at_least "$found" "$wanted"; then say cargo "$found"; else cannot cargo "$found is too old" "$how"; fi
}

check_terraform() {
  local wanted found
  wanted=$(sed -n 's/^terraform = ">=\(.*\)"/\1/p' infra.toml)
  local how="get terraform $wanted or newer from https://developer.hashicorp.com/terraform/install and put it on PATH"
  if ! command -v terraform >/dev/null; then
    cannot terraform "is missing, and the shipped pipeline needs it" "$how"
    return
  fi
  # A shell may name a configuration file that does not exist; terraform only warns of it.
  found=$(terraform version 2>/dev/null | sed -n 's/^Terraform v\([0-9.]*\).*/\1/p' | head -n 1)
  if [ -z "$found" ]; then
    cannot terraform "is at $(command -v terraform), but \`terraform version\` says nothing" "$how"
  elif at_least "$found" "$wanted"; then
    say terraform "$found"
  else
    cannot terraform "$found is too old" "$how"
  fi
}

# The first python that is new enough for ansible-core and can make virtual environments.
find_python() {
  local name
  for name in "${PYTHON:-python3}" python3.13 python3.12 python3.11 /usr/bin/python3; do
    if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return 0
    fi
  done
  return 1
}

# make_venv FOLDER PINS PROGRAM: a virtual environment of exactly these pins, made once.
make_venv() {
  local folder=.tools/$1 pins=scripts/pins/$2.txt program=$3
  local label=$2 stamp found python started=$SECONDS
  found=$(sed -n "s/^$4==//p" "$pins")
  # It holds its own absolute path, so a moved project needs another one.
  stamp=$(printf '%s\n' "$PWD" && grep -v '^#' "$pins")
  if [ -x "$folder/bin/$program" ] && [ "$(cat "$folder/.stamp" 2>/dev/null)" = "$stamp" ] && "$folder/bin/python" -c '' 2>/dev/null; then
    say "$label" "$4 $found in $folder"
    return
  fi
  if ! python=$(find_python); then
    cannot "$label" "needs Python 3.11 or newer that can make virtual environments" \
      "on Debian or Ubuntu: apt-get install python3-venv; or name one: PYTHON=/path/to/python3 make setup"
    return
  fi
  say "$label" "installing $4 $found into $folder with $python …"
  # Made aside and stamped last: what was cut short is made again.
  rm -rf "$folder"
  mkdir -p .tools
  if ! "$python" -m venv "$folder" ||
    ! "$folder/bin/python" -m pip install --disable-pip-version-check --no-input --quiet --requirement "$pins"; then
    rm -rf "$folder"
    cannot "$label" "$4 $found could not be installed; pip says why above" \
      "it needs the Python package index once; without it: pip wheels in PIP_FIND_LINKS with PIP_NO_INDEX=1"
    return
  fi
  printf '%s\n' "$stamp" >"$folder/.stamp"
  say "$label" "$4 $found, in $((SECONDS - started)) s"
}

[ "$#" -gt 0 ] || set -- ansible
for part in "$@"; do
  case $part in
    ansible)
      check_cargo
      check_terraform
      make_venv venv ansible ansible-playbook ansible-core
      ;;
    lint) make_venv lint lint ansible-lint ansible-lint ;;
    bench) make_venv bench bench doit doit ;;
    *)
      echo "setup.sh: unknown part $part (ansible, lint, bench)" >&2
      exit 2
      ;;
  esac
done

if [ "$missing" -gt 0 ]; then
  echo "setup: not complete, see above" >&2
  exit 1
fi

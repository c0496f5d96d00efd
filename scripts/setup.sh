#!/bin/bash
# Puts pinned tools into .tools/ and says plainly what it can't get and how you get it.
#
#   scripts/setup.sh [ansible] [lint] [bench] [kube] [import]     default: ansible
#
# A second call needs no network and takes no time: a stamp beside each thing names what it was made from.
set -euo pipefail
cd "$(dirname "$0")/.."
export CHECKPOINT_DISABLE=1
# Not with the tools that are to be made here.
PATH=${PATH//"$PWD/.tools/bin:"/}
PATH=${PATH//"$PWD/.tools/venv/bin:"/}
PATH=${PATH//"$PWD/.tools/bench/bin:"/}
PATH=${PATH//"$PWD/.tools/import/bin:"/}

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

# A Go that can build Kubernetes.
check_go() {
  local wanted found
  wanted=$(sed -n 's/^go \([0-9]*\.[0-9]*\).*/\1/p' kube/go.mod)
  local how="get Go $wanted or newer from https://go.dev/dl/ and put its bin on PATH"
  if ! found=$(go env GOVERSION 2>/dev/null); then
    cannot kube "needs Go, which is missing, to build Kubernetes and helm" "$how"
    return 1
  fi
  found=${found#go}
  if ! at_least "${found%%[^0-9.]*}" "$wanted"; then
    cannot kube "needs a newer Go than $found to build Kubernetes and helm" "$how"
    return 1
  fi
}

# build_tool NAME PACKAGE VERSION FOLDER: one program of Go, by its own name, into FOLDER.
build_tool() {
  local name=$1 package=$2 version=$3 folder=$4
  local version_of
  case $name in
    kubelab)
      version_of=k8s.io/component-base/version
      grep -q "^[[:space:]]$package $version\$" kube/go.mod || {
        echo "kube/go.mod names another version of $package than $version" >&2
        return 1
      }
      # Clients compare versions by major and minor too.
      local major=${version#v}
      local minor=${major#*.}
      go -C kube build -mod=readonly -buildvcs=false -o "$folder/kubelab" \
        -ldflags "-s -w -X $version_of.gitVersion=$version -X $version_of.gitMajor=${major%%.*} -X $version_of.gitMinor=${minor%%.*}" .
      ;;
    helm*)
      version_of=${package%/cmd/helm}/internal/version
      GOBIN=$folder go install -ldflags "-s -w -X $version_of.version=$version" "$package@$version" &&
        mv "$folder/helm" "$folder/$name"
      ;;
    *) GOBIN=$folder go install -ldflags "-s -w" "$package@$version" ;;
  esac
}

# A control plane, its client, its store and its nodes, and two versions of helm; each stamped by itself.
make_kube() {
  local folder=.tools/kube/bin stamps=.tools/kube/stamps making=$PWD/.tools/kube/making
  local name package version stamp started checked=no versions=''
  while read -r name package version; do
    versions+="${versions:+, }$name $version"
    stamp="$name $package $version"
    [ "$name" != kubelab ] || stamp+=$'\n'$(cksum kube/go.mod kube/go.sum kube/main.go)
    if [ -x "$folder/$name" ] && [ "$(cat "$stamps/$name" 2>/dev/null)" = "$stamp" ]; then continue; fi
    if [ "$checked" = no ]; then
      check_go || return 0
      checked=yes
    fi
    say kube "building $name $version …"
    started=$SECONDS
    # Made aside and stamped last: what was cut short is made again.
    rm -rf "$making"
    rm -f "$stamps/$name"
    mkdir -p "$folder" "$stamps" "$making"
    if ! build_tool "$name" "$package" "$version" "$making" 2>"$making/said" || ! [ -x "$making/$name" ]; then
      grep -v '^go: downloading ' "$making/said" >&2 || true
      rm -rf "$making"
      cannot kube "$name $version could not be built; go says why above" \
        "it needs a Go module proxy once (GOPROXY), and some gigabytes for Go's caches"
      return
    fi
    mv -f "$making/$name" "$folder/$name"
    rm -rf "$making"
    printf '%s\n' "$stamp" >"$stamps/$name"
    say kube "$name $version, in $((SECONDS - started)) s"
  done < <(grep -v '^#' scripts/pins/kube.txt)
  for name in kubectl kube-apiserver kube-controller-manager kube-scheduler; do ln -sfn kubelab "$folder/$name"; done
  ln -sfn helm4 "$folder/helm"
  [ "$checked" = yes ] || say kube "$versions in $folder"
}

# just by cargo and Task by go, which `infra import` asks what a file says; each stamped by itself.
make_import() {
  local folder=.tools/import making=$PWD/.tools/import/making
  local name package version stamp started with how versions='' made=no
  while read -r name package version; do
    versions+="${versions:+, }$name $version"
    stamp="$name $package $version"
    if [ -x "$folder/bin/$name" ] && [ "$(cat "$folder/stamps/$name" 2>/dev/null)" = "$stamp" ]; then continue; fi
    made=yes
    case $package in
      */*) with=go how="get Go from https://go.dev/dl/ and put its bin on PATH" ;;
      *) with=cargo how="get Rust from https://rustup.rs, then open a new shell" ;;
    esac
    if ! command -v "$with" >/dev/null; then
      cannot import "needs $with, which is missing, to build $name" "$how"
      continue
    fi
    say import "building $name $version with $with …"
    started=$SECONDS
    # Made aside and stamped last: what was cut short is made again.
    rm -rf "$making"
    rm -f "$folder/stamps/$name"
    mkdir -p "$folder/bin" "$folder/stamps" "$making/bin"
    if ! case $with in
      go) GOBIN=$making/bin go install -ldflags "-s -w" "$package@$version" ;;
      *) CARGO_TARGET_DIR=$making/target cargo install --quiet --locked --root "$making" --version "$version" "$package" ;;
    esac 2>"$making/said" || ! [ -x "$making/bin/$name" ]; then
      grep -v '^go: downloading ' "$making/said" >&2 || true
      rm -rf "$making"
      cannot import "$name $version could not be built; $with says why above" \
        "it needs the package registry of $with once"
      continue
    fi
    mv -f "$making/bin/$name" "$folder/bin/$name"
    rm -rf "$making"
    printf '%s\n' "$stamp" >"$folder/stamps/$name"
    say import "$name $version, in $((SECONDS - started)) s"
  done < <(grep -v '^#' scripts/pins/import.txt)
  [ "$made" = yes ] || say import "$versions in $folder/bin"
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
    kube) make_kube ;;
    import) make_import ;;
    *)
      echo "setup.sh: unknown part $part (ansible, lint, bench, kube, import)" >&2
      exit 2
      ;;
  esac
done

if [ "$missing" -gt 0 ]; then
  echo "setup: not complete, see above" >&2
  exit 1
fi

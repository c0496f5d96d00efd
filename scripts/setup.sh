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

# check_go PART WHAT: a Go that can build all that is built with it.
check_go() {
  local wanted found
  wanted=$(sed -n 's/^go \([0-9]*\.[0-9]*\).*/\1/p' kube/go.mod)
  local how="get Go $wanted or newer from https://go.dev/dl/ and put its bin on PATH"
  if ! found=$(go env GOVERSION 2>/dev/null); then
    cannot "$1" "needs Go, which is missing, to build $2" "$how"
    return 1
  fi
  found=${found#go}
  if ! at_least "${found%%[^0-9.]*}" "$wanted"; then
    cannot "$1" "needs a newer Go than $found to build $2" "$how"
    return 1
  fi
}

# check_maker PART NAME PACKAGE: what it takes to make this one. Go is asked about once a part.
check_maker() {
  case $1-$3 in
    kube-*) check_go kube "Kubernetes and helm" ;;
    *-*/*) check_go "$1" "$2" ;;
    public-sdist:*)
      find_python >/dev/null || {
        cannot "$1" "needs Python 3.11 or newer to get $2" "on Debian or Ubuntu: apt-get install python3-venv"
        return 1
      } ;;
    *)
      command -v cargo >/dev/null || {
        cannot "$1" "needs cargo, which is missing, to build $2" "get Rust from https://rustup.rs, then open a new shell"
        return 1
      } ;;
  esac
}

# make_one FOLDER NAME PACKAGE VERSION [WHAT]: one thing, by its name, into FOLDER.
make_one() {
  local folder=$1 name=$2 package=$3 version=$4 what=${5:-}
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
      return ;;
    helm*)
      version_of=${package%/cmd/helm}/internal/version
      GOBIN=$folder go install -ldflags "-s -w -X $version_of.version=$version" "$package@$version" &&
        mv "$folder/helm" "$folder/$name"
      return ;;
  esac
  case $package in
    *:*) copy_public "$@" ;;
    */*) GOBIN=$folder go install -ldflags "-s -w" "$package@$version" ;;
    *)
      CARGO_TARGET_DIR=$folder/target cargo install --quiet --locked --root "$folder/root" --version "$version" "$package" &&
        mv "$folder/root/bin/$name" "$folder/$name" ;;
  esac
}

# copy_public FOLDER NAME FROM:PACKAGE VERSION WHAT: files of a package, as its registry has them, into FOLDER/NAME.
copy_public() {
  local folder=$1 name=$2 package=${3#*:} version=$4 what=$5 source
  case ${3%%:*} in
    crate)
      mkdir "$folder/asks"
      : >"$folder/asks/lib.rs"
      printf '[package]\nname = "asks"\nedition = "2024"\n[lib]\npath = "lib.rs"\n[dependencies]\n%s = "=%s"\n[workspace]\n' \
        "$package" "$version" >"$folder/asks/Cargo.toml"
      source=$(cargo metadata --quiet --format-version 1 --manifest-path "$folder/asks/Cargo.toml" |
        grep -o '"manifest_path":"[^"]*/'"$package-$version"'[^"/]*/Cargo.toml"' | head -n 1 | cut -d '"' -f 4) &&
        source=${source%/Cargo.toml}
      ;;
    go) source=$(cd "$folder" && go mod download -json "$package@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p') ;;
    sdist)
      "$(find_python)" -m venv "$folder/venv" &&
        "$folder/venv/bin/python" -m pip download --disable-pip-version-check --no-input --quiet --no-deps \
          --no-binary "$package" --dest "$folder" "$package==$version" &&
        tar -xzf "$folder/$package-$version.tar.gz" -C "$folder" &&
        source=$folder/$package-$version
      ;;
  esac
  [ -n "$source" ] && mkdir -p "$folder/$name.files" || return
  # shellcheck disable=SC2086  # a list of words
  tar -C "$source" -cf - ${what//,/ } | tar -C "$folder/$name.files" -xf - || return
  chmod -R u+w "$folder/$name.files" && mv "$folder/$name.files" "$folder/$name"
}

# make_pinned PART FOLDER: all that scripts/pins/PART.txt names, each into FOLDER/NAME and stamped by itself.
make_pinned() {
  local part=$1 folder=$2
  local making=$PWD/.tools/$part/making stamps=.tools/$part/stamps
  local name package version what stamp started made=no versions=''
  while read -r name package version what; do
    versions+="${versions:+, }$name $version"
    stamp="$name $package $version${what:+ $what}"
    [ "$name" != kubelab ] || stamp+=$'\n'$(cksum kube/go.mod kube/go.sum kube/main.go)
    if [ -e "$folder/$name" ] && [ "$(cat "$stamps/$name" 2>/dev/null)" = "$stamp" ]; then continue; fi
    made=yes
    if ! check_maker "$part" "$name" "$package"; then
      # Of a whole part that lacks one thing it is said once.
      [ "$part" != kube ] || return 0
      continue
    fi
    say "$part" "making $name $version …"
    started=$SECONDS
    # Made aside and stamped last: what was cut short is made again.
    rm -rf "$making"
    rm -f "$stamps/$name"
    mkdir -p "$folder" "$stamps" "$making"
    if ! make_one "$making" "$name" "$package" "$version" "$what" 2>"$making/said" || ! [ -e "$making/$name" ]; then
      grep -v '^go: downloading ' "$making/said" >&2 || true
      rm -rf "$making"
      cannot "$part" "$name $version could not be made; the reason stands above" \
        "it needs the package registry of its language once, and for Go some gigabytes of caches"
      [ "$part" != kube ] || return 0
      continue
    fi
    rm -rf "${folder:?}/$name"
    mv -f "$making/$name" "$folder/$name"
    rm -rf "$making"
    printf '%s\n' "$stamp" >"$stamps/$name"
    say "$part" "$name $version, in $((SECONDS - started)) s"
  done < <(grep -v '^#' "scripts/pins/$part.txt")
  [ "$made" = yes ] || say "$part" "$versions in $folder"
}

# A control plane, its client, its store and its nodes, and two versions of helm.
make_kube() {
  local name
  make_pinned kube .tools/kube/bin
  [ -e .tools/kube/bin/kubelab ] || return 0
  for name in kubectl kube-apiserver kube-controller-manager kube-scheduler; do ln -sfn kubelab ".tools/kube/bin/$name"; done
  ln -sfn helm4 .tools/kube/bin/helm
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
    import)
      make_pinned import .tools/import/bin
      make_pinned public .tools/public/files
      ;;
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

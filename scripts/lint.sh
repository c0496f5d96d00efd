#!/bin/bash
# Lints what is not Rust: scripts, YAML, playbooks, terraform files.
set -euo pipefail
cd "$(dirname "$0")/.."

need() {
  command -v "$1" >/dev/null || {
    echo "lint: $1 is missing: $2" >&2
    exit 1
  }
}

need shellcheck "on Debian or Ubuntu: apt-get install shellcheck"
need terraform "see make setup"
scripts/setup.sh lint

echo "shellcheck"
shellcheck scripts/*.sh .ci/run
shellcheck --shell=bash src/command/completion/bash.sh
echo "yamllint"
.tools/lint/bin/yamllint --strict --config-file ansible/.yamllint ansible
echo "ansible-lint"
# With an inventory that exists before anything was provisioned; its cache stays out of the tree.
(
  cd ansible
  cache=$(mktemp -d)
  trap 'rm -rf "$cache" .ansible' EXIT
  PATH=../.tools/lint/bin:$PATH ANSIBLE_HOME=$cache ANSIBLE_INVENTORY=inventory/image-local.yml \
    ../.tools/lint/bin/ansible-lint --offline --nocolor -q
)
echo "terraform fmt"
terraform fmt -check -diff -recursive terraform
terraform fmt -check -diff env

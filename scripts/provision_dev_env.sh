#!/bin/sh
# The stages of the environment `dev` by their old names. Each is one line over `infra`, which knows
# what is already done; INFRA_ENV=local plays the same against simulated machines.
set -eu

usage() {
  cat <<'TEXT'
usage: scripts/provision_dev_env.sh [--prepare-only|--terraform-only|--configure-only|--verify-only|--destroy]

  (nothing)          everything, up to a verified cluster
  --prepare-only     the image template
  --terraform-only   up to the machines and their inventory
  --configure-only   configure the machines that are there
  --verify-only      verify the cluster that is there
  --destroy          destroy the machines

INFRA_ENV   the environment (dev)
INFRA       the program (infra)
TEXT
}

cd "$(dirname "$0")/.."
infra=${INFRA:-infra}
env=${INFRA_ENV:-dev}

if [ "$#" -gt 1 ]; then
  usage >&2
  exit 2
fi

case ${1:-} in
  '') exec "$infra" run -e "$env" verify ;;
  --prepare-only) exec "$infra" run -e "$env" prepare-template ;;
  --terraform-only) exec "$infra" run -e "$env" inventory ;;
  --configure-only) exec "$infra" run -e "$env" --only configure ;;
  --verify-only) exec "$infra" run -e "$env" --only verify ;;
  --destroy) exec "$infra" run -e "$env" teardown ;;
  -h | --help) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac

#!/bin/bash
# A Kubernetes control plane on loopback, without containers and without root: kine on SQLite, kube-apiserver,
# kube-controller-manager, kube-scheduler, and kwok, which plays the nodes. One folder, one port, one instance.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/kube.sh up DIR [--port N] [--nodes N] [--while PID]
       scripts/kube.sh down DIR [--wipe | --remove]
       scripts/kube.sh status DIR

  up           start what is in DIR, or a new cluster; prints the path of its kubeconfig
  --port N     on 127.0.0.1 (a free one, remembered in DIR with certificates and data)
  --nodes N    how many nodes there are (1; with 0 you make them)
  --while PID  take it all down, and DIR away, once that process is gone
  down         stop it; what it holds stays
  --wipe       forget what it holds: the next `up` is another cluster at the same port, for the same kubeconfig
  --remove     take DIR away
  status       exit code 0 if it is up, else 1

The programs are those of `make kube-tools`; INFRA_KUBE_BIN names another folder of them.
TEXT
}

here=$(cd "$(dirname "$0")/.." && pwd)
bin=${INFRA_KUBE_BIN:-$here/.tools/kube/bin}
# In the order in which they start; they end in the other: an apiserver whose store went first does not end.
services=(kine apiserver controller-manager scheduler kwok)

tell() { echo "kube: $*" >&2; }
die() {
  tell "$*"
  exit 1
}
wrong() {
  tell "$*"
  usage >&2
  exit 2
}

# since PID: when a living process started, which with its id says which one it is. Fails if there is none.
since() {
  local line fields
  if [ -d /proc/self ]; then
    { line=$(<"/proc/$1/stat"); } 2>/dev/null || return
    # After the name in brackets, which may hold anything.
    read -ra fields <<<"${line##*) }"
    [ "${fields[0]}" != Z ] && echo "${fields[19]}"
  else
    line=$(ps -o lstart= -p "$1") && [ -n "$line" ] && echo "$line"
  fi
}

# running NAME: whether the process that was recorded is there, and not another one that got its id.
running() {
  local pid start
  [ -f "run/$1" ] && read -r pid start <"run/$1" && [ "$(since "$pid")" = "$start" ]
}

# signal NAME SIGNAL: to that process alone.
signal() {
  local pid
  running "$1" || return 0
  read -r pid _ <"run/$1"
  kill "-$2" "$pid" 2>/dev/null || true
}

# start NAME COMMAND…: in a session and an environment of its own, so that nothing of the caller's reaches it.
# The mark tells infra, if this is one of its tasks, that it is left behind on purpose.
start() {
  local name=$1 pid command
  shift
  # shellcheck disable=SC2016  # the inner shell's own words
  command=(env -i INFRA_ATTEMPT=left HOME="$PWD" PATH="$PATH" TMPDIR="$PWD" sh -c ': >"$0"; exec "$@"' "run/$name.left" "$@")
  [ -z "$(command -v setsid)" ] || command=(setsid "${command[@]}")
  rm -f "run/$name.left"
  "${command[@]}" </dev/null >"log/$name" 2>&1 9>&- &
  pid=$!
  # How it ends is no news of this shell's.
  disown
  echo "$pid $(since "$pid")" >"run/$name"
  # Until it has that session and that environment it is one of ours, and would be ended with us.
  until [ -e "run/$name.left" ] || ! running "$name"; do sleep 0.01; done
  rm -f "run/$name.left"
}

# until_true SECONDS NAME WHAT COMMAND…: waits for a command to be true while a service lives.
until_true() {
  local limit=$((SECONDS + $1)) name=$2 what=$3
  shift 3
  until "$@" >/dev/null 2>&1; do
    if ! running "$name"; then
      tail -n 5 "log/$name" >&2
      die "$name ended before $what, see $PWD/log/$name"
    fi
    [ "$SECONDS" -lt "$limit" ] || die "waited in vain for $what, see $PWD/log/$name"
    sleep 0.05
  done
}

kubectl() { env -i HOME="$PWD" PATH="$PATH" "$bin/kubectl" --kubeconfig="$PWD/kubeconfig" "$@"; }

# end NAME SECONDS: asks it to end, and no longer than so many seconds.
end() {
  local limit=$((SECONDS + $2))
  [ "$2" -eq 0 ] || signal "$1" TERM
  while running "$1"; do
    [ "$SECONDS" -lt "$limit" ] || signal "$1" KILL
    sleep 0.05
  done
  rm -f "run/$1"
}

# stop SECONDS: all of them, in the right order; with 0, at once.
stop() {
  local name
  # These three do not need each other.
  for name in kwok scheduler controller-manager; do [ "$1" -eq 0 ] || signal "$name" TERM; done
  for name in kwok scheduler controller-manager apiserver kine; do end "$name" "$1"; done
}

# One command at a time in a folder, where there is a way to tell.
lock() {
  exec 9>lock
  [ -z "$(command -v flock)" ] || flock 9
}

# enter: into a folder that is ours, or fails.
enter() { cd "$dir" 2>/dev/null && [ -f port ]; }

in_use() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

choose_port() {
  local port
  for _ in $(seq 100); do
    # Below those that systems give to outgoing connections.
    port=$((RANDOM % 12000 + 20000))
    if ! in_use "$port"; then
      echo "$port"
      return
    fi
  done
  die "no free port on 127.0.0.1 between 20000 and 32000"
}

up() {
  local name alive=0 began=$SECONDS
  for name in kubelab kine kwok; do
    [ -x "$bin/$name" ] || die "$bin/$name is missing: run \`make kube-tools\` first, which takes minutes, once"
  done
  mkdir -p "$(dirname "$dir")"
  umask 077
  if ! enter; then
    mkdir -p "$dir"
    cd "$dir"
    [ -z "$(ls -A)" ] || die "$dir holds something else: name an empty folder or a new one"
  fi
  dir=$PWD
  # The name of a Unix socket has room for so much.
  [ "${#dir}" -le 90 ] || die "$dir is too long a name: a socket in it could not be named"
  chmod 700 .
  mkdir -p run log keys certs data
  lock
  if [ -n "$port" ] && [ -f port ] && [ "$(<port)" != "$port" ]; then
    die "$dir is at port $(<port); for another port take another folder"
  fi
  [ -f port ] || echo "${port:-$(choose_port)}" >port
  port=$(<port)
  if [ -n "$while_pid" ]; then
    end watch 0
    start watch "$here/scripts/kube.sh" watch "$dir" "$while_pid" "$(since "$while_pid")"
  fi

  for name in "${services[@]}"; do ! running "$name" || alive=$((alive + 1)); done
  if [ "$alive" -eq "${#services[@]}" ] && kubectl get --raw /readyz >/dev/null 2>&1; then
    make_nodes
    tell "is up already at https://127.0.0.1:$port"
    echo "$dir/kubeconfig"
    return
  fi
  if [ "$alive" -gt 0 ]; then
    tell "$alive of ${#services[@]} processes were left; starting all anew"
    stop 10
  fi
  ! in_use "$port" || die "port $port of $dir is taken by another program"

  # What does not come up whole is taken down.
  trap 'stop 0' EXIT
  [ -s keys/sa.key ] || "$bin/kubelab" service-account-key >keys/sa.key
  [ -s keys/token ] || od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >keys/token
  echo "$(<keys/token),admin,admin,system:masters" >keys/tokens.csv

  rm -f data/kine.sock
  start kine "$bin/kine" --listen-address "unix://$dir/data/kine.sock" \
    --endpoint "sqlite://$dir/data/kine.db?_journal=WAL&cache=shared&_busy_timeout=30000" --metrics-bind-address 0
  until_true 30 kine "its socket" test -S data/kine.sock
  start apiserver "$bin/kubelab" kube-apiserver --etcd-servers="unix://$dir/data/kine.sock" \
    --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --secure-port="$port" --cert-dir="$dir/certs" \
    --service-account-key-file="$dir/keys/sa.key" --service-account-signing-key-file="$dir/keys/sa.key" \
    --service-account-issuer=https://kubernetes.default.svc --token-auth-file="$dir/keys/tokens.csv" \
    --authorization-mode=Node,RBAC --service-cluster-ip-range=10.43.0.0/16 --endpoint-reconciler-type=none \
    --allow-privileged=true
  until_true 60 apiserver "its certificate" test -s certs/apiserver.crt
  write_kubeconfig
  until_true 60 apiserver "/readyz" kubectl get --raw /readyz
  start controller-manager "$bin/kubelab" kube-controller-manager --kubeconfig="$dir/kubeconfig" --leader-elect=false \
    --service-account-private-key-file="$dir/keys/sa.key" --root-ca-file="$dir/certs/apiserver.crt" --secure-port=0
  start scheduler "$bin/kubelab" kube-scheduler --kubeconfig="$dir/kubeconfig" --leader-elect=false --secure-port=0
  play_logs
  local stage stages=(--config "$dir/logs.yaml")
  for stage in "$here"/kube/stages/*.yaml; do stages+=(--config "$stage"); done
  start kwok "$bin/kwok" --kubeconfig="$dir/kubeconfig" --manage-all-nodes=true --node-lease-duration-seconds=40 \
    --node-ip=127.0.0.1 --node-port="$(<node-port)" --server-address="127.0.0.1:$(<node-port)" \
    --tls-cert-file="$dir/certs/apiserver.crt" --tls-private-key-file="$dir/certs/apiserver.key" "${stages[@]}"
  make_nodes
  trap - EXIT
  tell "Kubernetes at https://127.0.0.1:$port with $nodes node(s), in $((SECONDS - began)) s"
  echo "$dir/kubeconfig"
}

# What `kubectl logs` reads of every container, and the port at which nodes are asked for it. Nodes that were made
# with another port tell nothing any more.
play_logs() {
  if [ ! -s node-port ] || in_use "$(<node-port)"; then choose_port >node-port; fi
  echo "$(date -u +%Y-%m-%dT%H:%M:%S.000000000Z) stdout F nothing runs here: this container is played" >log/containers
  cat >logs.yaml <<TEXT
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterLogs
metadata:
  name: played
spec:
  logs:
    - logsFile: "$dir/log/containers"
      previousLogsFile: "$dir/log/containers"
TEXT
}

# The certificate is its own authority.
write_kubeconfig() {
  cat >kubeconfig.new <<TEXT
apiVersion: v1
kind: Config
clusters:
  - name: lab
    cluster:
      server: https://127.0.0.1:$port
      certificate-authority-data: $(base64 <certs/apiserver.crt | tr -d '\n')
users:
  - name: lab
    user:
      token: $(<keys/token)
contexts:
  - name: lab
    context:
      cluster: lab
      user: lab
current-context: lab
TEXT
  mv kubeconfig.new kubeconfig
}

make_nodes() {
  [ "$nodes" -gt 0 ] || return 0
  local number
  for number in $(seq "$nodes"); do
    cat <<TEXT
---
apiVersion: v1
kind: Node
metadata:
  name: node-$number
  labels: { kubernetes.io/hostname: node-$number, kubernetes.io/os: linux }
TEXT
  done | kubectl apply --server-side --force-conflicts --field-manager=lab -f - >/dev/null
  until_true 60 kwok "its nodes" kubectl wait --for=condition=Ready node --all --timeout=1s
}

down() {
  if ! enter; then
    [ ! -e "$dir" ] || [ -z "$(ls -A "$dir" 2>/dev/null)" ] || die "$dir is none of ours"
    tell "nothing is in $dir"
    return
  fi
  dir=$PWD
  lock
  # Not ourselves, if it is the watcher that takes it down.
  [ "${watching:-no}" = yes ] || end watch 0
  if [ "$keep" = all ]; then stop 10; else stop 0; fi
  case $keep in
    all) tell "down; $PWD keeps what it held" ;;
    identity)
      rm -rf data .kube
      tell "down, and what it held is forgotten"
      ;;
    nothing)
      rm -rf run log keys certs data .kube port node-port logs.yaml kubeconfig kubeconfig.new lock
      cd /
      rmdir "$dir" 2>/dev/null || true
      tell "down, and gone"
      ;;
  esac
}

status() {
  local name gone=()
  if ! enter; then
    tell "nothing is in $dir"
    return 1
  fi
  for name in "${services[@]}"; do running "$name" || gone+=("$name"); done
  if [ "${#gone[@]}" -eq "${#services[@]}" ]; then
    tell "down"
    return 1
  fi
  [ "${#gone[@]}" -eq 0 ] || die "not whole: ${gone[*]} ended, see $PWD/log"
  kubectl get --raw /readyz >/dev/null 2>&1 || die "running, but not ready, see $PWD/log/apiserver"
  tell "up at https://127.0.0.1:$(<port)"
  echo "$PWD/kubeconfig"
}

# Waits for the process that `--while` named.
watch() {
  while [ "$(since "$1")" = "$2" ]; do sleep 0.5; done
  watching=yes
  keep=nothing
  down
}

[ "$#" -ge 1 ] || wrong "what shall be done?"
case $1 in
  -h | --help)
    usage
    exit 0
    ;;
esac
[ "$#" -ge 2 ] || wrong "which folder?"
what=$1 dir=$2 port='' nodes=1 while_pid='' keep=all
shift 2
[ "$what" != watch ] || {
  watch "$@"
  exit
}
while [ "$#" -gt 0 ]; do
  case $what:$1 in
    down:--wipe) keep=identity && shift ;;
    down:--remove) keep=nothing && shift ;;
    up:--port | up:--nodes | up:--while)
      [[ ${2:-} =~ ^[1-9][0-9]{0,8}$ || "$1 ${2:-}" = "--nodes 0" ]] || wrong "$1 needs a number"
      case $1 in
        --port) port=$2 ;;
        --nodes) nodes=$2 ;;
        --while) while_pid=$2 ;;
      esac
      shift 2
      ;;
    *) wrong "unknown argument $1" ;;
  esac
done
[ -z "$while_pid" ] || since "$while_pid" >/dev/null || die "there is no process $while_pid"
case $what in
  up | down | status) "$what" ;;
  *) wrong "unknown command $what" ;;
esac

#!/bin/bash
# Makes the README's terminal capture anew: runs the shipped pipeline in a real terminal (tmux), in a copy
# of the project that knows nothing yet, and puts what the screen shows between the marks in README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v tmux >/dev/null || {
  echo "capture: tmux is missing: on Debian or Ubuntu: apt-get install tmux" >&2
  exit 1
}
scripts/setup.sh ansible >&2
cargo build --locked --quiet

work=$(mktemp -d)
screen() { tmux -u -L "capture-$$" "$@"; }
trap 'screen kill-server 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir "$work/project" "$work/home"
git ls-files -z | xargs -0 cp --parents --no-dereference --target-directory="$work/project"

# The prompt says when a command has ended.
cat >"$work/rc" <<RC
PS1='\$ '
PROMPT_COMMAND='tmux -L capture-$$ wait-for -S prompt'
RC
env -i HOME="$work/home" USER=ana LANG=C.UTF-8 TERM=xterm-256color CHECKPOINT_DISABLE=1 \
  PATH="$PWD/target/debug:$PWD/.tools/venv/bin:$PATH" \
  tmux -u -f /dev/null -L "capture-$$" new-session -d -x 96 -y 50 -c "$work/project" \
  "bash --noprofile --rcfile $work/rc -i"
screen wait-for prompt
screen send-keys clear Enter
screen wait-for prompt
[ "$#" -gt 0 ] || set -- 'infra run verify' 'infra run verify' 'infra plan --set worker_count=3' \
  'infra why provision --set worker_count=3'
for line in "$@"; do
  screen send-keys -l "$line"
  screen send-keys Enter
  screen wait-for prompt
done
sleep 0.3

# The last prompt has nothing after it.
screen capture-pane -p -S - | sed -e 's/[[:space:]]*$//' -e '/^\$$/d' | cat -s | sed -e '/./,$!d' -e '${/^$/d}' >"$work/shown"
awk -v shown="$work/shown" '
  /^<!-- capture -->$/ {
    print; print "```console"
    while ((getline line < shown) > 0) print line
    print "```"; skipping = 1; next
  }
  /^<!-- \/capture -->$/ { skipping = 0 }
  !skipping { print }
' README.md >"$work/README.md"
grep -q '^<!-- capture -->$' README.md || {
  echo "capture: README.md has no line <!-- capture -->" >&2
  exit 1
}
cp "$work/README.md" README.md
echo "capture: README.md" >&2

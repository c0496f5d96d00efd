//! Owns a stand-in for terraform, small enough to be told twice: as a script that the program drives, and
//! as rules. Its things are lines `NUMBER ID #SERIAL` in `world/ENV/LABEL`; the serial is that of the apply
//! which made the line, so that a thing that was replaced is never the same, whatever its id.

use crate::memory::Model;
use crate::project::{Env, Id, Project};
use crate::text::{Fill, rest_of_line};
use crate::world::cksum;
use std::collections::BTreeSet;

/// A real thing behind a task: the task's id in the store, its number, its id, the attempt that made it.
pub type Thing = (u32, u32, u32, u64);

/// `bin/terraform`.
pub const TERRAFORM: &str = r#"#!/bin/sh
set -eu
W=${PWD##*/}
B=$PWD/../../..
ENV=
if test -e "$TF_DATA_DIR/environment"; then read ENV < "$TF_DATA_DIR/environment"; fi
WORLD=$B/world/$ENV/$W
SERIAL=$B/tf/$ENV-$W
N=0
if test -e "$SERIAL"; then read N < "$SERIAL"; fi
H=
if test -e "$B/hooks/$W"; then read H < "$B/hooks/$W"; fi
for LAST; do :; done
infra_dies() {
  while ! test -s "$B/runner"; do sleep 0.005; done
  read P < "$B/runner"
  kill -9 $P
  kill -9 $$
}
told() { echo "{\"@message\":\"$1\",\"hook\":{\"resource\":{\"addr\":\"vm.node[$3]\"},\"action\":\"$2\",\"id_key\":\"id\",\"id_value\":\"$4\"},\"type\":\"$1\"}"; }
case $1 in
  init) mkdir -p "$TF_DATA_DIR" ;;
  workspace) echo "$LAST" > "$TF_DATA_DIR/environment" ;;
  state)
    test -e "$SERIAL" || exit 0
    THINGS=
    if test -e "$WORLD"; then
      while read I ID TAG; do THINGS="$THINGS${THINGS:+,}{\"index_key\":$I,\"attributes\":{\"id\":\"$ID\"}}"; done < "$WORLD"
    fi
    echo "{\"version\":4,\"serial\":$N,\"lineage\":\"$W-$ENV\",\"resources\":[{\"mode\":\"managed\",\"type\":\"vm\",\"name\":\"node\",\"instances\":[$THINGS]}]}" ;;
  plan)
    if test "$H" = plan-fails; then exit 1; fi
    OUT= VARS= DESTROY=
    for A; do
      case $A in
        -out=*) OUT=${A#-out=} ;;
        -var-file=*) VARS=${A#-var-file=} ;;
        -destroy) DESTROY=1 ;;
      esac
    done
    : > "$OUT"
    if test -z "$DESTROY"; then
      ID=$(sed 's/"number":"[0-9]*"//' "$VARS" | cksum)
      COUNT=$(sed 's/.*"number":"\([0-9]*\)".*/\1/' "$VARS")
      I=0
      while test $I -lt $COUNT; do echo "$I ${ID%% *}" >> "$OUT"; I=$((I + 1)); done
    fi
    if test -e "$WORLD"; then NOW=$(cut -d' ' -f1,2 "$WORLD"); else NOW=; fi
    if test "$NOW" != "$(cat "$OUT")"; then exit 2; fi ;;
  apply)
    if test -s "$LAST"; then echo $W >> "$B/log"; else echo undo-$W >> "$B/log"; H=; fi
    case $H in
      fails-early) exit 1 ;;
      dies) kill -9 $$ ;;
      infra-dies-early) infra_dies ;;
      interrupts)
        while ! test -s "$B/runner"; do sleep 0.005; done
        read P < "$B/runner"
        kill -INT $P
        sleep 30 ;;
    esac
    N=$((N + 1))
    echo $N > "$SERIAL"
    if test -e "$WORLD"; then
      while read I ID TAG; do
        if ! grep -qx "$I $ID" "$LAST"; then told apply_start delete $I $ID; told apply_complete delete $I $ID; fi
      done < "$WORLD"
    fi
    : > "$WORLD.new"
    while read I ID; do
      if test -e "$WORLD" && grep "^$I $ID " "$WORLD" >> "$WORLD.new"; then :; else
        echo "$I $ID #$N" >> "$WORLD.new"
        told apply_complete create $I $ID
      fi
    done < "$LAST"
    if test -s "$WORLD.new"; then mv "$WORLD.new" "$WORLD"; else rm -f "$WORLD.new" "$WORLD"; fi
    case $H in
      fails-late) exit 1 ;;
      infra-dies-late) infra_dies ;;
    esac ;;
  output)
    read I ID TAG < "$WORLD"
    echo "{\"k\":{\"sensitive\":false,\"type\":\"number\",\"value\":$((ID % 4))}}" ;;
esac
"#;

/// `tf/LABEL/main.tf`. What it says is for the program alone: the stand-in goes by the variables.
pub fn module(comment: u32) -> String {
    format!("# {comment}\nvariable \"line\" {{}}\nvariable \"number\" {{}}\noutput \"k\" {{\n  value = 1\n}}\n")
}

/// How many there are to be.
pub fn count(project: &Project, task: usize) -> u32 {
    project.tasks[task].version % 3 + 1
}

/// The task's table.
pub fn table(project: &Project, task: usize, fill: Fill<'_>, env: &str) -> String {
    let (mark, number) = (project.tasks[task].mark, count(project, task));
    let line = rest_of_line(project, task, fill).replace('"', "\\\"");
    format!("{{ dir = \"tf/w{mark}\", workspace = \"{env}\", vars = {{ line = \"{line}\", number = \"{number}\" }} }}")
}

/// What an apply makes of things that are there: lines of number, id and serial.
pub fn applied(project: &Project, task: usize, line: &str, before: &str, serial: u64) -> String {
    let text = format!("{{\"line\":{},}}", serde_json::to_string(line).expect("JSON"));
    let id = cksum(text.as_bytes());
    let mut after = String::new();
    for number in 0..count(project, task) {
        let same = before.lines().find(|line| line.starts_with(&format!("{number} {id} ")));
        let made = format!("{number} {id} #{serial}");
        after.push_str(same.unwrap_or(&made));
        after.push('\n');
    }
    after
}

/// Value `k` of what is there.
pub fn value(world: &str) -> u32 {
    let id: u32 = world.split(' ').nth(1).and_then(|id| id.parse().ok()).expect("an id");
    id % 4
}

/// Numbers and ids of what is there, without the serials.
fn things(world: &str) -> Vec<(u32, u32, &str)> {
    let words = world.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    words.map(|words| (words[0].parse().expect("a number"), words[1].parse().expect("an id"), words[2])).collect()
}

/// Whether two states hold the same numbers and ids.
pub fn is_same(one: &str, other: &str) -> bool {
    let bare = |world| -> Vec<(u32, u32)> { things(world).into_iter().map(|(number, id, _)| (number, id)).collect() };
    bare(one) == bare(other)
}

impl Model {
    /// What is remembered of a task's things after it looked at them: what was made now is of this attempt,
    /// what was known keeps the attempt that made it.
    pub fn remember_things(&mut self, key: u32, env: Env, world: &str, made_now: &str, attempt: u64) {
        let known = self.things.entry((key, env)).or_default();
        let new: BTreeSet<Thing> = things(world)
            .into_iter()
            .map(|(number, id, tag)| {
                let old = known.iter().find(|thing| (thing.1, thing.2) == (number, id) && tag != made_now);
                (key, number, id, old.map_or(attempt, |thing| thing.3))
            })
            .collect();
        *known = new;
    }

    /// Things that upstream has now, through every edge but `after`.
    pub fn alive(&self, id: Id, env: Env) -> BTreeSet<Thing> {
        let mut alive = BTreeSet::new();
        for (up, _) in self.real_ups(id) {
            let own = self.key(up).and_then(|key| self.things.get(&(key, env)));
            alive.extend(own.into_iter().flatten().copied());
            alive.extend(self.alive(up, env));
        }
        alive
    }
}

//! Owns the scripts that lie beside the project: what tasks share, how they are undone, what a probe asks.
//! `world.rs` and `attempt.rs` say the same as rules.

/// Outside the project: what the scripts of all tasks share. They say that they ran, gather what they
/// see, and make what they make of its checksum. A file in `hooks/` makes one fail or end its runner.
pub const LIBRARY: &str = r#"# W: what the task is called in the world.
SEEN=$INFRA_TMP/seen
: > $SEEN
H=
if test -e ../hooks/$W; then read H < ../hooks/$W; fi
echo $W >> ../log
infra_dies() {
  while ! test -s ../runner; do sleep 0.005; done
  read P < ../runner
  kill -9 $P
  kill -9 $$
}
case $H in
  fails-early) exit 3 ;;
  dies) kill -9 $$ ;;
  infra-dies-early) infra_dies ;;
  interrupts)
    while ! test -s ../runner; do sleep 0.005; done
    read P < ../runner
    kill -INT $P
    sleep 30 ;;
esac
say() { echo "$1" >> $SEEN; }
see() { cat $1 >> $SEEN 2>/dev/null || echo none >> $SEEN; }
see_text() { grep -v '^#' $1 >> $SEEN || :; }
see_first() { read F < $1 && echo "$F" >> $SEEN || echo none >> $SEEN; }
see_all() { for F in $1/*.txt; do if test -e $F; then cat $F >> $SEEN; fi; done; }
sum() { S=$(cksum < $SEEN); S=${S%% *}; }
file() { if test "$H" != writes-nothing; then echo $S > $1; fi; }
folder() { rm -f $1/*; if test "$H" != writes-nothing; then echo $S > $1/a; echo $((S % 3)) > $1/b; fi; }
world() { echo $S > ../world/$1/$W; }
export_k() { echo k=$((S % 4)) > $INFRA_EXPORTS; }
end() {
  case $H in
    fails-late) exit 4 ;;
    infra-dies-late) infra_dies ;;
    meddles) printf '7\n# 7\n' > $M ;;
  esac
}
"#;

/// Outside the project: takes back what a task did. `undo.sh W ENV`
pub const UNDO: &str = r"H=
if test -e ../hooks/undo-$1; then read H < ../hooks/undo-$1; fi
echo undo-$1 >> ../log
case $H in
  fails-early) exit 3 ;;
  infra-dies-early)
    while ! test -s ../runner; do sleep 0.005; done
    read P < ../runner
    kill -9 $P
    kill -9 $$ ;;
esac
rm -f ../world/$2/$1
";

/// Outside the project: says whether a thing is there. `probe.sh W`
pub const PROBE: &str = r"A=
if test -e ../probes/$1; then read A < ../probes/$1; fi
echo probe-$1 >> ../log
case $A in
  no) exit 1 ;;
  unsure) exit 7 ;;
esac
";

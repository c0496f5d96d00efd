//! Stories: black-box tests of the program, one binary. Each tells one rule of `docs/truth.md` or of the
//! design and holds the real program to it, with the real tools.

mod layers;
mod support;
mod truth_cutoff;
mod truth_effects;
mod truth_once;

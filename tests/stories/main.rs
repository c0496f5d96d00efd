//! Stories: black-box tests of the program, one binary. Each tells one rule of `docs/truth.md` or of the
//! design and holds the real program to it, with the real tools.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::needless_pass_by_value,
    clippy::format_push_string,
    reason = "a test may panic, and says on stderr what it does"
)]

mod cli_artifacts;
mod cli_completion;
mod cli_destroy;
mod cli_doctor;
mod cli_flags;
mod cli_global;
mod cli_junit;
mod cli_queries;
mod cli_run;
mod cli_show;
mod doing_approval;
mod doing_limits;
mod doing_order;
mod doing_signals;
mod errors_disk;
mod errors_fuzz;
mod errors_store;
mod errors_toml;
mod errors_world;
mod import_doit;
mod import_just;
mod import_just_odd;
mod import_make;
mod import_make_odd;
mod import_public;
mod import_task;
mod import_task_odd;
mod init;
mod kube_lab;
mod layers;
mod page;
mod reading;
mod seeing_ci;
mod seeing_still;
mod seeing_watch;
mod shipped;
mod support;
mod truth_ansible;
mod truth_cutoff;
mod truth_cuts;
mod truth_effects;
mod truth_environments;
mod truth_found;
mod truth_helm;
mod truth_helm_releases;
mod truth_helm_words;
mod truth_inputs;
mod truth_kube;
mod truth_kube_objects;
mod truth_kube_words;
mod truth_once;
mod truth_outputs;
mod truth_probe;
mod truth_reading;
mod truth_reasons;
mod truth_recorded;
mod truth_secrets;
mod truth_states;
mod truth_terraform;
mod truth_undo;
mod truth_vanished;

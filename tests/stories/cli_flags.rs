//! Holds the stories to the command line: every command and every option of `--help` has one that shows
//! what it does, named here. An option without an effect is a lie.

use crate::{
    cli_artifacts as artifacts, cli_destroy as destroy, cli_global as global, cli_queries as queries, cli_run as run,
    cli_show as show,
};
use clap::{Command, CommandFactory};
use std::collections::BTreeSet;

/// What is shown, and the story that shows it. The compiler holds the names true.
const SHOWN: &[(&str, fn())] = &[
    ("--help", global::help_and_version_are_told_and_nothing_is_a_question),
    ("--version", global::help_and_version_are_told_and_nothing_is_a_question),
    ("--directory", global::directory_is_where_the_project_is_looked_for),
    ("--env", global::env_chooses_the_environment),
    ("--set", global::set_wins_over_all_files),
    ("--json", global::json_is_for_machines),
    ("--color", global::color_is_as_asked),
    ("--quiet", global::quiet_says_only_what_failed),
    ("--verbose", global::verbose_says_every_step_reason_and_fresh_task),
    ("help", global::help_and_version_are_told_and_nothing_is_a_question),
    ("run TARGET", run::a_target_brings_what_is_upstream),
    ("run --only", run::only_takes_what_is_upstream_as_recorded),
    ("run --from", run::from_runs_it_and_what_lies_downstream_of_it_within_the_target),
    ("run --until", run::until_goes_so_far_and_no_further),
    ("run --skip", run::skip_leaves_a_task_as_recorded_and_says_so),
    ("run --force", run::force_runs_the_named_targets_and_nothing_else),
    ("run --dry-run", run::dry_run_shows_and_does_nothing),
    ("run --resume", run::resume_goes_on_with_targets_environment_and_variables),
    ("run --watch", run::watch_is_the_watch_command),
    ("run --keep-going", run::keep_going_runs_what_does_not_depend_on_a_failure),
    ("run --fail-fast", run::fail_fast_interrupts_what_still_runs),
    ("run --jobs", run::jobs_is_how_many_run_at_a_time),
    ("run --wait", run::wait_waits_for_the_other_run),
    ("run --junit", crate::cli_junit::junit_says_how_each_task_ended),
    ("run --yes", run::yes_approves),
    ("check", queries::check_only_checks),
    ("schema", queries::schema_prints_what_editors_want),
    ("schema FILE", queries::schema_prints_what_editors_want),
    ("status", queries::status_shows_all_or_the_targets),
    ("status TARGET", queries::status_shows_all_or_the_targets),
    ("status --probe", queries::probe_asks_now_and_tells_nobody),
    ("status --exit-code", queries::exit_code_says_whether_anything_is_stale),
    ("why", queries::why_explains_one_task),
    ("why TASK", queries::why_explains_one_task),
    ("plan", run::a_plan_says_what_the_run_will_do),
    ("plan TARGET", queries::plan_takes_the_selection_of_run),
    ("plan --only", queries::plan_takes_the_selection_of_run),
    ("plan --from", queries::plan_takes_the_selection_of_run),
    ("plan --until", queries::plan_takes_the_selection_of_run),
    ("plan --skip", queries::plan_takes_the_selection_of_run),
    ("plan --force", queries::plan_takes_the_selection_of_run),
    ("plan --exit-code", queries::exit_code_says_whether_anything_is_stale),
    ("list", queries::list_says_what_is_declared),
    ("artifacts", artifacts::artifacts_are_listed_shown_and_copied),
    ("artifacts --all", artifacts::artifacts_are_listed_shown_and_copied),
    ("artifacts show", artifacts::artifacts_are_listed_shown_and_copied),
    ("artifacts show ARTIFACT", artifacts::artifacts_are_listed_shown_and_copied),
    ("artifacts get", artifacts::artifacts_are_listed_shown_and_copied),
    ("artifacts get TASK", artifacts::artifacts_are_listed_shown_and_copied),
    ("artifacts get PATH", artifacts::artifacts_are_listed_shown_and_copied),
    ("artifacts get --to", artifacts::artifacts_are_listed_shown_and_copied),
    ("clean", artifacts::clean_drops_what_is_old_and_keeps_the_newest),
    ("clean --older-than", artifacts::clean_drops_what_is_old_and_keeps_the_newest),
    ("clean --max-size", artifacts::clean_drops_the_oldest_until_little_enough_stays),
    ("clean --dry-run", artifacts::clean_drops_what_is_old_and_keeps_the_newest),
    ("man", queries::man_prints_the_pages_that_are_shipped),
    ("man COMMAND", queries::man_prints_the_pages_that_are_shipped),
    ("completion", crate::cli_completion::bash_completes_what_is_typed),
    ("completion SHELL", crate::cli_completion::every_shell_has_a_script),
    ("complete", crate::cli_completion::names_of_the_project_are_offered),
    ("complete --index", crate::cli_completion::names_of_the_project_are_offered),
    ("complete WORD", crate::cli_completion::names_of_the_project_are_offered),
    ("doctor", crate::cli_doctor::doctor_finds_everything_well),
    ("show", show::show_tells_one_task_whole),
    ("show TASK", show::show_tells_one_task_whole),
    ("edit", show::edit_opens_the_file_at_the_line_and_checks),
    ("edit TASK", show::edit_opens_the_file_at_the_line_and_checks),
    ("graph", queries::graph_is_drawn_in_four_notations),
    ("graph TARGET", queries::graph_is_drawn_in_four_notations),
    ("graph --format", queries::graph_is_drawn_in_four_notations),
    ("logs", queries::logs_shows_what_failed_last_or_what_is_asked_for),
    ("logs TASK", queries::logs_shows_what_failed_last_or_what_is_asked_for),
    ("logs --run", queries::logs_shows_what_failed_last_or_what_is_asked_for),
    ("logs --attempt", queries::logs_shows_what_failed_last_or_what_is_asked_for),
    ("logs --path", queries::path_prints_where_a_log_is),
    ("history", queries::history_shows_runs_or_the_attempts_of_a_task),
    ("history TASK", queries::history_shows_runs_or_the_attempts_of_a_task),
    ("history --limit", queries::history_shows_runs_or_the_attempts_of_a_task),
    ("outputs", queries::outputs_shows_values_and_artifacts),
    ("outputs TASK", queries::outputs_shows_values_and_artifacts),
    ("outputs --key", queries::key_prints_one_value_for_scripts),
    ("outputs --reveal", queries::reveal_shows_secrets),
    ("watch", crate::seeing_watch::an_edit_runs_again_what_watch_may_run),
    ("watch TARGET", crate::seeing_watch::an_edit_runs_again_what_watch_may_run),
    ("watch --jobs", crate::seeing_watch::watch_heeds_jobs),
    ("run", run::without_a_target_the_default_is_meant_or_a_list_is_given),
    ("init", crate::init::nothing_is_written_unless_asked_for),
    ("init --write", crate::init::what_is_found_becomes_tasks_that_run),
    ("import", crate::import_make::what_is_lost_is_said_beside_the_task_and_on_stderr),
    ("import TOOL", crate::import_doit::the_imported_tasks_make_what_doit_makes),
    ("import FILE", crate::import_make::nothing_is_run_to_read_a_makefile),
    ("import --write", crate::import_make::what_cannot_be_imported_is_an_error_with_what_to_do),
    ("destroy", destroy::destroy_undoes_everything_on_record_in_reverse),
    ("destroy TARGET", destroy::destroy_takes_targets_and_what_was_built_on_them),
    ("destroy --orphans", destroy::orphans_undoes_only_what_is_no_longer_declared),
    ("destroy --yes", destroy::destroy_asks_and_refuses_where_nobody_can_answer),
    ("destroy --wait", destroy::destroy_waits_for_another_run_when_told_so),
    ("resolve", destroy::resolve_says_what_it_can_not_do),
    ("resolve TASK", destroy::resolve_says_what_it_can_not_do),
    ("resolve --done", destroy::done_counts_as_done),
    ("resolve --failed", destroy::failed_counts_as_failed),
    ("resolve --rerun", destroy::rerun_lets_it_run_once_more),
    ("resolve --accept-state", crate::truth_states::a_state_that_became_empty_is_refused_until_it_is_resolved),
    ("resolve --undone", crate::truth_kube::what_is_gone_for_good_is_said_by_a_person),
    ("resolve --reason", destroy::done_counts_as_done),
];

#[test]
fn every_command_and_option_has_a_story() {
    let shown: BTreeSet<&str> = SHOWN.iter().map(|(name, _)| *name).collect();
    assert_eq!(shown.len(), SHOWN.len(), "one is named twice");
    let mut declared = BTreeSet::new();
    let mut cli = infra::cli::Cli::command();
    cli.build();
    collect(&cli, "", &mut declared);
    let lacking: Vec<&String> = declared.iter().filter(|name| !shown.contains(name.as_str())).collect();
    let vanished: Vec<&&str> = shown.iter().filter(|name| !declared.contains(**name)).collect();
    assert!(lacking.is_empty(), "no story shows what these do: {lacking:?}");
    assert!(vanished.is_empty(), "these are no longer of the command line: {vanished:?}");
}

fn collect(command: &Command, path: &str, declared: &mut BTreeSet<String>) {
    for arg in command.get_arguments() {
        let inherited =
            !path.is_empty() && (arg.is_global_set() || ["help", "version"].contains(&arg.get_id().as_str()));
        if inherited {
            continue;
        }
        let value =
            || arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string).unwrap_or_default();
        let name = arg.get_long().map_or_else(value, |long| format!("--{long}"));
        declared.insert(format!("{path} {name}").trim().to_owned());
    }
    for one in command.get_subcommands() {
        let path = format!("{path} {}", one.get_name()).trim().to_owned();
        if one.get_name() != "help" {
            collect(one, &path, declared);
        }
        // `help` of a command that has commands of its own is told by the first one.
        if one.get_name() != "help" || path == "help" {
            declared.insert(path);
        }
    }
}

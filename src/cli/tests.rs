//! Owns the examples that hold the grammar to its manual.
//! Does not know what a command does.

use super::*;
use clap::CommandFactory;
use clap::error::ErrorKind;

fn parse(line: &str) -> Result<Cli, ErrorKind> {
    Cli::try_parse_from(std::iter::once("infra").chain(line.split_whitespace())).map_err(|error| error.kind())
}

#[test]
fn the_grammar_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_of_the_manual_is_understood() {
    for line in [
        "run",
        "run verify tag:smoke --skip lint --skip fmt --force --dry-run -k -j 4 --wait --yes",
        "run --only configure --only verify",
        "run verify --from provision --until configure --fail-fast",
        "run --resume",
        "run --watch --json",
        "check --json",
        "schema",
        "schema tasks",
        "status verify --probe --exit-code",
        "why configure",
        "plan verify --exit-code --from provision",
        "list",
        "graph --format mermaid verify",
        "logs provision --run 3 --path",
        "history provision --limit 5",
        "outputs provision --key worker_ips --reveal",
        "watch docs -j 2",
        "destroy --orphans --yes",
        "resolve vm --accept-state --reason checked",
        "resolve vm --undone",
        "-C /tmp -e dev --set a=1 --set b=x=y status",
        "status --color never -v",
    ] {
        assert!(parse(line).is_ok(), "{line}: {:?}", parse(line).err());
    }
}

#[test]
fn what_excludes_each_other_is_refused() {
    for line in [
        "run --only a --from b",
        "run --only a --until b",
        "run verify --resume",
        "run --keep-going --fail-fast",
        "run --watch --dry-run",
        "status -q -v",
        "destroy vm --orphans",
        "resolve vm --done --failed",
        "logs a --run 1 --attempt 2",
    ] {
        assert_eq!(parse(line).err(), Some(ErrorKind::ArgumentConflict), "{line}");
    }
    assert_eq!(parse("resolve vm").err(), Some(ErrorKind::MissingRequiredArgument));
    assert_eq!(parse("outputs --key a").err(), Some(ErrorKind::MissingRequiredArgument));
    assert_eq!(parse("run -j 0").err(), Some(ErrorKind::ValueValidation));
    assert_eq!(parse("run --set a").err(), Some(ErrorKind::ValueValidation));
    assert_eq!(parse("run --env=").err(), Some(ErrorKind::InvalidValue));
}

#[test]
fn a_setting_keeps_its_value_as_written() {
    let setting: Result<Setting, _> = "a= x=y".parse();
    assert_eq!(setting, Ok(Setting { name: "a".to_owned(), value: " x=y".to_owned() }));
    assert_eq!("=x".parse::<Setting>(), Err("write NAME=VALUE"));
}

#[test]
fn global_options_may_stand_before_and_after_the_command() {
    for line in ["-e dev --json status", "status --json -e dev"] {
        let cli = parse(line).unwrap();
        assert!(cli.global.json && cli.global.env.as_deref() == Some("dev"), "{line}");
    }
}

#[test]
fn flags_become_wishes() {
    let wishes = |line| parse(line).unwrap().global.wishes();
    assert_eq!(wishes("status").verbosity, Verbosity::Normal);
    assert_eq!(wishes("status -q").verbosity, Verbosity::Quiet);
    let all = wishes("status -v --json --color never");
    assert!(all.json && all.color == ColorWish::Never && all.verbosity == Verbosity::Verbose);
}

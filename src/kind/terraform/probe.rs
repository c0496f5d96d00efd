//! Owns terraform's own probe: two commands that only look, at the state and at the world behind it.
//! Does not know when they are asked, nor what their answer does to a record.

use super::command::Commands;
use super::state::{State, is_thing};
use crate::kind::machine::{Job, Step};
use crate::kind::texts;
use crate::model::probe::{Answer, Judge};
use serde::Deserialize;

/// The commands in the order in which they are asked; the first that does not agree has the word.
pub fn looks(job: &Job) -> Vec<(Step, Judge)> {
    let commands = Commands::new(job);
    let identity = texts(&job.table, "identity");
    let known: Vec<(String, String)> =
        job.memory.incarnations.iter().map(|one| (one.address.clone(), one.id.clone())).collect();
    let state = Judge::new(move |code, stdout, stderr| match code {
        Some(0) => in_state(stdout, &known),
        _ => cannot("terraform state pull", code, stderr),
    });
    let world = Judge::new(move |code, stdout, stderr| match code {
        Some(0 | 2) => in_world(stdout, &identity),
        _ => cannot("terraform plan -refresh-only", code, stderr),
    });
    vec![(commands.pull(), state), (commands.refresh(), world)]
}

/// Somebody may have destroyed by hand: then the state has other things than those on record.
fn in_state(text: &str, known: &[(String, String)]) -> Answer {
    let things = match State::read(text) {
        Ok(state) => state.map(|state| state.things).unwrap_or_default(),
        Err(why) => return Answer::CannotTell(why),
    };
    let gone: Vec<&str> =
        known.iter().filter(|one| !things.contains(one)).map(|(address, _)| address.as_str()).collect();
    if gone.is_empty() { Answer::Agrees } else { Answer::Disagrees(format!("no longer in the state: {}", some(&gone))) }
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    change: Option<Change>,
}

#[derive(Deserialize)]
struct Change {
    action: String,
    resource: Resource,
}

#[derive(Deserialize)]
struct Resource {
    addr: String,
}

/// What terraform finds when it looks at each thing of the state. One that is only different is there.
fn in_world(stream: &str, identity: &[String]) -> Answer {
    let messages = stream.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let drift = messages.filter(|message| message.kind == "resource_drift").filter_map(|message| message.change);
    let gone: Vec<String> = drift
        .filter(|change| change.action == "delete" && is_thing(&change.resource.addr, identity))
        .map(|change| change.resource.addr)
        .collect();
    if gone.is_empty() { Answer::Agrees } else { Answer::Disagrees(format!("no longer there: {}", some(&gone))) }
}

fn some<S: AsRef<str>>(gone: &[S]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<&str> = gone.iter().take(SHOWN).map(AsRef::as_ref).collect();
    match gone.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn cannot(command: &str, code: Option<i32>, stderr: &str) -> Answer {
    let ended = code.map_or_else(|| "was ended by a signal".to_owned(), |code| format!("exited with code {code}"));
    let why = stderr.lines().map(str::trim).find(|line| line.starts_with("Error:") || line.contains("Error:"));
    Answer::CannotTell(match why {
        Some(why) => format!("`{command}` {ended}: {}", why.trim_start_matches(['│', ' '])),
        None => format!("`{command}` {ended}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_that_left_the_state_is_gone() {
        let state = r#"{"lineage":"l","serial":3,"resources":[{"mode":"managed","type":"t","name":"a",
            "instances":[{"attributes":{"id":"1"}}]}]}"#;
        let one = |address: &str, id: &str| (address.to_owned(), id.to_owned());
        assert_eq!(in_state(state, &[one("t.a", "1")]), Answer::Agrees);
        let other = Answer::Disagrees("no longer in the state: t.a".to_owned());
        assert_eq!(in_state(state, &[one("t.a", "2")]), other);
        assert_eq!(in_state("", &[one("t.a", "1")]), other);
        assert!(matches!(in_state("nonsense", &[]), Answer::CannotTell(_)));
    }

    #[test]
    fn a_thing_that_terraform_does_not_find_is_gone_and_a_changed_one_is_not() {
        let drift = |action: &str, addr: &str| {
            format!(r#"{{"type":"resource_drift","change":{{"action":"{action}","resource":{{"addr":"{addr}"}}}}}}"#)
        };
        let stream = format!("{}\nnot json\n{}", drift("update", "t.a"), drift("delete", "t.b"));
        assert_eq!(in_world(&stream, &[]), Answer::Disagrees("no longer there: t.b".to_owned()));
        assert_eq!(in_world(&stream, &["t.a".to_owned()]), Answer::Agrees);
    }
}

//! Owns `status --probe`: asks the probes now, and tells nobody but this answer: reading never writes.
//! Does not know what an answer means (`plan::verdict`).

use crate::command::context::Opened;
use crate::engine::probe_check;
use crate::model::name::TaskId;
use crate::model::probe::Answer;
use crate::model::record::Phase;
use crate::plan::board::Board;
use std::collections::BTreeMap;

/// Asks the probes of tasks that have a record and no open attempt, all at once. Gives those that can't tell, with the
/// reason: of them nothing is known now, whatever they said before.
pub fn ask(opened: &Opened, board: &mut Board<'_>, tasks: &[TaskId]) -> BTreeMap<TaskId, String> {
    let now = crate::model::facts::Facts::now(&opened.host);
    let mut asked = Vec::new();
    for id in tasks {
        let busy = board.history(*id).last.as_ref().is_some_and(|last| last.phase == Phase::Open);
        if busy {
            continue;
        }
        if let Some(check) = probe_check(&opened.host, board, *id) {
            asked.push((*id, std::thread::spawn(move || check.ask())));
        }
    }
    let mut silent = BTreeMap::new();
    for (id, thread) in asked {
        let answer = match thread.join() {
            Ok(Answer::Agrees) => (true, now, String::new()),
            Ok(Answer::Disagrees(text)) => (false, now, text),
            Ok(Answer::CannotTell(why)) => {
                silent.insert(id, why);
                continue;
            }
            Err(_) => continue,
        };
        board.histories[id.index()].probe = Some(answer);
    }
    silent
}

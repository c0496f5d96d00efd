//! Owns the telling of a story: each edit is made, each command is run, and what it says, runs and leaves
//! is held against the rules.

use crate::generate::Plot;
use crate::memory::Model;
use crate::op::Op;
use crate::place::{Place, Seen};
use crate::project::{Env, Id, Project};
use crate::run::{Came, Request, Run};
use crate::scratch::Scratch;
use crate::told::{Planned, Said, agree, expect_code, kept_promise, probed, said_of, told_by};
use crate::verdict::{Reasons, Settled};
use crate::words::Words;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// Seconds between two commands.
const PAUSE: i64 = 60;

/// How a story went wrong.
pub struct Wrong {
    pub what: String,
    /// What was done, for a person to do it again.
    pub told: Vec<String>,
    /// Where it happened, when it was to be kept.
    pub place: String,
}

/// What a story held.
#[derive(Clone, Copy, Debug, Default)]
pub struct Held {
    pub commands: usize,
    pub executed: usize,
    pub killed: usize,
}

pub struct Story {
    pub model: Model,
    place: Place,
    commits: Vec<Project>,
    told: Vec<String>,
    held: Held,
}

/// Plays a whole story.
pub fn play(plot: &Plot, keep: bool) -> Result<Held, Wrong> {
    let mut story = Story::new(plot.project.clone());
    for op in &plot.ops {
        if let Err(what) = story.step(op) {
            if keep {
                story.place.keep();
            }
            let place = story.place.path().display().to_string();
            return Err(Wrong { what, told: story.told, place });
        }
    }
    Ok(story.held)
}

/// Of so many commands, one is repeated until it is answered from a snapshot.
const STILL_EVERY: usize = 4;
/// Younger stamps prove nothing to the program.
const OLD_ENOUGH: Duration = Duration::from_millis(60);

impl Story {
    pub fn new(project: Project) -> Self {
        let model = Model::new(project);
        let mut place = Place::new();
        place.sync(&model);
        let told = vec![crate::text::files(&model.project)["tasks/t.toml"].clone()];
        Self { model, place, commits: Vec::new(), told, held: Held::default() }
    }

    /// One thing that happens.
    pub fn step(&mut self, op: &Op) -> Result<(), String> {
        match op {
            Op::Run(words) => self.run(words),
            Op::Destroy(env, ..) => self.destroy(op, env),
            Op::Resolve(env, task, key, said) => {
                let Some(words) = op.command(&self.model.project) else { return Ok(()) };
                let id = Id { task: *task, key: *key };
                let seen = self.infra(&words);
                let code = self.model.resolve(id, env, *said);
                expect_code(&seen, code)?;
                self.look(env, 3)
            }
            _ => {
                if let Some(done) = op.edit(&mut self.model, &mut self.commits) {
                    self.place.sync(&self.model);
                    if *op == Op::DropKept {
                        self.place.drop_kept();
                    }
                    self.tell(done);
                }
                Ok(())
            }
        }
    }

    fn tell(&mut self, line: String) {
        self.told.push(line);
    }

    /// A command that may write; the clock goes on.
    fn infra(&mut self, words: &[String]) -> Seen {
        self.model.now += PAUSE;
        self.held.commands += 1;
        let line = format!("$ infra {}    # at {} s", words.join(" "), self.model.now);
        self.tell(line);
        let seen = self.place.infra(words, self.model.now);
        self.place.sweep();
        seen
    }

    /// Reading commands: they say what the rules say, and change nothing.
    fn look(&mut self, env: Env, which: usize) -> Result<(), String> {
        let before = self.place.tree();
        let words = ["status", "--json", "-e", env].map(str::to_owned);
        self.held.commands += 1;
        let seen = self.place.infra(&words, self.model.now);
        self.status(env, &seen).map_err(|what| format!("status: {what}\n(infra {})", words.join(" ")))?;
        let task = self.model.project.ids().first().map(|id| self.model.project.name(*id)).unwrap_or_default();
        let others: [&[&str]; 7] =
            [&["why", &task], &["list"], &["outputs"], &["history"], &["graph"], &["logs"], &["check"]];
        let mut words: Vec<String> = others[which % others.len()].iter().map(|word| (*word).to_owned()).collect();
        words.extend(["-e".to_owned(), env.to_owned()]);
        self.place.infra(&words, self.model.now);
        let after = self.place.tree();
        match after.iter().find(|(path, text)| before.get(*path) != Some(*text)) {
            Some((path, _)) => Err(format!("`infra status` or `infra {}` wrote `{path}`", words.join(" "))),
            None if after.len() != before.len() => Err(format!("`infra {}` removed a file", words.join(" "))),
            None => Ok(()),
        }
    }

    fn status(&self, env: Env, seen: &Seen) -> Result<(), String> {
        expect_code(seen, 0)?;
        let json = seen.json()?;
        let model = self.model.recovered(env);
        let (verdicts, board) = model.forecast(env);
        let mut said = said_of(&json["tasks"]);
        for (id, verdict) in &verdicts {
            let name = self.model.project.name(*id);
            let one = said.remove(&name).ok_or_else(|| format!("`{name}` is not there"))?;
            agree(&name, (verdict.state, &verdict.reasons), (&one.state, &one.reasons))?;
        }
        let orphans: BTreeSet<String> =
            said.iter().filter(|(_, one)| one.state == "orphaned").map(|(name, _)| name.clone()).collect();
        if orphans.len() != said.len() || orphans != self.model.orphans(env) {
            return Err(format!("orphans are {:?}, not {:?}", self.model.orphans(env), said.keys()));
        }
        let odd = BTreeSet::new();
        let mut scratch = Scratch::new(&model, env, &board, &odd);
        for (id, _) in verdicts.iter().filter(|(_, verdict)| verdict.state == "fresh") {
            if let Some(what) = scratch.wrong(*id) {
                return Err(format!("`{}` is fresh, but {what}", self.model.project.name(*id)));
            }
        }
        Ok(())
    }

    fn run(&mut self, words: &Words) -> Result<(), String> {
        let alone = self.model.world.hooks.values().any(|hook| hook.wants_to_be_alone());
        let words = &Words { jobs: if alone { 1 } else { words.jobs }, ..words.clone() };
        let Some(command) = words.command(&self.model.project) else { return Ok(()) };
        let request = words.request(&self.model.project);
        // What is said before is said of the moment at which it will run.
        self.model.now += PAUSE;
        self.look(words.env, self.told.len())?;
        let planned = self.plan(words, &request)?;
        self.model.now -= PAUSE;
        let before = self.model.clone();
        let (seen, came) = self.run_once(words.env, &command, &request)?;
        let mut free = Self::judged_by_last_values(&before, words.env);
        free.extend(probed(&before.project, &came));
        if came.meddled {
            free.extend(before.project.ids().into_iter().map(|id| before.project.name(id)));
        }
        kept_promise(&before.project, &planned, &seen, &free).map_err(|what| format!("plan and run: {what}"))?;
        if came.exit == 0 && !came.killed && !came.meddled && !words.force && !request.chosen.is_empty() {
            let (_, again) = self.run_once(words.env, &command, &request).map_err(|what| format!("again: {what}"))?;
            self.nothing_again(words.env, &again)?;
            if self.told.len().is_multiple_of(STILL_EVERY) {
                self.stand_still(words.env, &command, &request)?;
            }
        }
        self.model.now += PAUSE;
        self.look(words.env, self.told.len() + 1)
    }

    /// Runs again when all stamps are old enough to be believed: the first run may take a snapshot, by which
    /// the second one is answered. What follows must not be.
    fn stand_still(&mut self, env: Env, command: &[String], request: &Request) -> Result<(), String> {
        std::thread::sleep(OLD_ENOUGH);
        for _ in 0..2 {
            let (_, again) = self.run_once(env, command, request).map_err(|what| format!("still: {what}"))?;
            self.nothing_again(env, &again)?;
        }
        Ok(())
    }

    /// A repeated run executes nothing, but what is never fresh.
    fn nothing_again(&self, env: Env, again: &Came) -> Result<(), String> {
        let project = &self.model.project;
        for id in &again.executed {
            let expired = BTreeSet::from(["expired".to_owned()]);
            let why = again.outcomes.get(id).and_then(|(_, verdict)| verdict.as_ref());
            let never = why.is_some_and(|verdict| {
                let reasons = &verdict.reasons.must;
                *reasons == expired || reasons.contains("probe-disagrees")
            });
            let failed = again.outcomes.get(id).is_some_and(|(outcome, _)| *outcome == "failed");
            let after_failure =
                project.reach(&BTreeSet::from([*id]), false).iter().any(|up| project.task(*up).may_fail);
            if !never && !failed && !after_failure {
                return Err(format!("`{}` ran again in `{env}` although nothing changed", project.name(*id)));
            }
        }
        Ok(())
    }

    fn run_once(&mut self, env: Env, command: &[String], request: &Request) -> Result<(Seen, Came), String> {
        let seen = self.infra(command);
        let mut log = self.place.log();
        if request.chosen.is_empty() {
            expect_code(&seen, 2)?;
            return Ok((seen, Came::default()));
        }
        let (trace, outcomes) = if seen.code == Some(5) && seen.stdout.is_empty() {
            (Vec::new(), BTreeMap::new())
        } else {
            told_by(&seen.events()?)
        };
        let mut undone: VecDeque<String> = log.iter().filter(|line| line.starts_with("undo-")).cloned().collect();
        let came = Run::carry_out(&mut self.model, env, request, &trace, &mut undone)
            .map_err(|what| format!("{what}\n{}{}", seen.stdout, seen.stderr))?;
        self.held.executed += came.executed.len();
        self.held.killed += usize::from(came.killed);
        self.compare(&seen, &came, &outcomes).map_err(|what| format!("{what}\n{}{}", seen.stdout, seen.stderr))?;
        log.sort();
        let mut wanted = came.log.clone();
        wanted.sort();
        if log != wanted {
            return Err(format!("really ran {log:?}, and should have run {wanted:?}"));
        }
        if let Some(what) = self.place.differs(&self.model) {
            return Err(what);
        }
        self.as_from_scratch(env, &came)?;
        Ok((seen, came))
    }

    fn compare(&self, seen: &Seen, came: &Came, outcomes: &BTreeMap<String, Said>) -> Result<(), String> {
        if came.killed {
            if seen.signal != Some(9) {
                return Err("the runner should have been ended".to_owned());
            }
        } else {
            expect_code(seen, came.exit)?;
        }
        let names: BTreeMap<String, Id> = came.outcomes.keys().map(|id| (self.model.project.name(*id), *id)).collect();
        for (name, said) in outcomes {
            let id = names.get(name).ok_or_else(|| format!("`{name}` was not asked for"))?;
            let (outcome, verdict) = &came.outcomes[id];
            let nothing = Reasons::default();
            let reasons = verdict.as_ref().map_or(&nothing, |verdict| &verdict.reasons);
            agree(name, (outcome, reasons), (&said.state, &said.reasons))?;
        }
        match names.keys().find(|name| !outcomes.contains_key(*name)) {
            Some(name) if !came.killed && !came.refused => Err(format!("nothing was said of `{name}`")),
            _ => Ok(()),
        }
    }

    /// What counts as done after a run is what a run from scratch would have made.
    fn as_from_scratch(&self, env: Env, came: &Came) -> Result<(), String> {
        if came.meddled {
            // What ran before the edit made something else, and is stale now.
            return Ok(());
        }
        let (_, board) = self.model.forecast(env);
        let mut scratch = Scratch::new(&self.model, env, &board, &came.odd);
        for (id, (outcome, _)) in &came.outcomes {
            let done = matches!(*outcome, "ran" | "fresh" | "restored") && !self.model.project.task(*id).is_undo();
            let name = self.model.project.name(*id);
            if let Some(what) = done.then(|| scratch.wrong(*id)).flatten() {
                return Err(format!("`{name}` came out `{outcome}`, but {what}"));
            }
        }
        Ok(())
    }

    fn plan(&mut self, words: &Words, request: &Request) -> Result<BTreeMap<String, Planned>, String> {
        let Some(selection) = words.selection(&self.model.project) else { return Ok(BTreeMap::new()) };
        let mut command: Vec<String> = ["plan", "--json", "-e", words.env].map(str::to_owned).to_vec();
        command.extend(selection);
        let before = self.place.tree();
        let seen = self.place.infra(&command, self.model.now);
        if self.place.tree() != before {
            return Err("`infra plan` wrote something".to_owned());
        }
        self.held.commands += 1;
        if request.chosen.is_empty() {
            expect_code(&seen, 2)?;
            return Ok(BTreeMap::new());
        }
        let told = format!("$ infra {}", command.join(" "));
        let wrong = |what: String| format!("{told}: {what}\n{}{}", seen.stdout, seen.stderr);
        let Some(wanted) = self.model.recovered(words.env).plan(words.env, request) else {
            expect_code(&seen, 5).map_err(wrong)?;
            return Ok(BTreeMap::new());
        };
        expect_code(&seen, 0).map_err(wrong)?;
        let json = seen.json()?;
        let said = said_of(&json["tasks"]);
        let mut planned = BTreeMap::new();
        for (id, (action, verdict)) in &wanted {
            let name = self.model.project.name(*id);
            let one = said.get(&name).ok_or_else(|| wrong(format!("`{name}` is not there")))?;
            agree(&name, (verdict.state, &verdict.reasons), (&one.state, &one.reasons)).map_err(wrong)?;
            if one.action != *action {
                return Err(wrong(format!("`{name}` is to `{action}`, not `{}`", one.action)));
            }
            planned.insert(name, Planned { action: one.action.clone(), reasons: one.raw.clone() });
        }
        if said.len() != wanted.len() {
            return Err(wrong("tasks are planned that were not asked for".to_owned()));
        }
        Ok(planned)
    }

    /// What may come out otherwise than planned: an expired `read` task upstream may see another world.
    fn judged_by_last_values(before: &Model, env: Env) -> BTreeSet<String> {
        let (_, board) = before.forecast(env);
        let expired = board.iter().filter(|(_, settled)| matches!(settled, Settled::LastValues(_))).map(|(id, _)| *id);
        before.project.reach(&expired.collect(), true).into_iter().map(|id| before.project.name(id)).collect()
    }

    fn destroy(&mut self, op: &Op, env: Env) -> Result<(), String> {
        let project = &self.model.project;
        let (Some(command), Some(of)) = (op.command(project), op.destroys(project)) else { return Ok(()) };
        // An undo that fails would leave the order of the others open.
        self.model.world.hooks.retain(|label, _| !label.starts_with("undo-"));
        self.place.sync(&self.model);
        self.tell("rm -f ../hooks/undo-*".to_owned());
        let seen = self.infra(&command);
        let log = self.place.log();
        expect_code(&seen, 0)?;
        let mut came = Came::default();
        self.model
            .destroy(env, &of, &mut log.iter().cloned().collect(), &mut came)
            .map_err(|what| format!("{what}\n{}{}", seen.stdout, seen.stderr))?;
        if came.log != log {
            return Err(format!("really took back {log:?}, and should have {:?}", came.log));
        }
        if let Some(what) = self.place.differs(&self.model) {
            return Err(what);
        }
        self.look(env, 5)
    }
}

//! Owns the making of a story from a seed: a project, and what happens to it.

use crate::op::Op;
use crate::project::{ENVS, Effect, How, KEYS, Out, Project, Task};
use crate::random::Random;
use crate::taken_back::Said;
use crate::words::{Reach, Words};
use crate::world::{Answer, Hook};
use std::collections::{BTreeMap, BTreeSet};

/// A story.
#[derive(Clone, Debug)]
pub struct Plot {
    pub project: Project,
    pub ops: Vec<Op>,
}

pub fn plot(seed: u64) -> Plot {
    let mut random = Random::new(seed);
    let project = project(&mut random);
    let length = 8 + random.below(16);
    // In half of all stories most of what happens happens to one task.
    let focus = random.chance(50).then(|| random.below(project.tasks.len()));
    let mut ops = Vec::new();
    ops.push(run(&mut random, &project));
    while ops.len() < length {
        let op = if random.chance(45) { command(&mut random, &project) } else { edit(&mut random, &project, focus) };
        ops.push(op);
    }
    ops.push(Op::Run(Words { targets: Vec::new(), ..plain(&mut random) }));
    Plot { project, ops }
}

fn some(random: &mut Random, below: usize, percent: usize) -> BTreeSet<usize> {
    (0..below).filter(|_| random.chance(percent)).collect()
}

pub fn project(random: &mut Random) -> Project {
    let count = 2 + random.below(5);
    // In half of all stories every change has an undo, so that undos may fail half-way.
    let all_undo = random.chance(50);
    let mut tasks: Vec<Task> = (0..count).map(|place| task(random, place, all_undo)).collect();
    let undos = random.below(3);
    for number in 0..undos {
        let of = some(random, count, 60);
        let mark = u32::try_from(tasks.len()).expect("few");
        tasks.push(Task { name: format!("down{number}"), mark, how: How::Undo(of), ..nothing() });
    }
    Project {
        tasks,
        vars: vec![1, 1, 1],
        dev_vars: vec![None, Some(2), None],
        files: vec![(1, 0); 3],
        folders: vec![BTreeMap::from([(0, 1)]), BTreeMap::from([(0, 1), (2, 1)])],
    }
}

fn nothing() -> Task {
    Task {
        name: String::new(),
        was: Vec::new(),
        mark: 0,
        declared: true,
        how: How::Shell,
        effect: Effect::Idempotent,
        version: 0,
        noise: 0,
        strips: false,
        vars: BTreeSet::new(),
        files: BTreeSet::new(),
        folders: BTreeSet::new(),
        needs: BTreeSet::new(),
        after: BTreeSet::new(),
        values: BTreeSet::new(),
        artifacts: BTreeSet::new(),
        out: Out::Nothing,
        exports: false,
        ttl: false,
        may_fail: false,
        has_undo: false,
        probe: false,
        keys: None,
    }
}

fn effect(random: &mut Random) -> Effect {
    match random.below(100) {
        0..30 => Effect::Pure,
        30..45 => Effect::Read,
        45..82 => Effect::Idempotent,
        _ => Effect::Once,
    }
}

fn task(random: &mut Random, place: usize, all_undo: bool) -> Task {
    let how = match random.below(10) {
        0..6 => How::Shell,
        6..8 => How::Script,
        8 if random.chance(50) => How::Machines,
        _ => How::Template,
    };
    let template = how == How::Template;
    let machines = how == How::Machines;
    let effect = match how {
        How::Template => Effect::Pure,
        How::Machines => Effect::Idempotent,
        _ => effect(random),
    };
    let makes = if effect == Effect::Pure { 85 } else { 30 };
    let out = match random.chance(makes) {
        _ if template => Out::File,
        _ if machines => Out::Nothing,
        false => Out::Nothing,
        true if random.chance(30) => Out::Folder,
        true => Out::File,
    };
    let keys: BTreeSet<char> = KEYS.into_iter().filter(|_| random.chance(55)).collect();
    Task {
        name: format!("t{place}"),
        mark: u32::try_from(place).expect("few"),
        how,
        effect,
        strips: random.chance(40),
        vars: some(random, 3, 20),
        files: some(random, 3, 30),
        folders: some(random, 2, 15),
        needs: some(random, place, 35),
        after: some(random, place, 15),
        values: some(random, place, 35),
        artifacts: some(random, place, 35),
        out,
        exports: machines || !template && random.chance(50),
        ttl: random.chance(75),
        may_fail: random.chance(8),
        has_undo: all_undo || machines || random.chance(60),
        probe: random.chance(25),
        keys: Some(keys).filter(|keys| !machines && !keys.is_empty() && random.chance(18)),
        ..nothing()
    }
}

fn plain(random: &mut Random) -> Words {
    Words {
        env: if random.chance(70) { ENVS[0] } else { ENVS[1] },
        targets: Vec::new(),
        reach: Reach::Up,
        skip: None,
        force: false,
        keep_going: false,
        jobs: 1 + random.below(2),
    }
}

fn run(random: &mut Random, project: &Project) -> Op {
    let real: Vec<usize> = (0..project.tasks.len()).filter(|task| !project.tasks[*task].is_undo()).collect();
    let mut words = plain(random);
    words.keep_going = random.chance(30);
    if random.chance(50) {
        return Op::Run(words);
    }
    words.targets = vec![random.pick(&real)];
    if random.chance(20) {
        words.targets.push(random.pick(&real));
        words.targets.dedup();
    }
    words.reach = match random.below(12) {
        0..6 => Reach::Up,
        6 => Reach::Down,
        7 => Reach::Alone,
        8..10 => Reach::Only,
        _ => Reach::From(random.pick(&real)),
    };
    if random.chance(12) {
        words.skip = Some(random.pick(&real));
    }
    words.force = random.chance(15);
    Op::Run(words)
}

fn command(random: &mut Random, project: &Project) -> Op {
    let undos: Vec<usize> = (0..project.tasks.len()).filter(|task| project.tasks[*task].is_undo()).collect();
    let count = project.tasks.len();
    match random.below(100) {
        0..15 if !undos.is_empty() => Op::Run(Words { targets: vec![random.pick(&undos)], ..plain(random) }),
        15..22 => Op::Destroy(random.pick(&ENVS), some(random, count, 10).into_iter().collect(), random.chance(50)),
        22..36 => Op::Resolve(plain(random).env, random.below(count), key(random), random.pick(&Said::ALL)),
        _ => run(random, project),
    }
}

fn key(random: &mut Random) -> Option<char> {
    random.chance(20).then(|| random.pick(&KEYS))
}

fn edit(random: &mut Random, project: &Project, focus: Option<usize>) -> Op {
    let any = random.below(project.tasks.len());
    let task = focus.filter(|_| random.chance(70)).unwrap_or(any);
    let files: Vec<usize> = project.tasks[task].files.iter().copied().collect();
    let file = if files.is_empty() { random.below(3) } else { random.pick(&files) };
    let other = random.below(project.tasks.len());
    let small = u32::try_from(random.below(3)).expect("few");
    let hook = random.chance(60).then(|| random.pick(&Hook::ALL));
    match random.below(100) {
        0..10 => Op::File(file, small),
        10..15 => Op::Comment(file, small),
        15..21 => Op::Folder(random.below(2), small, random.chance(60).then_some(small)),
        21..27 => Op::Var(random.below(3), random.chance(40), random.chance(70).then_some(small)),
        27..32 => Op::Version(task, small),
        32..34 => Op::Noise(task, small),
        34..35 => Op::Strips(task),
        35..36 => Op::ReadsVar(task, random.below(3)),
        36..38 => Op::Needs(task, other),
        38..39 => Op::After(task, other),
        39..40 => Op::Value(task, other),
        40..41 => Op::Artifact(task, other),
        41..42 => Op::Exports(task),
        42..43 => Op::MayFail(task),
        43..45 => Op::Effect(task, random.pick(&Effect::ALL)),
        45..46 => Op::Ttl(task),
        46..47 => Op::Probe(task),
        47..50 => Op::Key(task, random.pick(&KEYS)),
        50..54 => Op::Rename { task, to: format!("n{}", random.below(6)), was: random.chance(60) },
        54..56 => Op::DropWas(task),
        56..59 => Op::Vanish(task),
        59..62 => Op::Commit,
        62..66 => Op::Checkout(random.below(4)),
        66..77 => Op::Hook(task, key(random), hook),
        77..80 => Op::UndoHook(task, key(random), hook),
        80..83 => Op::Answer(task, key(random), random.pick(&[Some(Answer::No), Some(Answer::Unsure), None, None])),
        83..87 => Op::Seen(task, key(random), small),
        87..91 => Op::Delete(task, key(random)),
        91..95 => Op::Alter(task, key(random)),
        95..99 => Op::Clock(random.pick(&[600, 1800, -1207])),
        _ => Op::DropKept,
    }
}

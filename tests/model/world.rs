//! Owns what lies outside `.infra`: outputs, the world that tasks change, hooks; and what a script makes
//! of what it sees. `text.rs` has the scripts; this is the same in ten lines of Rust.

use crate::project::{Env, Id, Out, Project};
use crate::text::{Look, looks, output};
use std::collections::{BTreeMap, BTreeSet};

/// What a file in `hooks/` makes a script do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    FailsEarly,
    FailsLate,
    /// The script is ended by SIGKILL.
    Dies,
    /// It ends its runner by SIGKILL, and then itself.
    InfraDiesEarly,
    InfraDiesLate,
    WritesNothing,
    /// The script sends its runner a SIGINT, and waits for its own.
    Interrupts,
    /// Changes its own first input after it has read it.
    Meddles,
    /// Of machines: the plan fails, so nothing in the world is touched.
    PlanFails,
}

impl Hook {
    pub const ALL: [Self; 9] = [
        Self::FailsEarly,
        Self::FailsLate,
        Self::Dies,
        Self::InfraDiesEarly,
        Self::InfraDiesLate,
        Self::WritesNothing,
        Self::Interrupts,
        Self::Meddles,
        Self::PlanFails,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::FailsEarly => "fails-early",
            Self::FailsLate => "fails-late",
            Self::Dies => "dies",
            Self::InfraDiesEarly => "infra-dies-early",
            Self::InfraDiesLate => "infra-dies-late",
            Self::WritesNothing => "writes-nothing",
            Self::Interrupts => "interrupts",
            Self::Meddles => "meddles",
            Self::PlanFails => "plan-fails",
        }
    }

    pub fn ends_infra(self) -> bool {
        matches!(self, Self::InfraDiesEarly | Self::InfraDiesLate)
    }

    /// What others do beside it, nobody can say.
    pub fn wants_to_be_alone(self) -> bool {
        self.ends_infra() || matches!(self, Self::Interrupts | Self::Meddles)
    }
}

/// What a probe may answer beside yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    No,
    Unsure,
}

impl Answer {
    pub fn word(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Unsure => "unsure",
        }
    }
}

/// What a script that meddles with its input leaves there.
pub const MEDDLED: (u32, u32) = (7, 7);

/// Files outside `.infra`, as far as tasks write them.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// `out/…`, relative to the project.
    pub out: BTreeMap<String, String>,
    /// `world/ENV/LABEL`.
    pub made: BTreeMap<(Env, String), String>,
    /// Serial of each state of machines.
    pub serials: BTreeMap<(Env, String), u64>,
    /// `seen/LABEL`, for `read` tasks.
    pub seen: BTreeMap<String, u32>,
    /// `hooks/LABEL`, `hooks/undo-LABEL`.
    pub hooks: BTreeMap<String, Hook>,
    /// `probes/LABEL`: what a probe answers, if not yes.
    pub answers: BTreeMap<String, Answer>,
}

/// An output.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Content {
    Missing,
    File(String),
    Folder(BTreeMap<String, String>),
}

impl World {
    /// What is at a path below `out/`.
    pub fn content(&self, path: &str) -> Content {
        if let Some(text) = self.out.get(path) {
            return Content::File(text.clone());
        }
        let inside = format!("{path}/");
        let files: BTreeMap<String, String> = self
            .out
            .iter()
            .filter_map(|(file, text)| Some((file.strip_prefix(&inside)?.to_owned(), text.clone())))
            .collect();
        if files.is_empty() { Content::Missing } else { Content::Folder(files) }
    }

    pub fn put(&mut self, path: &str, content: &Content) {
        let inside = format!("{path}/");
        self.out.retain(|file, _| file != path && !file.starts_with(&inside));
        match content {
            Content::Missing => {}
            Content::File(text) => drop(self.out.insert(path.to_owned(), text.clone())),
            Content::Folder(files) => {
                self.out.extend(files.iter().map(|(file, text)| (format!("{inside}{file}"), text.clone())));
            }
        }
    }

    fn text_of(&self, project: &Project, env: Env, look: &Look) -> String {
        let none = || "none\n".to_owned();
        match look {
            Look::File(path) | Look::Text(path) => {
                let (says, comment) = project.files[path[4..].parse::<usize>().expect("in/fN")];
                if matches!(look, Look::Text(_)) { format!("{says}\n") } else { format!("{says}\n# {comment}\n") }
            }
            Look::Folder(path) => {
                let folder = &project.folders[path[5..].parse::<usize>().expect("src/gN")];
                folder.values().map(u32::to_string).map(|says| says + "\n").collect()
            }
            Look::Artifact(path) => self.out.get(path).cloned().unwrap_or_else(none),
            Look::World(label) => self.made.get(&(env, label.clone())).cloned().unwrap_or_else(none),
            Look::FirstThing(label) => {
                let world = self.made.get(&(env, label.clone()));
                world.and_then(|world| world.lines().next()).map_or_else(none, |line| format!("{line}\n"))
            }
            Look::Outside(label) => format!("{}\n", self.seen.get(label).copied().unwrap_or(0)),
        }
    }

    /// The checksum of all that a task sees, its first line given.
    pub fn sum(&self, project: &Project, id: Id, env: Env, line: &str) -> u32 {
        let mut seen = format!("{line}\n");
        for look in looks(project, id, &project.label(id)) {
            seen.push_str(&self.text_of(project, env, &look));
        }
        cksum(seen.as_bytes())
    }
}

/// What a task writes as its output.
pub fn written(project: &Project, id: Id, line: &str, sum: u32) -> Option<(String, Content)> {
    let path = output(project, id)?;
    let content = match project.task(id).out {
        // Templates write their first line and nothing else.
        _ if project.task(id).how == crate::project::How::Template => Content::File(format!("{line}\n")),
        Out::Nothing => return None,
        Out::File => Content::File(format!("{sum}\n")),
        Out::Folder => Content::Folder(BTreeMap::from([
            ("a".to_owned(), format!("{sum}\n")),
            ("b".to_owned(), format!("{}\n", sum % 3)),
        ])),
    };
    Some((path, content))
}

/// Objects of the content-addressed store that an output needs to be put back.
pub fn objects(content: &Content) -> BTreeSet<String> {
    match content {
        Content::Missing => BTreeSet::new(),
        Content::File(text) => BTreeSet::from([format!("file {text}")]),
        Content::Folder(files) => {
            let tree = format!("tree {files:?}");
            files.values().map(|text| format!("file {text}")).chain([tree]).collect()
        }
    }
}

/// `cksum` of POSIX: CRC-32, not reflected, over the bytes and then their number.
pub fn cksum(bytes: &[u8]) -> u32 {
    let mut length = bytes.len();
    let mut tail = Vec::new();
    while length > 0 {
        tail.push(length.to_le_bytes()[0]);
        length >>= 8;
    }
    let mut crc: u32 = 0;
    for byte in bytes.iter().chain(&tail) {
        crc ^= u32::from(*byte) << 24;
        for _ in 0..8 {
            crc = if crc & 0x8000_0000 == 0 { crc << 1 } else { (crc << 1) ^ 0x04c1_1db7 };
        }
    }
    !crc
}

#[test]
fn checksums_are_those_of_the_tool() {
    // printf 'v1 2\n' | cksum; cksum < /dev/null
    assert_eq!(cksum(b""), 4_294_967_295);
    assert_eq!(cksum(b"123456789"), 930_766_865);
}

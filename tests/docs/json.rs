//! Owns the check of `docs/json.md`: its tables against what the program prints, both ways. A field that
//! is printed must be documented; one that is documented must be printed, always or (marked `?`) at least
//! once by the sample project.

use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Fields of one table: path → whether it is always there.
type Fields = BTreeMap<String, bool>;

/// All tables of the page.
pub struct Page {
    /// Document by heading.
    documents: BTreeMap<String, Fields>,
    events: BTreeMap<String, Fields>,
    failure: Fields,
    reasons: BTreeMap<String, Fields>,
    /// Fields that were seen, by table.
    seen: BTreeMap<String, BTreeSet<String>>,
    wrong: String,
}

impl Page {
    pub fn read(text: &str) -> Self {
        let mut page = Self {
            documents: BTreeMap::new(),
            events: BTreeMap::new(),
            failure: Fields::new(),
            reasons: BTreeMap::new(),
            seen: BTreeMap::new(),
            wrong: String::new(),
        };
        let (mut heading, mut table, mut event) = (String::new(), String::new(), String::new());
        for line in text.lines() {
            if let Some(title) = line.strip_prefix("## ") {
                title.trim_matches('`').clone_into(&mut heading);
            }
            let Some(row) = line.strip_prefix('|') else {
                table.clear();
                continue;
            };
            if row.starts_with("--") {
                continue;
            }
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            if table.is_empty() {
                cells[0].clone_into(&mut table);
                continue;
            }
            match (table.as_str(), cells.as_slice()) {
                ("kind", [kind, fields, ..]) => drop(page.reasons.insert(bare(kind), fields_of(fields))),
                ("field of `failure`", [field, ..]) => page.failure.extend(fields_of(field)),
                ("event", [name, fields, ..]) => {
                    if !name.is_empty() {
                        event = bare(name);
                    }
                    page.events.entry(event.clone()).or_default().extend(fields_of(fields));
                }
                ("field", [field, ..]) => {
                    page.documents.entry(heading.clone()).or_default().extend(fields_of(field));
                }
                _ => {}
            }
        }
        page
    }

    /// Compares a document with the table under a heading.
    pub fn document(&mut self, heading: &str, text: &str) {
        let Ok(document) = serde_json::from_str::<Json>(text) else {
            let _ = writeln!(self.wrong, "{heading}: no JSON: {text}");
            return;
        };
        let fields = self.documents.get(heading).cloned().unwrap_or_default();
        assert!(!fields.is_empty(), "no table under `{heading}`");
        self.version(heading, &document);
        self.walk(heading, &fields, "", &document);
    }

    /// Compares lines of events; gives the events.
    pub fn events(&mut self, text: &str) {
        for line in text.lines() {
            let event: Json = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            if event.get("error").is_some() {
                self.document("Errors", line);
                continue;
            }
            let name = event["event"].as_str().unwrap_or_default().to_owned();
            self.version(&name, &event);
            let Some(fields) = self.events.get(&name).cloned() else {
                let _ = writeln!(self.wrong, "event `{name}` has no row");
                continue;
            };
            self.walk(&name, &fields, "", &event);
            if let Some(failure) = event.get("failure") {
                let fields = self.failure.clone();
                self.walk("failure", &fields, "", failure);
            }
        }
    }

    /// What is wrong with the page.
    pub fn verdict(mut self) -> String {
        self.variants();
        let tables = self.documents.iter().chain(&self.events).map(|(name, fields)| (name.as_str(), fields));
        for (name, fields) in tables.chain([("failure", &self.failure)]) {
            let seen = self.seen.remove(name).unwrap_or_default();
            for field in fields.keys().filter(|field| !seen.contains(*field)) {
                let _ = writeln!(self.wrong, "{name}: `{field}` is documented and was never printed");
            }
        }
        self.wrong
    }

    fn version(&mut self, name: &str, document: &Json) {
        if document["v"] != 1 {
            let _ = writeln!(self.wrong, "{name}: no `\"v\":1`");
        }
    }

    fn walk(&mut self, table: &str, fields: &Fields, at: &str, value: &Json) {
        let Json::Object(map) = value else { return };
        for (field, always) in fields {
            let child = field.strip_prefix(at).map(|rest| rest.trim_start_matches('.'));
            let here = child.is_some_and(|child| !child.contains('.') && !child.contains('[') && !child.is_empty());
            if here && *always && !child.is_some_and(|child| map.contains_key(child)) {
                let _ = writeln!(self.wrong, "{table}: `{field}` is not always there: {value}");
            }
        }
        for (key, value) in map {
            if at.is_empty() && (key == "v" || key == "event") || at == "reasons[]" && key != "because" {
                continue;
            }
            let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
            if key == "reasons" {
                self.reasons(value);
            }
            let leaf = fields.contains_key(&path);
            if leaf {
                self.seen.entry(table.to_owned()).or_default().insert(path.clone());
            }
            match value {
                Json::Array(items) if items.iter().any(Json::is_object) && (!leaf || path == "reasons") => {
                    for item in items {
                        self.walk(table, fields, &format!("{path}[]"), item);
                    }
                }
                Json::Object(_) if !leaf => self.walk(table, fields, &path, value),
                _ if leaf => {}
                // An empty list whose items have fields.
                Json::Array(_) if fields.keys().any(|field| field.starts_with(&format!("{path}[]."))) => {}
                _ => {
                    let _ = writeln!(self.wrong, "{table}: `{path}` is printed and not documented");
                }
            }
        }
    }

    fn reasons(&mut self, reasons: &Json) {
        for reason in reasons.as_array().into_iter().flatten() {
            let kind = reason["kind"].as_str().unwrap_or_default();
            let Some(fields) = self.reasons.get(kind) else {
                let _ = writeln!(self.wrong, "reason `{kind}` has no row");
                continue;
            };
            for key in reason.as_object().into_iter().flat_map(serde_json::Map::keys) {
                if key != "kind" && key != "because" && !fields.contains_key(key) {
                    let _ = writeln!(self.wrong, "reason `{kind}`: `{key}` is not documented");
                }
            }
        }
    }

    /// Reasons are too many to provoke all: their table is compared with the code.
    fn variants(&mut self) {
        let code = crate::read(&crate::root().join("src/model/reason.rs"));
        let (_, body) = code.split_once("pub enum Reason {").unwrap();
        let (body, _) = body.split_once("\n}").unwrap();
        let lines = body.lines().map(str::trim).filter(|line| !line.starts_with("///") && !line.starts_with("#["));
        let mut variants: BTreeMap<String, Fields> = BTreeMap::new();
        // Commas end fields within braces, and variants outside of them.
        let (mut name, mut fields) = (String::new(), Fields::new());
        for word in lines.flat_map(|line| line.split_inclusive(['{', '}', ','])) {
            let (part, end) = word.trim().split_at(word.trim().len() - 1);
            match part.split_once(':') {
                Some((field, kind)) => {
                    fields.insert(field.trim().to_owned(), !kind.trim().starts_with("Option"));
                }
                None if !part.trim().is_empty() => part.trim().clone_into(&mut name),
                None => {}
            }
            if end == "}" || (end == "," && fields.is_empty() && !name.is_empty()) {
                variants.insert(kebab(&std::mem::take(&mut name)), std::mem::take(&mut fields));
            }
        }
        if variants != self.reasons {
            for kind in variants.keys().chain(self.reasons.keys()).collect::<BTreeSet<_>>() {
                if variants.get(kind) != self.reasons.get(kind) {
                    let (code, page) = (variants.get(kind), self.reasons.get(kind));
                    let _ = writeln!(self.wrong, "reason `{kind}`: in the code {code:?}, on the page {page:?}");
                }
            }
        }
    }
}

fn bare(cell: &str) -> String {
    cell.trim_matches('`').to_owned()
}

/// `` `a`, `b`? `` as names, each with whether it is always there.
fn fields_of(cell: &str) -> Fields {
    let parts: Vec<&str> = cell.split('`').collect();
    let names = parts.chunks(2).filter_map(|pair| pair.get(1));
    let after = parts.iter().skip(2).step_by(2);
    names.zip(after).map(|(name, after)| ((*name).to_owned(), !after.starts_with('?'))).collect()
}

fn kebab(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.extend(c.to_lowercase());
    }
    out
}

const TASKS: &str = r#"
[task.make]
description = "Makes things"
stage = "first"
tags = ["t"]
outputs = ["out/made"]
inputs = ["in"]
exports = { n = "int", s = "secret<string>" }
env = { E = "x" }
shell = "cp in out/made; echo made; printf 'n=%s\ns=hidden\n' $(cat in) > $INFRA_EXPORTS"
ready = { exec = ["true"] }
probe = { exec = ["sh", "-c", "exit $(cat probe)"] }

[task.use]
needs = ["make"]
after = ["other"]
effect = "pure"
shell = "echo {{ tasks.make.n }}"

[task.other]
run = ["true"]

[task.settled]
inputs = ["out/made"]
effect = "read"
ttl = "1h"
timeout = "1m"
grace = "5s"
pool = "narrow"
retry = { max = 1 }
run = ["echo", "{{ tasks.make.n }}"]
undo = [["true"]]

[task.state]
terraform = { dir = "tf" }

[task.fails]
shell = "echo broken; exit 3"

[task.may]
allow_failure = true
shell = "exit 3"

[task.killed]
shell = "kill -9 $$"

[task.missing]
run = ["no-such-program"]

[task.look]
inputs = ["seen"]
run = ["true"]
effect = "pure"
"#;

/// Events of `watch` over two edits of what `look` reads. Stopped by ending it as Ctrl-C does.
fn watched(folder: &Path) -> String {
    use std::io::{BufRead, BufReader};
    let mut child = Command::new(crate::INFRA)
        .args(["watch", "--json", "look"])
        .current_dir(folder)
        .env_remove("INFRA_ENV")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = String::new();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for (number, line) in lines.map_while(Result::ok).enumerate() {
        told.push_str(&line);
        told.push('\n');
        if line.contains("run-finished") {
            if told.contains("\"changed\"") {
                let pid = child.id().to_string();
                Command::new("kill").args(["-INT", &pid]).status().unwrap();
            } else {
                std::fs::write(folder.join("seen"), number.to_string()).unwrap();
            }
        }
    }
    child.wait().unwrap();
    told
}

/// Runs the sample project and compares all that it prints.
pub fn check(page: &mut Page, folder: &Path) {
    let write = |path: &str, text: &str| std::fs::write(folder.join(path), text).unwrap();
    let infra = |words: &str| {
        let output = Command::new(crate::INFRA)
            .args(words.split_whitespace())
            .current_dir(folder)
            .env_remove("INFRA_ENV")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    std::fs::create_dir(folder.join("tasks")).unwrap();
    write("tasks/t.toml", TASKS);
    std::fs::create_dir(folder.join("tf")).unwrap();
    write("tf/main.tf", "");
    write("infra.toml", "[pools]\nnarrow = 1\n");
    write("in", "1");
    write("probe", "7");
    write("seen", "0");
    page.events(&infra("run --json use fails may killed missing -k"));
    // Its probe can't tell, then says that it is gone.
    page.events(&infra("run --json use"));
    write("probe", "1");
    page.document("infra status", &infra("status --json --probe"));
    page.events(&infra("run --json make"));
    write("probe", "0");
    page.events(&infra("run --json use"));
    page.events(&infra("run --json make --force"));
    write("in", "2");
    page.events(&infra("run --json make"));
    page.document("infra why", &infra("why --json use"));
    page.document("infra why", &infra("why --json fails"));
    write("probe", "0");
    page.events(&infra("run --json use"));
    page.document("infra status", &infra("status --json"));
    page.document("infra why", &infra("why --json make"));
    page.document("infra plan", &infra("plan --json use fails --force"));
    page.document("infra plan", &infra("run --dry-run --json use"));
    page.document("infra plan", &infra("plan --json use --force"));
    std::fs::remove_file(folder.join("out/made")).unwrap();
    page.events(&infra("run --json make"));
    page.events(&watched(folder));
    page.document("infra list", &infra("list --json"));
    page.document("infra show", &infra("show --json make"));
    page.document("infra show", &infra("show --json settled"));
    page.document("infra show", &infra("show --json state"));
    page.document("infra graph", &infra("graph --json"));
    page.document("infra history", &infra("history --json"));
    page.document("infra history", &infra("history --json fails"));
    page.document("infra logs", &infra("logs --json make"));
    page.document("infra logs", &infra("logs --json --path"));
    page.document("infra outputs", &infra("outputs --json"));
    page.document("infra artifacts", &infra("artifacts --json --all"));
    page.document("infra artifacts show", &infra("artifacts --json show out/made"));
    page.document("infra artifacts get", &infra("artifacts --json get make --to copies"));
    page.document("infra clean", &infra("clean --json --max-size 0"));
    page.document("infra doctor", &infra("doctor --json"));
    page.document("infra check", &infra("check --json"));
    page.document("infra check", &infra("status --json nothing-like-that"));
    write("Makefile", "v := $(shell echo 1)\nmade: in\n\techo $(v) > $@\n%.b: %.a\n\tcp $< $@\n");
    std::fs::create_dir(folder.join("bare")).unwrap();
    write("bare/Makefile", "all:\n");
    write("bare/site.yml", "- hosts: all\n");
    page.document("infra init", &infra("-C bare init --json"));
    page.document("infra import", &infra("import --json make"));
    page.document("infra import", &infra("import --json make --write"));
    std::fs::remove_file(folder.join("tasks/imported.toml")).unwrap();
    page.document("infra resolve", &infra("resolve --undone --json make"));
    page.document("Errors", &infra("logs --json --run 99"));
    page.document("Errors", &infra("run --json"));
    write("tasks/wrong.toml", "[task.a]\nrnu = [\"x\"]\n[task.b]\nrun = [\"{{ vars.x }}\"]\nneeds = [\"a\"]\n");
    page.document("infra check", &infra("check --json"));
    write("infra.toml", "[vars]\nx = \"{{ y }}\"\n");
    page.document("infra check", &infra("check --json"));
}

//! Owns what a terraform task reads: module files, variables, the lock file, files that functions name.
//! Does not know what terraform makes of them.

use crate::kind::hcl::{At, Call, Module, Plain};
use crate::kind::{Inferred, Table, text, texts};
use crate::model::facts::Files;
use crate::model::path::join;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Functions whose first argument is a file that is read.
const READERS: [&str; 10] = [
    "file",
    "filebase64",
    "filebase64sha256",
    "filebase64sha512",
    "fileexists",
    "filemd5",
    "filesha1",
    "filesha256",
    "filesha512",
    "templatefile",
];

/// Names that terraform writes beside the configuration, for globs.
const WRITTEN: [&str; 4] = [".terraform/**", "*.tfstate*", "*.tfstate*/**", "*.tfplan"];

/// Name of the dependency lock file, in the root module.
const LOCK: &str = ".terraform.lock.hcl";

/// A module as far as it could be read.
pub struct Loaded {
    pub module: Module,
    /// Its configuration files.
    pub files: Vec<Utf8PathBuf>,
    /// Files that could not be parsed, with the reason.
    pub broken: Vec<(Utf8PathBuf, String)>,
}

/// Folder of the root module, relative to the project's root.
pub fn root_module(table: &Table) -> Utf8PathBuf {
    join("".into(), text(table, "dir").unwrap_or(""))
}

/// Workspace of the task; terraform's own default when none is given.
pub fn workspace(table: &Table) -> &str {
    text(table, "workspace").filter(|name| !name.is_empty()).unwrap_or("default")
}

/// Reads all files of a module.
pub fn load(folder: &Utf8Path, from_root: &str, table: &Table, files: &dyn Files) -> Loaded {
    let at = At { module: from_root.to_owned(), workspace: Some(workspace(table).to_owned()) };
    let mut loaded = Loaded { module: Module::new(at), files: Vec::new(), broken: Vec::new() };
    for name in files.list(folder) {
        if !is_configuration(&name, text(table, "bin")) {
            continue;
        }
        let path = folder.join(&name);
        if let Some(content) = files.read(&path)
            && let Err(why) = loaded.module.add(&name, &content)
        {
            loaded.broken.push((path.clone(), why));
        }
        loaded.files.push(path);
    }
    loaded
}

/// All that a task with this table reads.
pub fn infer(table: &Table, files: &dyn Files) -> Inferred {
    let root = root_module(table);
    let state = super::backend::local_state(table, files);
    let mut walk = Walk { root: &root, state, files, paths: BTreeSet::new(), out: Inferred::default() };

    let mut seen = BTreeSet::from([root.clone()]);
    let mut waiting = VecDeque::from([(root.clone(), ".".to_owned())]);
    while let Some((folder, from_root)) = waiting.pop_front() {
        let loaded = load(&folder, &from_root, table, files);
        for (path, why) in &loaded.broken {
            walk.remark(format!("`{path}` cannot be read ({why}): all files of `{}` are inputs", shown(&folder)));
            walk.take_folder(&folder);
        }
        if loaded.files.is_empty() {
            walk.remark(format!("`{}` holds no configuration files", shown(&folder)));
        }
        walk.paths.extend(loaded.files);
        for source in loaded.module.sources() {
            let Plain::Whole(source) = source else {
                walk.remark(format!("a module's source in `{}` is not plain: its files are no inputs", shown(&folder)));
                continue;
            };
            if !source.starts_with("./") && !source.starts_with("../") {
                continue;
            }
            let child = join(&folder, &source);
            if is_outside(&child) {
                walk.remark(format!("module `{source}` of `{}` lies outside the project: no input", shown(&folder)));
            } else if seen.insert(child.clone()) {
                waiting.push_back((child, format!("{from_root}/{source}")));
            }
        }
        for call in loaded.module.calls() {
            walk.take_call(&call, &folder);
        }
    }

    walk.take_variables(table);
    let lock = root.join(LOCK);
    walk.paths.insert(lock.clone());
    let mut out = walk.out;
    out.paths = walk.paths.into_iter().collect();
    out.settles = vec![lock];
    out
}

struct Walk<'a> {
    root: &'a Utf8Path,
    /// The state file of a local backend, which is never an input.
    state: Option<Utf8PathBuf>,
    files: &'a dyn Files,
    paths: BTreeSet<Utf8PathBuf>,
    out: Inferred,
}

impl Walk<'_> {
    fn remark(&mut self, text: String) {
        if !self.out.remarks.contains(&text) {
            self.out.remarks.push(text);
        }
    }

    /// Files with values: those that terraform loads by itself, and those of the table.
    fn take_variables(&mut self, table: &Table) {
        for name in self.files.list(self.root) {
            if name.ends_with(".auto.tfvars")
                || name.ends_with(".auto.tfvars.json")
                || matches!(name.as_str(), "terraform.tfvars" | "terraform.tfvars.json")
            {
                self.paths.insert(self.root.join(name));
            }
        }
        self.paths.extend(texts(table, "var_files").iter().map(|path| join("".into(), path)));
    }

    fn take_call(&mut self, call: &Call, module: &Utf8Path) {
        let is_set = call.function == "fileset";
        if !is_set && !READERS.contains(&call.function.as_str()) {
            return;
        }
        let Some(first) = call.args.first() else { return };
        let whole = match first {
            Plain::Whole(text) => text,
            Plain::Start(start) => return self.take_unknown(call, start, module),
        };
        // Relative names are relative to where terraform runs: the root module.
        let path = join(self.root, whole);
        if is_outside(&path) || whole.starts_with('~') {
            return self.remark(format!(
                "`{}` in `{}` names `{whole}`, outside the project: no input",
                call.function,
                shown(module)
            ));
        }
        if !is_set {
            self.take_file(path);
        } else if let Some(Plain::Whole(pattern)) = call.args.get(1) {
            self.take_set(&path, pattern);
        } else {
            self.remark(format!("the pattern of a `fileset` in `{}` is not plain: all of `{path}`", shown(module)));
            self.take_folder(&path);
        }
    }

    /// An argument that terraform alone knows: its module's folder, and what its beginning names.
    fn take_unknown(&mut self, call: &Call, start: &str, module: &Utf8Path) {
        self.remark(format!(
            "`{}` in `{}` names a file that is not plain: all files of `{}` are inputs",
            call.function,
            shown(module),
            shown(module)
        ));
        self.take_folder(module);
        // `${path.module}/../../keys/${var.x}`: the folder before the unknown part.
        let Some((folder, _)) = start.rsplit_once('/') else { return };
        let folder = join(self.root, folder);
        if !is_outside(&folder) && !folder.as_str().is_empty() && !folder.starts_with(module) {
            self.take_folder(&folder);
        }
    }

    fn take_file(&mut self, path: Utf8PathBuf) {
        if !self.is_written(&path) {
            self.paths.insert(path);
        }
    }

    fn take_set(&mut self, folder: &Utf8Path, pattern: &str) {
        let base = escape(folder.as_str());
        let under = |pattern: &str| if base.is_empty() { pattern.to_owned() } else { format!("{base}/{pattern}") };
        let mut globs = vec![under(pattern)];
        // A wide pattern would take the state too, and a state that is an input is never settled.
        globs.extend(
            WRITTEN
                .iter()
                .flat_map(|written| [format!("!{}", under(written)), format!("!{}", under(&format!("**/{written}")))]),
        );
        for glob in globs {
            if !self.out.globs.contains(&glob) {
                self.out.globs.push(glob);
            }
        }
    }

    fn take_folder(&mut self, folder: &Utf8Path) {
        let found = crate::kind::folder::files(self.files, folder, &|path| !self.is_written(path));
        self.paths.extend(found);
    }

    /// Whether terraform or the program itself writes this: never an input.
    fn is_written(&self, path: &Utf8Path) -> bool {
        let name = path.file_name().unwrap_or_default();
        let is_state = self
            .state
            .as_ref()
            .is_some_and(|state| path == state || path.as_str().strip_prefix(state.as_str()) == Some(".backup"));
        let is_crash_log = name.starts_with("crash.") && name.ends_with(".log");
        // `terraform.tfstate`, its backups and lock, `errored.tfstate`, `terraform.tfstate.d`.
        is_state
            || is_crash_log
            || name.contains(".tfstate")
            || name.ends_with(".tfplan")
            || matches!(name, "tfplan" | ".terraform" | ".git" | ".infra")
    }
}

/// Whether a file of this name is configuration for the program.
fn is_configuration(name: &str, bin: Option<&str>) -> bool {
    // Editors' files: terraform leaves them out too.
    if name.starts_with('.') || name.starts_with('#') || name.ends_with('~') {
        return false;
    }
    let is_tofu = bin == Some("tofu") && (name.ends_with(".tofu") || name.ends_with(".tofu.json"));
    name.ends_with(".tf") || name.ends_with(".tf.json") || is_tofu
}

/// Whether a tidied path leads out of the project.
pub fn is_outside(path: &Utf8Path) -> bool {
    path.is_absolute() || path.starts_with("..")
}

/// A folder for people.
fn shown(folder: &Utf8Path) -> &str {
    if folder.as_str().is_empty() { "." } else { folder.as_str() }
}

/// A path as a glob that means just it.
fn escape(path: &str) -> String {
    path.chars().fold(String::new(), |mut out, c| {
        match c {
            '*' | '?' | '[' | ']' | '{' | '}' => out.extend(['[', c, ']']),
            _ => out.push(c),
        }
        out
    })
}

/// Outputs of the root module, sensitive or not; `None` when a file of it cannot be read.
pub fn outputs(table: &Table, files: &dyn Files) -> Option<BTreeMap<String, bool>> {
    let loaded = load(&root_module(table), ".", table, files);
    loaded.broken.is_empty().then(|| loaded.module.outputs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::fake::{FakeFiles, table};
    use serde_json::json;

    fn inferred(files: &[(&str, &str)], json: serde_json::Value) -> Inferred {
        infer(&table(json), &FakeFiles::new(files))
    }

    fn paths(inferred: &Inferred) -> Vec<&str> {
        inferred.paths.iter().map(|path| path.as_str()).collect()
    }

    #[test]
    fn modules_and_what_they_name_are_inputs() {
        let files = [
            ("tf/env/main.tf", "module \"m\" {\n source = \"../m\"\n}\nmodule \"r\" {\n source = \"a/b/c\"\n}\n"),
            ("tf/env/terraform.tfvars", ""),
            ("tf/env/x.auto.tfvars", ""),
            ("tf/env/README.md", ""),
            ("tf/env/terraform.tfstate", ""),
            ("tf/env/.hidden.tf", "{"),
            (
                "tf/m/main.tf",
                "locals {\n a = templatefile(\"${path.module}/t.tftpl\", {})\n b = file(\"env.txt\")\n}\n",
            ),
            ("tf/m/t.tftpl", ""),
        ];
        let inferred = inferred(&files, json!({ "dir": "tf/env", "var_files": ["tf/common.tfvars"] }));
        assert_eq!(
            paths(&inferred),
            [
                "tf/common.tfvars",
                "tf/env/.terraform.lock.hcl",
                "tf/env/env.txt",
                "tf/env/main.tf",
                "tf/env/terraform.tfvars",
                "tf/env/x.auto.tfvars",
                "tf/m/main.tf",
                "tf/m/t.tftpl",
            ]
        );
        assert_eq!(inferred.settles, ["tf/env/.terraform.lock.hcl"]);
        assert_eq!(inferred.remarks, [] as [&str; 0]);
    }

    #[test]
    fn an_argument_that_is_not_plain_takes_the_module_but_never_state() {
        let files = [
            ("tf/main.tf", "output \"x\" {\n value = file(\"${path.module}/../keys/${var.name}\")\n}\n"),
            ("tf/notes.md", ""),
            ("tf/sub/a.txt", ""),
            ("tf/terraform.tfstate", ""),
            ("tf/terraform.tfstate.backup", ""),
            ("tf/terraform.tfstate.d/dev/terraform.tfstate", ""),
            ("tf/errored.tfstate", ""),
            ("tf/.terraform/modules/modules.json", ""),
            ("tf/crash.log", ""),
            ("tf/x.tfplan", ""),
            ("keys/one.pub", ""),
            ("other/one.pub", ""),
        ];
        let inferred = inferred(&files, json!({ "dir": "tf" }));
        assert_eq!(
            paths(&inferred),
            ["keys/one.pub", "tf/.terraform.lock.hcl", "tf/main.tf", "tf/notes.md", "tf/sub/a.txt"]
        );
        assert_eq!(inferred.remarks, ["`file` in `tf` names a file that is not plain: all files of `tf` are inputs"]);
    }

    #[test]
    fn a_state_with_a_name_of_its_own_is_no_input_either() {
        let files = [
            (
                "tf/main.tf",
                "terraform {\n backend \"local\" {\n path = \"s.json\"\n }\n}\nlocals {\n a = file(var.x)\n}\n",
            ),
            ("tf/s.json", ""),
            ("tf/s.json.backup", ""),
        ];
        let inferred = inferred(&files, json!({ "dir": "tf" }));
        assert_eq!(paths(&inferred), ["tf/.terraform.lock.hcl", "tf/main.tf"]);
    }

    #[test]
    fn a_fileset_is_a_glob_without_state() {
        let files = [("tf/main.tf", "locals {\n a = fileset(\"${path.module}/files\", \"**/*.yml\")\n}\n")];
        let inferred = inferred(&files, json!({ "dir": "tf" }));
        assert_eq!(inferred.globs[0], "tf/files/**/*.yml");
        assert!(inferred.globs[1..].iter().all(|glob| glob.starts_with("!tf/files/")), "{:?}", inferred.globs);
    }

    #[test]
    fn a_mistake_takes_the_folder_and_is_remarked() {
        let inferred = inferred(&[("tf/main.tf", "resource {"), ("tf/a.txt", "")], json!({ "dir": "tf" }));
        assert_eq!(paths(&inferred), ["tf/.terraform.lock.hcl", "tf/a.txt", "tf/main.tf"]);
        assert!(inferred.remarks[0].starts_with("`tf/main.tf` cannot be read (line "), "{:?}", inferred.remarks);
    }

    #[test]
    fn what_lies_outside_is_said() {
        let main = "module \"a\" {\n source = \"../../a\"\n}\nlocals {\n k = file(pathexpand(\"~/.ssh/id.pub\"))\n}\n";
        let inferred = inferred(&[("tf/main.tf", main)], json!({ "dir": "tf" }));
        assert_eq!(paths(&inferred), ["tf/.terraform.lock.hcl", "tf/main.tf"]);
        assert_eq!(inferred.remarks.len(), 2);
    }

    #[test]
    fn modules_that_name_each_other_end() {
        let files = [
            ("a/main.tf", "module \"b\" {\n source = \"../b\"\n}\n"),
            ("b/main.tf", "module \"a\" {\n source = \"../a\"\n}\n"),
        ];
        assert_eq!(
            paths(&inferred(&files, json!({ "dir": "a" }))),
            ["a/.terraform.lock.hcl", "a/main.tf", "b/main.tf"]
        );
    }
}

//! Owns what single ansible tasks name: includes, roles, files that modules and lookups read.
//! Does not know where roles and files are searched for (`infer`).

use super::infer::{Place, Walk};
use super::names::{Name, key_values, plain_module};
use serde_json::{Map, Value as Json, json};

impl Walk<'_> {
    /// Walks a file of tasks, once.
    pub fn walk_task_file(&mut self, place: &Place) {
        if self.is_new(&place.file)
            && let Some(tasks) = self.read(&place.file)
        {
            self.walk_tasks(&tasks, place);
        }
    }

    /// Walks a list of tasks.
    pub fn walk_tasks(&mut self, tasks: &Json, place: &Place) {
        let Json::Array(tasks) = tasks else { return };
        for task in tasks.iter().filter_map(Json::as_object) {
            let items = items(task);
            for (key, value) in task {
                match plain_module(key) {
                    "block" | "rescue" | "always" => {
                        self.walk_tasks(value, place);
                        continue;
                    }
                    // `action: copy src=a dest=b`, and the same on the machine itself.
                    "action" | "local_action" => {
                        if let Some((module, args)) = action(value) {
                            self.take_module(&module, &arguments(&args, task.get("args")), place, &items);
                        }
                    }
                    loop_key if loop_key.starts_with("with_") => self.take_loop(loop_key, value, place),
                    module => self.take_module(module, &arguments(value, task.get("args")), place, &items),
                }
                for item in &items {
                    self.take_lookups(value, place, item.as_ref());
                }
            }
        }
    }

    fn take_module(&mut self, module: &str, args: &Map<String, Json>, place: &Place, items: &[Option<Json>]) {
        for item in items {
            self.take_arguments(module, args, place, item.as_ref());
        }
    }

    fn take_arguments(&mut self, module: &str, args: &Map<String, Json>, place: &Place, item: Option<&Json>) {
        let arg = |key: &str| args.get(key).and_then(Json::as_str);
        let is_true = |key: &str| args.get(key).is_some_and(is_yes);
        let first = || arg("").or_else(|| arg("_raw_params"));
        match module {
            "include_tasks" | "import_tasks" | "include" => {
                self.take_tasks(arg("file").or_else(first), module, place, item);
            }
            "include_role" | "import_role" => {
                if let Some(name) = arg("name") {
                    self.take_role(name, place, item);
                }
            }
            "include_vars" => {
                self.take_text(arg("file").or_else(|| arg("dir")).or_else(first), module, "vars", place, item);
            }
            "template" | "win_template" => self.take_text(arg("src"), module, "templates", place, item),
            "copy" | "win_copy" | "unarchive" if !is_true("remote_src") => {
                self.take_text(arg("src"), module, "files", place, item);
            }
            // This one looks on the host unless it is told not to.
            "assemble" if args.contains_key("remote_src") && !is_true("remote_src") => {
                self.take_text(arg("src"), module, "files", place, item);
            }
            "script" => {
                // Arguments follow the name.
                let words = arg("cmd").or_else(|| arg("_raw_params")).map(key_values).unwrap_or_default();
                let program = words.into_iter().find(|(key, _)| key.is_empty()).map(|(_, word)| word);
                self.take_text(program.as_deref(), module, "files", place, item);
            }
            "synchronize" | "ansible.posix.synchronize" | "patch" | "ansible.posix.patch" => {
                self.take_text(arg("src"), module, "files", place, item);
            }
            _ => {}
        }
    }

    fn take_text(&mut self, text: Option<&str>, what: &str, sub: &str, place: &Place, item: Option<&Json>) {
        if let Some(text) = text {
            let name = place.known(item).name(text);
            self.take_named(&name, what, sub, place);
        }
    }

    /// Tasks in another file. In a role all files of tasks are walked anyway.
    fn take_tasks(&mut self, text: Option<&str>, what: &str, place: &Place, item: Option<&Json>) {
        let Some(text) = text else { return };
        let name = place.known(item).name(text);
        if let Some(file) = self.take_named(&name, what, "tasks", place) {
            self.walk_task_file(&Place { file, ..place.clone() });
        }
    }

    /// Loops over files: `with_fileglob`, `with_file`, `with_first_found`.
    fn take_loop(&mut self, key: &str, value: &Json, place: &Place) {
        let sub = match key {
            "with_file" | "with_fileglob" | "with_first_found" => "files",
            _ => return,
        };
        match value {
            Json::String(text) => {
                let name = folder_of_glob(place.known(None).name(text));
                self.take_named(&name, key, sub, place);
            }
            Json::Array(values) => values.iter().for_each(|value| self.take_loop(key, value, place)),
            Json::Object(options) => {
                // `with_first_found: {files: […], paths: […]}`: any of the files in any of the folders.
                for value in ["files", "paths"].iter().filter_map(|name| options.get(*name)) {
                    self.take_loop(key, value, place);
                }
            }
            _ => {}
        }
    }

    /// Files that lookups read, anywhere in a value.
    pub fn take_lookups(&mut self, value: &Json, place: &Place, item: Option<&Json>) {
        match value {
            Json::String(text) => {
                for (plugin, name) in place.known(item).lookups(text) {
                    let sub = if plugin == "template" { "templates" } else { "files" };
                    self.take_named(&folder_of_glob(name), &plugin, sub, place);
                }
            }
            Json::Array(values) => values.iter().for_each(|value| self.take_lookups(value, place, item)),
            Json::Object(values) => values.values().for_each(|value| self.take_lookups(value, place, item)),
            _ => {}
        }
    }
}

/// Values that a loop over plain ones goes through; one unknown where there is no such loop.
fn items(task: &Map<String, Json>) -> Vec<Option<Json>> {
    let values = ["loop", "with_items", "with_list"].iter().find_map(|key| task.get(*key));
    match values {
        Some(Json::Array(values)) if !values.is_empty() => values.iter().cloned().map(Some).collect(),
        _ => vec![None],
    }
}

/// A module's arguments, however they are written: a table, `key=value` words, `args` beside it.
fn arguments(value: &Json, beside: Option<&Json>) -> Map<String, Json> {
    let mut args = match value {
        Json::Object(args) => args.clone(),
        Json::String(text) => {
            let mut args: Map<String, Json> =
                key_values(text).into_iter().map(|(key, value)| (key, Json::String(value))).collect();
            args.insert("_raw_params".to_owned(), Json::String(text.clone()));
            args
        }
        _ => Map::new(),
    };
    if let Some(Json::Object(beside)) = beside {
        args.extend(beside.clone());
    }
    args
}

/// Module and arguments of `action`.
fn action(value: &Json) -> Option<(String, Json)> {
    match value {
        Json::String(text) => {
            let (module, args) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
            Some((plain_module(module).to_owned(), json!(args)))
        }
        Json::Object(args) => {
            let module = args.get("module")?.as_str()?;
            Some((plain_module(module).to_owned(), value.clone()))
        }
        _ => None,
    }
}

/// A pattern takes the folder that it searches.
fn folder_of_glob(name: Name) -> Name {
    match name {
        Name::Whole(text) if text.contains(['*', '?', '[']) => {
            let before = text.split(['*', '?', '[']).next().unwrap_or_default();
            Name::Whole(before.rsplit_once('/').map_or_else(|| ".".to_owned(), |(folder, _)| folder.to_owned()))
        }
        other => other,
    }
}

fn is_yes(value: &Json) -> bool {
    match value {
        Json::Bool(flag) => *flag,
        Json::String(text) => matches!(text.to_lowercase().as_str(), "yes" | "true" | "on" | "1"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::ansible::infer::infer;
    use crate::kind::fake::{FakeFiles, table};

    #[test]
    fn what_tasks_name_is_input() {
        let play = "\
- hosts: all
  vars: { key: \"{{ lookup('file', 'key.pub') }}\" }
  tasks:
  - template: src=a.j2 dest=/a
  - copy: { src: \"{{ item.name }}.conf\", dest: /b }
    loop: [{ name: one }, { name: two }]
  - copy: { src: /etc/hosts, dest: /c, remote_src: yes }
  - copy: { content: x, dest: /d }
  - script: run.sh --with=args
  - include_tasks: more.yml
  - copy: { src: \"{{ playbook_dir }}/../build/made.txt\", dest: /e }
  - debug: { msg: !unsafe '{{ x }}' }
  - set_fact: { k: !vault \"x\" }
";
        let files = [
            ("play/site.yml", play),
            ("play/templates/a.j2", ""),
            ("play/files/one.conf", ""),
            ("play/two.conf", ""),
            ("play/files/key.pub", ""),
            ("play/files/run.sh", ""),
            ("play/more.yml", "- include_vars: { file: v.yml }\n"),
            ("play/vars/v.yml", ""),
            ("play/notes.txt", ""),
        ];
        let inferred = infer(&table(json!({ "playbook": ["play/site.yml"] })), &FakeFiles::new(&files));
        assert_eq!(inferred.remarks, [] as [&str; 0]);
        assert_eq!(
            inferred.paths,
            [
                "build/made.txt",
                "play/files/key.pub",
                "play/files/one.conf",
                "play/files/run.sh",
                "play/more.yml",
                "play/site.yml",
                "play/templates/a.j2",
                "play/two.conf",
                "play/vars/v.yml",
            ]
        );
    }
}

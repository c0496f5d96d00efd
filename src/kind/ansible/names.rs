//! Owns reading names of files out of playbook text: what is plain in it, and which lookups it makes.
//! Does not know where such a name is searched for.

use serde_json::Value as Json;

/// A name of a file as far as it is plain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// All of it.
    Whole(String),
    /// Only this beginning.
    Start(String),
}

/// Begins a name that is relative to the project's root, not to where it is written.
pub const ROOT: &str = "\u{1}/";

/// Variables whose values are known before a play runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// Folder of the playbook, relative to the root.
    pub playbook_dir: &'a str,
    /// Folder of the role, in a role.
    pub role_path: Option<&'a str>,
    /// The item of a loop over plain values.
    pub item: Option<&'a Json>,
}

impl Known<'_> {
    /// Puts known variables into a text.
    pub fn name(&self, text: &str) -> Name {
        let mut out = String::new();
        let mut rest = text;
        loop {
            let Some(at) = rest.find("{{").into_iter().chain(rest.find("{%")).min() else {
                out.push_str(rest);
                return Name::Whole(out);
            };
            out.push_str(&rest[..at]);
            let inner = rest[at..].strip_prefix("{{").and_then(|inner| inner.split_once("}}"));
            let value = inner.and_then(|(expression, after)| Some((self.value(expression)?, after)));
            let Some((value, after)) = value else { return Name::Start(out) };
            out.push_str(&value);
            rest = after;
        }
    }

    /// The value of an expression that is known.
    fn value(&self, expression: &str) -> Option<String> {
        let expression = expression.trim();
        // `playbook_dir ~ '/x'` and `role_path + "/x"`.
        if let Some((left, right)) = expression.split_once(['~', '+']) {
            return Some(self.value(left)? + literal(right)?);
        }
        match expression {
            "playbook_dir" => Some(format!("{ROOT}{}", self.playbook_dir)),
            "role_path" => self.role_path.map(|path| format!("{ROOT}{path}")),
            "item" => text_of(self.item?),
            _ => {
                let key = expression.strip_prefix("item")?;
                let key = key.strip_prefix('.').or_else(|| literal(key.strip_prefix('[')?.strip_suffix(']')?))?;
                text_of(self.item?.get(key)?)
            }
        }
    }

    /// Files that lookups in a text read: name of the plugin, name of the file.
    pub fn lookups(&self, text: &str) -> Vec<(String, Name)> {
        let mut found = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('(') {
            let before = &rest[..at];
            rest = &rest[at + 1..];
            let function = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
            if !matches!(function, "lookup" | "query" | "q") {
                continue;
            }
            let mut args = arguments(rest).into_iter();
            let Some(plugin) = args.next().and_then(literal) else { continue };
            let plugin = plain_module(plugin);
            if matches!(plugin, "file" | "template" | "unvault" | "fileglob" | "first_found" | "csvfile" | "ini") {
                let names = args.filter(|arg| !is_option(arg)).map(|arg| match literal(arg) {
                    Some(name) => self.name(name),
                    None => self.value(arg).map_or(Name::Start(String::new()), Name::Whole),
                });
                found.extend(names.map(|name| (plugin.to_owned(), name)));
            }
        }
        found
    }
}

/// A module or plugin without the names that ansible's own may carry.
pub fn plain_module(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy.")).unwrap_or(name)
}

/// Words of `src=a dest="b c"`; a word without `=` has an empty key.
pub fn key_values(text: &str) -> Vec<(String, String)> {
    let mut words: Vec<String> = vec![String::new()];
    let (mut quote, mut braces) = (None, 0_u32);
    for c in text.chars() {
        match c {
            _ if quote == Some(c) => quote = None,
            '"' | '\'' if quote.is_none() && braces == 0 => quote = Some(c),
            ' ' | '\t' | '\n' if quote.is_none() && braces == 0 => words.push(String::new()),
            _ => {
                braces = match c {
                    '{' => braces + 1,
                    '}' => braces.saturating_sub(1),
                    _ => braces,
                };
                if let Some(word) = words.last_mut() {
                    word.push(c);
                }
            }
        }
    }
    let words = words.into_iter().filter(|word| !word.is_empty());
    words
        .map(|word| match word.split_once('=') {
            Some((key, value)) if !key.contains('{') => (key.to_owned(), value.to_owned()),
            _ => (String::new(), word),
        })
        .collect()
}

fn text_of(value: &Json) -> Option<String> {
    match value {
        Json::String(text) if !text.contains("{{") => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The text of a quoted literal.
fn literal(text: &str) -> Option<&str> {
    let text = text.trim();
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains(quote)).then_some(inner)
}

/// `errors='ignore'`: an option of the lookup, no name.
fn is_option(argument: &str) -> bool {
    argument.split_once('=').is_some_and(|(key, _)| {
        !key.trim().is_empty() && key.trim().chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

/// Arguments of a call, up to its closing bracket.
fn arguments(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut depth, mut quote, mut start) = (0_u32, None, 0);
    for (at, c) in text.char_indices() {
        match c {
            _ if quote == Some(c) => quote = None,
            _ if quote.is_some() => {}
            '"' | '\'' => quote = Some(c),
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => {
                out.push(text[start..at].trim());
                return out;
            }
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                out.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn whole(text: &str) -> Name {
        Name::Whole(text.to_owned())
    }

    fn start(text: &str) -> Name {
        Name::Start(text.to_owned())
    }

    #[test]
    fn known_variables_are_put_in() {
        let item = json!({ "src": "a", "n": 1 });
        let known = Known { playbook_dir: "ansible", role_path: Some("ansible/roles/x"), item: Some(&item) };
        assert_eq!(known.name("a/b.j2"), whole("a/b.j2"));
        assert_eq!(known.name("{{ playbook_dir }}/../x"), whole("\u{1}/ansible/../x"));
        assert_eq!(known.name("{{ item.src }}-{{item['n']}}.j2"), whole("a-1.j2"));
        assert_eq!(known.name("{{ role_path ~ '/f' }}"), whole("\u{1}/ansible/roles/x/f"));
        assert_eq!(known.name("c/{{ env }}.yml"), start("c/"));
        assert_eq!(known.name("{% if a %}x{% endif %}"), start(""));
        assert_eq!(known.name("{{ item | basename }}"), start(""));
        assert_eq!(Known::default().name("{{ item }}"), start(""));
    }

    #[test]
    fn lookups_are_found() {
        let known = Known { playbook_dir: "ansible", ..Known::default() };
        let text = "{{ lookup('ansible.builtin.file', 'a.txt', errors='ignore') | trim }} {{ q(\"fileglob\", dir) }}
                    {{ lookup('env', 'HOME') }} {{ lookup('file', playbook_dir + '/k') }} {{ notlookup('file', 'b') }}";
        let file = |name| ("file".to_owned(), name);
        assert_eq!(
            known.lookups(text),
            [file(whole("a.txt")), ("fileglob".to_owned(), start("")), file(whole("\u{1}/ansible/k"))]
        );
        assert_eq!(known.lookups("{{ lookup('file', "), []);
    }

    #[test]
    fn words_are_split() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            key_values("src=a.j2 dest=\"/etc/a b\" {{ x y }}"),
            [pair("src", "a.j2"), pair("dest", "/etc/a b"), pair("", "{{ x y }}")]
        );
    }
}

//! Owns the one minijinja environment: strict, no escaping, trailing newlines kept, own filters.
//! Does not know what is rendered.

use crate::template::context::Context;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use serde_json::Value as Json;
use std::sync::LazyLock;

/// `trim_blocks` and `lstrip_blocks` are off, as in minijinja; a file's last newline is kept, as people
/// expect of a file.
pub(super) static SYNTAX: LazyLock<SyntaxConfig> =
    LazyLock::new(|| SyntaxConfig::builder().keep_trailing_newline(true).build().unwrap_or_default());

pub(super) static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut env = Environment::new();
    env.set_syntax(SYNTAX.clone());
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_recursion_limit(200);
    env.add_filter("tojson", to_json);
    env.add_filter("shquote", |text: String| shell_quote(&text));
    env.add_filter("basename", |path: String| path.trim_end_matches('/').rsplit('/').next().unwrap_or("").to_owned());
    env.add_filter("dirname", |path: String| {
        path.trim_end_matches('/').rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned()
    });
    env
});

/// Names of all filters, for mistakes that are found before anything is rendered.
pub(super) const FILTERS: [&str; 51] = [
    "abs",
    "attr",
    "basename",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "dirname",
    "e",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "shquote",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "zip",
];

/// Names of all functions.
pub(super) const FUNCTIONS: [&str; 4] = ["range", "dict", "namespace", "debug"];

fn to_json(value: &Value, indent: Option<usize>) -> Result<String, Error> {
    let json = to_plain(value)?;
    let text = match indent {
        None => serde_json::to_string(&json),
        Some(_) => serde_json::to_string_pretty(&json),
    };
    text.map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
}

/// A word as `sh` reads it back.
fn shell_quote(text: &str) -> String {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '=' | '@' | '%' | '+' | ',');
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The expression of a text that is one `{{ expression }}` and nothing else.
pub(super) fn sole_expression(source: &str) -> Option<&str> {
    let inner = source.strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = inner.strip_prefix(['-', '+']).unwrap_or(inner);
    let inner = inner.strip_suffix(['-', '+']).unwrap_or(inner);
    if !inner.contains("}}") && !inner.contains("{%") && !inner.contains("{#") {
        return Some(inner);
    }
    // `{{ a }} and {{ b }}`, or a map literal whose end looks like one: only the parser can tell.
    match minijinja::machinery::parse(source, "", SYNTAX.clone()) {
        Ok(minijinja::machinery::ast::Stmt::Template(template))
            if matches!(template.children.as_slice(), [minijinja::machinery::ast::Stmt::EmitExpr(_)]) =>
        {
            Some(inner)
        }
        _ => None,
    }
}

/// Value of an expression.
pub(super) fn evaluate(expression: &str, context: &Context) -> Result<Json, Error> {
    let value = ENGINE.compile_expression(expression)?.eval(context.value())?;
    to_plain(&value)
}

/// Text of a template.
pub(super) fn render(source: &str, context: &Context) -> Result<String, Error> {
    ENGINE.render_str(source, context.value())
}

fn to_plain(value: &Value) -> Result<Json, Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    serde_json::to_value(value).map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
}

/// A JSON value as the engine knows it.
pub(super) fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => Value::from(value),
            (None, Some(value)) => Value::from(value),
            (None, None) => Value::from(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(from_json).collect(),
        Json::Object(items) => Value::from_pairs(items.iter().map(|(key, item)| (key.as_str(), from_json(item)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_filter_and_function_exists() {
        for name in FILTERS {
            let there = ENGINE.compile_expression(&format!("'{name}' is filter")).and_then(|e| e.eval(())).expect(name);
            assert!(there.is_true(), "{name}");
        }
        for name in FUNCTIONS {
            assert!(ENGINE.globals().any(|(global, _)| global == name), "{name}");
        }
    }

    #[test]
    fn words_are_quoted_for_the_shell() {
        assert_eq!(shell_quote("a-b/c.d"), "a-b/c.d");
        assert_eq!(shell_quote("it's"), r"'it'\''s'");
        assert_eq!(shell_quote(""), "''");
    }
}

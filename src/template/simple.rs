//! Owns the short way for texts whose expressions are all dotted names, `build/{{ env.name }}/x`: most
//! texts of a project are such, and the engine costs them more than all else that loading does.
//! Does not know mistakes: whatever is unusual goes the long way (`reads.rs`, `engine.rs`).

use crate::model::text::Read;
use crate::template::context::View;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// A part of a text.
enum Piece<'a> {
    Plain(&'a str),
    /// A dotted name, in full.
    Name(&'a str),
}

fn pieces(source: &str) -> Option<Vec<Piece<'_>>> {
    if source.contains("{%") || source.contains("{#") {
        return None;
    }
    let mut pieces = Vec::new();
    let mut rest = source;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inside, after) = after.split_once("}}")?;
        let name = inside.trim_matches(' ');
        name.split('.').all(is_identifier).then_some(())?;
        if !before.is_empty() {
            pieces.push(Piece::Plain(before));
        }
        pieces.push(Piece::Name(name));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Plain(rest));
    }
    Some(pieces)
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What a simple text reads; `None` when it is not simple, or may be a mistake.
pub(super) fn reads(source: &str) -> Option<BTreeSet<Read>> {
    let mut reads = BTreeSet::new();
    for piece in pieces(source)? {
        let Piece::Name(name) = piece else { continue };
        let mut parts = name.split('.');
        let (root, first, second, more) = (parts.next()?, parts.next(), parts.next(), parts.next());
        reads.insert(match (root, first, second, more) {
            ("vars", Some(name), ..) => Read::Var(name.to_owned()),
            ("env", Some("name"), None, None) => Read::EnvName,
            ("item", ..) => Read::Item,
            ("matrix", Some(axis), ..) => Read::Matrix(axis.to_owned()),
            ("secrets", Some(name), ..) => Read::Secret(name.to_owned()),
            ("out", Some(key), ..) => Read::Out(key.to_owned()),
            ("tasks", Some(task), Some(key), _) => {
                Read::TaskValue { task: task.to_owned(), item: None, key: key.to_owned() }
            }
            _ => return None,
        });
    }
    Some(reads)
}

/// A simple text, rendered; `None` when it is not simple, or something in it is unusual.
pub(super) fn render(source: &str, view: &View<'_>) -> Option<Json> {
    let pieces = pieces(source)?;
    if let [Piece::Name(name)] = pieces.as_slice() {
        return value(name, view);
    }
    let mut text = String::with_capacity(source.len());
    for piece in pieces {
        match piece {
            Piece::Plain(plain) => text.push_str(plain),
            Piece::Name(name) => match value(name, view)? {
                Json::String(value) => text.push_str(&value),
                Json::Number(number) if !number.is_f64() => text.push_str(&number.to_string()),
                // How the others are written is the engine's to say.
                _ => return None,
            },
        }
    }
    Some(Json::String(text))
}

fn value(name: &str, view: &View<'_>) -> Option<Json> {
    let mut parts = name.split('.');
    let mut at = match parts.next()? {
        "vars" => view.vars,
        "item" => view.item?,
        "matrix" => view.matrix,
        "secrets" => view.secrets,
        "out" => view.out,
        "env" if name == "env.name" => return Some(Json::String(view.env_name.to_owned())),
        _ => return None,
    };
    for part in parts {
        at = at.as_object()?.get(part)?;
    }
    Some(at.clone())
}

#[cfg(test)]
mod tests {
    use crate::model::diagnostic::Place;
    use crate::model::text::Text;
    use crate::template::context::{Context, Scope};
    use crate::template::{engine, reads as long, simple};
    use serde_json::json;

    /// The short way must say what the long way says, or nothing.
    #[test]
    fn both_ways_agree() {
        let scope = Scope {
            vars: json!({"a": "x", "n": 3, "f": 1.5, "b": true, "m": {"k": "v", "l": [1]}, "none": null}),
            env_name: "dev".to_owned(),
            item: Some(json!({"name": "i"})),
            matrix: json!({"os": "u"}),
            ..Scope::default()
        };
        for source in [
            "{{ vars.a }}",
            "p/{{ env.name }}/q\n",
            "{{vars.n}}{{ vars.m.k }}",
            "{{ vars.m }}",
            "x{{ vars.b }}",
            "x{{ vars.f }}",
            "{{ item.name }}-{{ matrix.os }}",
            "{{ item }}",
            "{{ vars.none }}",
            "{{ vars.n }}",
            "{{ vars.m.l }}",
            "x {{ vars.m.l }}",
            "{{- vars.a -}} ",
            "{{ vars.a | upper }}",
            "a }} b {{ vars.a }}",
            "{{ vars['a'] }}",
            "{{ vars.a\n}}",
        ] {
            let Some(reads) = simple::reads(source) else { continue };
            let found = long::find(source).expect(source).reads.into_iter().map(|(read, _)| read).collect();
            assert_eq!(reads, found, "{source}");
            let Some(short) = simple::render(source, &scope.view()) else { continue };
            let context = Context::of_reads(&reads, &scope.view());
            let full = match engine::sole_expression(source) {
                Some(expression) => engine::evaluate(expression, &context),
                None => engine::render(source, &context).map(serde_json::Value::String),
            };
            assert_eq!(short, full.expect(source), "{source}");
        }
        for (source, missing) in [("{{ vars.zz }}", true), ("{{ nope }}", true), ("{{ tasks.a }}", true)] {
            assert_eq!(simple::render(source, &scope.view()).is_none(), missing, "{source}");
        }
        let place = Place::default();
        let text: Text = crate::template::parse("{{ tasks.a.b.c }}", place).expect("a template");
        assert_eq!(text.reads.len(), 1);
    }
}

//! Owns templates: what their text reads, and how they are rendered. The only module that knows minijinja.
//! Does not know which task a text belongs to, nor what it may read there (`manifest/`).

mod context;
mod engine;
mod file;
mod reads;
mod simple;

pub use context::{RenderError, Scope};
pub use file::{FileReads, reads_of_file, render_file};

use crate::model::diagnostic::{Diagnostic, Place};
use crate::model::text::{Read, Text, Tree, has_template};
use context::Context;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// Reads a text of a TOML file, finding what it reads.
///
/// `place` is the span of the text between its quotes, when the file holds it letter by letter; then
/// mistakes are underlined to the letter. Any other span is underlined as a whole.
///
/// # Errors
/// When it is no valid template, reads a name that does not exist, or reads of `tasks`, `secrets`,
/// `out` or `matrix` what can't be told from its text.
pub fn parse(source: &str, place: Place) -> Result<Text, Diagnostic> {
    let reads = if !has_template(source) {
        BTreeSet::new()
    } else if let Some(reads) = simple::reads(source) {
        reads
    } else {
        reads::find(source)
            .map_err(|problem| problem.at(&place, source))?
            .reads
            .into_iter()
            .map(|(read, _)| read)
            .collect()
    };
    Ok(Text { source: Arc::from(source), reads: Arc::new(reads), place: Arc::new(place) })
}

/// Where in a text something is read that `which` picks; the whole text when that can't be told.
pub fn place_of(text: &Text, which: impl Fn(&Read) -> bool) -> Place {
    reads::find(&text.source)
        .ok()
        .and_then(|found| found.reads.into_iter().find(|(read, _)| which(read)))
        .map_or_else(|| text.place.as_ref().clone(), |(_, range)| within(&text.place, &text.source, range))
}

/// Renders a text: one `{{ expression }}` gives the value itself, anything else gives text.
///
/// # Errors
/// When something in it is not defined, or an operation is not possible.
pub fn render(text: &Text, scope: &Scope) -> Result<Json, RenderError> {
    render_view(text, &scope.view())
}

/// Renders a text to text: values that are no text become JSON.
///
/// # Errors
/// As [`render`].
pub fn render_text(text: &Text, scope: &Scope) -> Result<String, RenderError> {
    Ok(match render(text, scope)? {
        Json::String(text) => text,
        other => other.to_string(),
    })
}

/// Renders every text of a tree.
///
/// # Errors
/// As [`render`], the first one.
pub fn render_tree(tree: &Tree, scope: &Scope) -> Result<Json, RenderError> {
    Ok(match tree {
        Tree::Text(text) => render(text, scope)?,
        Tree::Plain(value) => value.clone(),
        Tree::List(items) => Json::Array(items.iter().map(|item| render_tree(item, scope)).collect::<Result<_, _>>()?),
        Tree::Table(items) => Json::Object(
            items
                .iter()
                .map(|(key, item)| Ok((key.clone(), render_tree(item, scope)?)))
                .collect::<Result<_, RenderError>>()?,
        ),
    })
}

pub(crate) fn render_view(text: &Text, view: &View<'_>) -> Result<Json, RenderError> {
    if !text.is_template() {
        return Ok(Json::String(text.source.to_string()));
    }
    if let Some(value) = simple::render(&text.source, view) {
        return Ok(value);
    }
    let context = Context::of_reads(&text.reads, view);
    let rendered = match engine::sole_expression(&text.source) {
        Some(expression) => engine::evaluate(expression, &context),
        None => engine::render(&text.source, &context).map(Json::String),
    };
    rendered.map_err(|error| context::explain(&error, text, view))
}

/// Renders a text of dotted names alone, without finding out first what it reads; `None` when it is
/// anything else, or a name is missing.
pub(crate) fn render_simple(source: &str, view: &View<'_>) -> Option<Json> {
    simple::render(source, view)
}

pub(crate) use context::View;

/// A part of a text as a place in its file; the whole when the file spells it otherwise.
fn within(place: &Place, source: &str, range: Range<usize>) -> Place {
    if place.span.len() == source.len() && range.end <= source.len() {
        // The engine counts a character that it does not know as one byte.
        let range = source.floor_char_boundary(range.start)..source.ceil_char_boundary(range.end);
        Place { file: place.file.clone(), span: place.span.start + range.start..place.span.start + range.end }
    } else {
        place.clone()
    }
}

#[cfg(test)]
mod tests;

//! Owns reading HCL and its JSON twin: what a terraform module names in plain words.
//! Does not know files, nor what its callers make of what is named.

use hcl_edit::expr::{Array, Expression, FuncCall, Object, ObjectKey, Traversal, TraversalOperator};
use hcl_edit::structure::{Attribute, Block, Body, Structure};
use hcl_edit::template::{Element, HeredocTemplate, Template};
use hcl_edit::visit::{Visit, visit_func_call};
use hcl_edit::{Decorated, Ident};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Locals may name each other; this many steps are followed.
const LOCAL_STEPS: u8 = 8;

/// One module: all its files, read together, since locals are shared between them.
#[derive(Debug, Default)]
pub struct Module {
    bodies: Vec<Body>,
    locals: BTreeMap<String, Expression>,
    at: At,
}

/// Where a module stands, for the names that terraform itself gives.
#[derive(Clone, Debug, Default)]
pub struct At {
    /// `path.module`: relative to the root module, as terraform spells it.
    pub module: String,
    /// `terraform.workspace`, when it is known.
    pub workspace: Option<String>,
}

/// The text of an argument as far as it is plain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plain {
    /// All of it.
    Whole(String),
    /// Only this beginning; the rest is known to the tool alone.
    Start(String),
}

/// A call of a function, with its arguments as far as they are plain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub function: String,
    pub args: Vec<Plain>,
}

/// The block that says where state is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// `local`, `s3`, `cloud`, …
    pub kind: String,
    /// Settings in a canonical text each, nested blocks with dotted names.
    pub settings: BTreeMap<String, String>,
}

impl Module {
    /// A module that stands at a place.
    pub fn new(at: At) -> Self {
        Self { at, ..Self::default() }
    }

    /// Takes a file in.
    ///
    /// # Errors
    /// When it is not well-formed: where, and what was expected.
    pub fn add(&mut self, name: &str, text: &str) -> Result<(), String> {
        let body = if name.ends_with(".json") {
            let json: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
            from_json(&json)
        } else {
            text.parse::<Body>().map_err(|error| {
                let place = error.location();
                format!("line {}, column {}: {}", place.line(), place.column(), error.message())
            })?
        };
        for block in body.get_blocks("locals") {
            for attribute in block.body.attributes() {
                self.locals.insert(attribute.key.as_str().to_owned(), attribute.value.clone());
            }
        }
        self.bodies.push(body);
        Ok(())
    }

    /// Sources of the modules that it calls.
    pub fn sources(&self) -> Vec<Plain> {
        let blocks = self.bodies.iter().flat_map(|body| body.get_blocks("module"));
        blocks.filter_map(|block| block.body.get_attribute("source")).map(|source| self.plain(&source.value)).collect()
    }

    /// Names of its outputs, and whether each is sensitive.
    pub fn outputs(&self) -> BTreeMap<String, bool> {
        let blocks = self.bodies.iter().flat_map(|body| body.get_blocks("output"));
        blocks
            .filter_map(|block| {
                let name = block.labels.first()?.as_str().to_owned();
                // A `sensitive` that is not plainly false may be true: masking too much is harmless.
                let sensitive = block.body.get_attribute("sensitive").is_some_and(|a| a.value.as_bool() != Some(false));
                Some((name, sensitive))
            })
            .collect()
    }

    /// Where its state is kept; `None`: beside it.
    pub fn backend(&self) -> Option<Backend> {
        let settings = self.bodies.iter().flat_map(|body| body.get_blocks("terraform"));
        // A later file (an override) wins, as in terraform.
        let mut found = None;
        for block in settings.flat_map(|block| block.body.blocks()) {
            let kind = match (block.ident.as_str(), block.labels.first()) {
                ("backend", Some(label)) => label.as_str().to_owned(),
                ("cloud", _) => "cloud".to_owned(),
                _ => continue,
            };
            let mut settings = BTreeMap::new();
            self.settings(&block.body, "", &mut settings);
            found = Some(Backend { kind, settings });
        }
        found
    }

    fn settings(&self, body: &Body, prefix: &str, into: &mut BTreeMap<String, String>) {
        for attribute in body.attributes() {
            let text = match self.plain(&attribute.value) {
                Plain::Whole(text) => text,
                // White space and comments are no part of what it says.
                Plain::Start(_) => attribute.value.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
            };
            into.insert(format!("{prefix}{}", attribute.key.as_str()), text);
        }
        for block in body.blocks() {
            let mut inner = format!("{prefix}{}.", block.ident.as_str());
            for label in &block.labels {
                inner.push_str(label.as_str());
                inner.push('.');
            }
            self.settings(&block.body, &inner, into);
        }
    }

    /// Every function call in it.
    pub fn calls(&self) -> Vec<Call> {
        let mut visitor = Calls { module: self, found: Vec::new() };
        for body in &self.bodies {
            visitor.visit_body(body);
        }
        visitor.found
    }

    /// The text of an expression as far as it is plain.
    fn plain(&self, expression: &Expression) -> Plain {
        self.plain_within(expression, LOCAL_STEPS)
    }

    fn plain_within(&self, expression: &Expression, steps: u8) -> Plain {
        match expression {
            Expression::String(text) => Plain::Whole(text.value().clone()),
            Expression::Bool(flag) => Plain::Whole(flag.value().to_string()),
            Expression::Number(number) => Plain::Whole(number.value().to_string()),
            Expression::Parenthesis(inner) => self.plain_within(inner.inner(), steps),
            Expression::StringTemplate(template) => self.elements(template.iter(), steps),
            Expression::HeredocTemplate(heredoc) => self.elements(heredoc.template.iter(), steps),
            Expression::Traversal(traversal) => self.name(traversal, steps),
            Expression::FuncCall(call) if matches!(call.name.name.as_str(), "abspath" | "pathexpand") => {
                call.args.get(0).map_or(Plain::Start(String::new()), |arg| self.plain_within(arg, steps))
            }
            _ => Plain::Start(String::new()),
        }
    }

    fn elements<'a>(&self, elements: impl Iterator<Item = &'a Element>, steps: u8) -> Plain {
        let mut text = String::new();
        for element in elements {
            let part = match element {
                Element::Literal(literal) => Plain::Whole(literal.value().clone()),
                Element::Interpolation(inner) => self.plain_within(&inner.expr, steps),
                Element::Directive(_) => Plain::Start(String::new()),
            };
            match part {
                Plain::Whole(part) => text.push_str(&part),
                Plain::Start(part) => {
                    text.push_str(&part);
                    return Plain::Start(text);
                }
            }
        }
        Plain::Whole(text)
    }

    fn name(&self, traversal: &Traversal, steps: u8) -> Plain {
        let unknown = Plain::Start(String::new());
        let Expression::Variable(root) = &traversal.expr else { return unknown };
        let [operator] = traversal.operators.as_slice() else { return unknown };
        let TraversalOperator::GetAttr(attribute) = operator.value() else { return unknown };
        match (root.as_str(), attribute.as_str()) {
            ("path", "module") => Plain::Whole(self.at.module.clone()),
            ("path", "root" | "cwd") => Plain::Whole(".".to_owned()),
            ("terraform", "workspace") => self.at.workspace.clone().map_or(unknown, Plain::Whole),
            ("local", name) if steps > 0 => {
                self.locals.get(name).map_or(unknown, |value| self.plain_within(value, steps - 1))
            }
            _ => unknown,
        }
    }
}

struct Calls<'a> {
    module: &'a Module,
    found: Vec<Call>,
}

impl Visit for Calls<'_> {
    fn visit_func_call(&mut self, call: &FuncCall) {
        if !call.name.is_namespaced() {
            let args = call.args.iter().map(|arg| self.module.plain(arg)).collect();
            self.found.push(Call { function: call.name.name.as_str().to_owned(), args });
        }
        visit_func_call(self, call);
    }
}

/// The JSON twin as a body: blocks that are asked for by name, all else as one expression.
fn from_json(json: &Json) -> Body {
    let mut structures: Vec<Structure> = Vec::new();
    for (key, value) in tables(json) {
        match key.as_str() {
            "locals" => structures.push(json_block("locals", None, value)),
            "module" | "output" => {
                structures.extend(tables(value).map(|(name, value)| json_block(key, Some(name), value)));
            }
            "terraform" => {
                let mut block = Block::new(ident("terraform"));
                for (name, value) in tables(value) {
                    if name == "backend" {
                        let kinds = tables(value).map(|(kind, value)| json_block("backend", Some(kind), value));
                        kinds.for_each(|kind| block.body.push(kind));
                    } else if name == "cloud" {
                        block.body.push(json_block("cloud", None, value));
                    }
                }
                structures.push(block.into());
            }
            // A block of its own each: a body keeps only the first attribute of a name, and tables of
            // one name may come several times.
            _ => {
                let mut block = Block::new(ident(key));
                block.body.push(Attribute::new(ident("value"), json_expression(value)));
                structures.push(block.into());
            }
        }
    }
    Body::from(structures)
}

/// Entries of a table, or of all tables of a list: the JSON syntax allows both.
fn tables(json: &Json) -> Box<dyn Iterator<Item = (&String, &Json)> + '_> {
    match json {
        Json::Object(entries) => Box::new(entries.iter()),
        Json::Array(items) => Box::new(items.iter().flat_map(tables)),
        _ => Box::new(std::iter::empty()),
    }
}

fn json_block(name: &str, label: Option<&String>, value: &Json) -> Structure {
    let mut block = Block::new(ident(name));
    block.labels.extend(label.map(|label| label.as_str().into()));
    for (key, value) in tables(value) {
        block.body.push(Attribute::new(ident(key), json_expression(value)));
    }
    block.into()
}

fn json_expression(json: &Json) -> Expression {
    match json {
        Json::Null => Expression::null(),
        Json::Bool(flag) => Expression::from(*flag),
        Json::Number(number) => Expression::from(number.to_string()),
        Json::String(text) if text.contains("${") || text.contains("%{") => match text.parse::<Template>() {
            Ok(template) => HeredocTemplate::new(Ident::new_sanitized("text"), template).into(),
            Err(_) => Expression::from(text.as_str()),
        },
        Json::String(text) => Expression::from(text.as_str()),
        Json::Array(items) => items.iter().map(json_expression).collect::<Array>().into(),
        Json::Object(entries) => {
            let entries = entries.iter();
            let entries =
                entries.map(|(key, value)| (ObjectKey::from(Expression::from(key.as_str())), json_expression(value)));
            entries.collect::<Object>().into()
        }
    }
}

fn ident(text: &str) -> Decorated<Ident> {
    Decorated::new(Ident::new_sanitized(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(files: &[(&str, &str)]) -> Module {
        let mut module = Module::new(At { module: "../../modules/vm".to_owned(), workspace: None });
        for (name, text) in files {
            module.add(name, text).unwrap();
        }
        module
    }

    fn args(module: &Module) -> Vec<(String, Plain)> {
        module.calls().into_iter().map(|call| (call.function, call.args[0].clone())).collect()
    }

    #[test]
    fn paths_are_followed_as_far_as_they_are_plain() {
        let module = module(&[
            (
                "main.tf",
                r#"
                resource "x" "y" {
                  a = file("${path.module}/a.txt")
                  b = templatefile(local.template, { n = file("${path.root}/b.txt") })
                  c = file("${path.module}/keys/${var.name}.pub")
                  d = <<-EOT
                    ${filebase64("plain.bin")}
                  EOT
                }
                "#,
            ),
            ("locals.tf", "locals {\n  folder = \"${path.module}/tpl\"\n  template = \"${local.folder}/x.tftpl\"\n}\n"),
        ]);
        let whole = |text: &str| Plain::Whole(text.to_owned());
        assert_eq!(
            args(&module),
            [
                ("file".to_owned(), whole("../../modules/vm/a.txt")),
                ("templatefile".to_owned(), whole("../../modules/vm/tpl/x.tftpl")),
                ("file".to_owned(), whole("./b.txt")),
                ("file".to_owned(), Plain::Start("../../modules/vm/keys/".to_owned())),
                ("filebase64".to_owned(), whole("plain.bin")),
            ]
        );
    }

    #[test]
    fn locals_that_name_each_other_end() {
        let module =
            module(&[("a.tf", "locals {\n a = local.b\n b = local.a\n}\noutput \"x\" {\n value = file(local.a)\n}\n")]);
        assert_eq!(args(&module), [("file".to_owned(), Plain::Start(String::new()))]);
    }

    #[test]
    fn the_json_twin_says_the_same() {
        let json = r#"{
            "module": { "a": { "source": "./a" }, "b": [{ "source": "../b" }] },
            "resource": { "x": { "y": { "content": "${file(\"${path.module}/f\")}" } } },
            "output": { "ip": { "value": 1 }, "token": { "value": 2, "sensitive": true } },
            "terraform": [{ "backend": { "s3": { "bucket": "b" } } }]
        }"#;
        let module = module(&[("main.tf.json", json)]);
        assert_eq!(module.sources(), [Plain::Whole("./a".to_owned()), Plain::Whole("../b".to_owned())]);
        assert_eq!(args(&module), [("file".to_owned(), Plain::Whole("../../modules/vm/f".to_owned()))]);
        assert_eq!(module.outputs(), BTreeMap::from([("ip".to_owned(), false), ("token".to_owned(), true)]));
        assert_eq!(module.backend().unwrap().kind, "s3");
        assert_eq!(module.backend().unwrap().settings["bucket"], "b");
    }

    #[test]
    fn a_backend_is_the_same_however_it_is_laid_out() {
        let one = module(&[(
            "a.tf",
            "terraform {\n  backend \"s3\" {\n    bucket = \"b\"\n    key = \"k\"\n    assume {\n      arn = \"x\"\n    }\n  }\n}\n",
        )]);
        let two = module(&[(
            "a.tf",
            "terraform {\n  backend \"s3\" {\n    key    = \"k\" # why\n    assume {\n arn = \"x\"\n}\n    bucket = \"b\"\n  }\n}\n",
        )]);
        assert_eq!(one.backend(), two.backend());
        assert_eq!(one.backend().unwrap().settings["assume.arn"], "x");
    }

    #[test]
    fn a_mistake_names_its_line() {
        let error = Module::default().add("a.tf", "a = 1\nresource \"x\" {\n").unwrap_err();
        assert!(error.starts_with("line "), "{error}");
        assert!(Module::default().add("a.tf.json", "{").is_err());
    }
}

//! Owns the walk over a template's syntax that finds what it reads, plain from its text.
//! Does not know whether what is read exists.

mod chain;

use crate::model::diagnostic::{Diagnostic, Place, nearest};
use crate::model::text::Read;
use crate::template::engine::{FILTERS, FUNCTIONS, SYNTAX};
use crate::template::within;
use chain::ROOTS;
use minijinja::machinery::ast::{self, Expr, Stmt};
use std::collections::BTreeSet;
use std::ops::Range;

/// What a template reads.
#[derive(Default)]
pub(super) struct Found {
    /// What, and where in its text.
    pub(super) reads: Vec<(Read, Range<usize>)>,
    /// Other templates that it includes, extends or imports; the flag says whether they must exist.
    pub(super) files: Vec<(String, Range<usize>, MustExist)>,
}

/// Whether an included template must exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MustExist {
    Yes,
    /// `ignore missing`, or one of several.
    No,
}

/// A mistake in a template, placed in its text.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) range: Range<usize>,
}

impl Problem {
    /// As a diagnostic in the file that holds the text.
    pub(super) fn at(self, place: &Place, source: &str) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(self.code, &within(place, source, self.range), self.message);
        diagnostic.help = self.help;
        diagnostic
    }
}

/// Walks a template.
pub(super) fn find(source: &str) -> Result<Found, Problem> {
    let tree = minijinja::machinery::parse(source, "", SYNTAX.clone()).map_err(|error| {
        let words = crate::template::context::words(&error, None);
        Problem {
            code: "template-syntax",
            help: raw(source).or_else(|| unclosed(&words)),
            message: format!("in a template: {words}"),
            range: error.range().unwrap_or(0..source.len()),
        }
    })?;
    let mut walk = Walk { found: Found::default(), locals: vec![BTreeSet::new()], problem: None };
    walk.statement(&tree);
    match walk.problem {
        Some(problem) => Err(problem),
        None => Ok(walk.found),
    }
}

/// What a text may mean that is no template: `${#name}` of a shell, `{{.Name}}` of docker.
fn raw(source: &str) -> Option<String> {
    (source.contains("{#") || source.contains("{{.")).then(|| {
        "`{{`, `{%` and `{#` begin a template: write `{% raw %}` before and `{% endraw %}` after what is none"
            .to_owned()
    })
}

/// What a template lacks that ends too early.
fn unclosed(words: &str) -> Option<String> {
    let end = words.strip_prefix("unexpected end of input, expected ")?;
    let close = match end {
        "end of variable block" => "`}}`",
        "end of block" => "`%}`",
        _ => return None,
    };
    Some(format!("close it with {close}"))
}

struct Walk<'a> {
    found: Found,
    /// Names that the template itself binds.
    locals: Vec<BTreeSet<&'a str>>,
    /// The first mistake.
    problem: Option<Problem>,
}

impl<'a> Walk<'a> {
    fn fail(&mut self, range: Range<usize>, message: String, help: Option<String>) {
        let code = if message.ends_with("is not defined") { "undefined" } else { "template" };
        self.problem.get_or_insert(Problem { code, message, help, range });
    }

    fn bind(&mut self, target: &Expr<'a>) {
        match target {
            Expr::Var(var) => {
                if let Some(top) = self.locals.last_mut() {
                    top.insert(var.id);
                }
            }
            Expr::List(list) => list.items.iter().for_each(|item| self.bind(item)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.bind(item)),
            // `{% set namespace.x = … %}`
            other => self.expression(other),
        }
    }

    fn within(&mut self, names: &[&'a str], walk: impl FnOnce(&mut Self)) {
        self.locals.push(names.iter().copied().collect());
        walk(self);
        self.locals.pop();
    }

    fn all(&mut self, statements: &[Stmt<'a>]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt<'a>) {
        match statement {
            Stmt::Template(template) => self.all(&template.children),
            Stmt::EmitExpr(emit) => self.expression(&emit.expr),
            Stmt::EmitRaw(_) | Stmt::Continue(_) | Stmt::Break(_) => {}
            Stmt::ForLoop(each) => {
                self.expression(&each.iter);
                self.within(&["loop"], |walk| {
                    walk.bind(&each.target);
                    if let Some(filter) = &each.filter_expr {
                        walk.expression(filter);
                    }
                    walk.all(&each.body);
                });
                self.all(&each.else_body);
            }
            Stmt::IfCond(cond) => {
                self.expression(&cond.expr);
                self.all(&cond.true_body);
                self.all(&cond.false_body);
            }
            Stmt::WithBlock(with) => self.within(&[], |walk| {
                for (target, value) in &with.assignments {
                    walk.expression(value);
                    walk.bind(target);
                }
                walk.all(&with.body);
            }),
            Stmt::Set(set) => {
                self.expression(&set.expr);
                self.bind(&set.target);
            }
            Stmt::SetBlock(set) => {
                self.all(&set.body);
                if let Some(filter) = &set.filter {
                    self.expression(filter);
                }
                self.bind(&set.target);
            }
            Stmt::AutoEscape(block) => self.all(&block.body),
            Stmt::FilterBlock(block) => {
                self.expression(&block.filter);
                self.all(&block.body);
            }
            Stmt::Block(block) => self.within(&["super", "self"], |walk| walk.all(&block.body)),
            Stmt::Import(import) => {
                self.file(&import.expr, MustExist::Yes);
                self.bind(&import.name);
            }
            Stmt::FromImport(import) => {
                self.file(&import.expr, MustExist::Yes);
                for (name, alias) in &import.names {
                    self.bind(alias.as_ref().unwrap_or(name));
                }
            }
            Stmt::Extends(extends) => self.file(&extends.name, MustExist::Yes),
            Stmt::Include(include) => {
                self.file(&include.name, if include.ignore_missing { MustExist::No } else { MustExist::Yes });
            }
            Stmt::Macro(decl) => self.macro_body(decl),
            Stmt::CallBlock(block) => {
                self.call(&block.call);
                self.macro_body(&block.macro_decl);
            }
            Stmt::Do(block) => self.call(&block.call),
        }
    }

    fn macro_body(&mut self, decl: &ast::Macro<'a>) {
        if let Some(top) = self.locals.last_mut() {
            top.insert(decl.name);
        }
        decl.defaults.iter().for_each(|default| self.expression(default));
        self.within(&["caller", "varargs", "kwargs"], |walk| {
            decl.args.iter().for_each(|argument| walk.bind(argument));
            walk.all(&decl.body);
        });
    }

    fn file(&mut self, name: &Expr<'a>, must: MustExist) {
        let range = range_of(name);
        match name {
            Expr::Const(constant) if constant.value.as_str().is_some() => {
                let text = constant.value.as_str().unwrap_or_default().to_owned();
                self.found.files.push((text, range, must));
            }
            Expr::List(list) => list.items.iter().for_each(|item| self.file(item, MustExist::No)),
            _ => self.fail(
                range,
                "the name of an included template is not plain from the text".to_owned(),
                Some("write it in quotes: `{% include \"part.j2\" %}`".to_owned()),
            ),
        }
    }

    fn call(&mut self, call: &ast::Spanned<ast::Call<'a>>) {
        match &call.expr {
            Expr::Var(var) if !self.is_local(var.id) => {
                if !FUNCTIONS.contains(&var.id) && !ROOTS.contains(&var.id) {
                    let help = nearest(var.id, FUNCTIONS).map(|near| format!("did you mean `{near}`?"));
                    self.fail(range(var.span()), format!("unknown function `{}` in a template", var.id), help);
                }
            }
            Expr::GetAttr(method) => self.expression(&method.expr),
            other => self.expression(other),
        }
        self.arguments(&call.args);
    }

    fn arguments(&mut self, arguments: &[ast::CallArg<'a>]) {
        for argument in arguments {
            match argument {
                ast::CallArg::Pos(value)
                | ast::CallArg::Kwarg(_, value)
                | ast::CallArg::PosSplat(value)
                | ast::CallArg::KwargSplat(value) => self.expression(value),
            }
        }
    }

    fn is_local(&self, name: &str) -> bool {
        self.locals.iter().any(|names| names.contains(name))
    }

    fn expression(&mut self, expression: &Expr<'a>) {
        match expression {
            Expr::Const(_) => {}
            Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_) => self.chain(expression),
            Expr::Slice(slice) => {
                self.expression(&slice.expr);
                [&slice.start, &slice.stop, &slice.step].into_iter().flatten().for_each(|part| self.expression(part));
            }
            Expr::UnaryOp(op) => self.expression(&op.expr),
            Expr::BinOp(op) => {
                self.expression(&op.left);
                self.expression(&op.right);
            }
            Expr::Compare(compare) => {
                self.expression(&compare.expr);
                compare.ops.iter().for_each(|op| self.expression(&op.expr));
            }
            Expr::IfExpr(cond) => {
                self.expression(&cond.test_expr);
                self.expression(&cond.true_expr);
                cond.false_expr.iter().for_each(|value| self.expression(value));
            }
            Expr::Filter(filter) => {
                if !FILTERS.contains(&filter.name) {
                    let help = nearest(filter.name, FILTERS).map(|near| format!("did you mean `{near}`?"));
                    self.fail(
                        name_range(filter.span(), filter.name),
                        format!("unknown filter `{}` in a template", filter.name),
                        help,
                    );
                }
                filter.expr.iter().for_each(|value| self.expression(value));
                self.arguments(&filter.args);
            }
            Expr::Test(test) => {
                self.expression(&test.expr);
                self.arguments(&test.args);
            }
            Expr::Call(call) => self.call(call),
            Expr::List(list) => list.items.iter().for_each(|item| self.expression(item)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.expression(item)),
            Expr::Map(map) => map.keys.iter().chain(&map.values).for_each(|item| self.expression(item)),
        }
    }
}

fn range(span: minijinja::machinery::Span) -> Range<usize> {
    span.start_offset as usize..span.end_offset as usize
}

fn range_of(expression: &Expr<'_>) -> Range<usize> {
    range(expression.span())
}

/// Where a filter's name stands, at the end of its span unless it has arguments.
fn name_range(span: minijinja::machinery::Span, name: &str) -> Range<usize> {
    let range = range(span);
    if range.len() > name.len() { range } else { range.start..range.start + name.len() }
}

//! Owns what a chain such as `tasks.a["b"].c` reads.
//! Does not know where chains stand in a template.

use super::{Walk, range};
use crate::model::diagnostic::nearest;
use crate::model::name::template_name;
use crate::model::text::Read;
use crate::template::engine::FUNCTIONS;
use minijinja::machinery::ast::Expr;
use std::ops::Range;

/// Names that a template may start from.
pub(super) const ROOTS: [&str; 7] = ["vars", "env", "tasks", "out", "secrets", "item", "matrix"];

/// One step of `a.b["c"][d]`.
enum Step<'a> {
    /// `.b`
    Name(&'a str),
    /// `["c"]`
    Text(String),
    /// Anything that is only known when it is rendered.
    Late,
}

impl<'a> Walk<'a> {
    /// `root.step["step"]…`
    pub(super) fn chain(&mut self, expression: &Expr<'a>) {
        let mut steps: Vec<(Step<'a>, Range<usize>)> = Vec::new();
        let mut at = expression;
        let root = loop {
            match at {
                Expr::GetAttr(get) => {
                    steps.push((Step::Name(get.name), range(get.span())));
                    at = &get.expr;
                }
                Expr::GetItem(get) => {
                    let step = match &get.subscript_expr {
                        Expr::Const(constant) => {
                            constant.value.as_str().map_or(Step::Late, |text| Step::Text(text.to_owned()))
                        }
                        late => {
                            self.expression(late);
                            Step::Late
                        }
                    };
                    steps.push((step, range(get.span())));
                    at = &get.expr;
                }
                Expr::Var(var) => break var,
                other => return self.expression(other),
            }
        };
        if self.is_local(root.id) || FUNCTIONS.contains(&root.id) {
            return;
        }
        steps.reverse();
        let start = range(root.span());
        let end = |index: usize| steps.get(index).map_or(start.clone(), |(_, range)| start.start..range.end);
        let word = |index: usize| match steps.get(index).map(|(step, _)| step) {
            Some(Step::Name(name)) => Some((*name).to_owned()),
            Some(Step::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let whole = end(steps.len().saturating_sub(1));
        let (read, range) = match (root.id, word(0)) {
            ("vars", Some(name)) => (Read::Var(name), end(0)),
            ("vars", None) => (Read::AllVars, whole),
            ("env", Some(name)) if name == "name" => (Read::EnvName, end(0)),
            ("env", name) => {
                let shown = name.map_or_else(|| "env".to_owned(), |name| format!("env.{name}"));
                let help =
                    "`env.name` is the name of the environment; a variable of the caller goes through `pass_env`";
                return self.fail(whole, format!("`{shown}` is not defined"), Some(help.to_owned()));
            }
            ("item", _) => (Read::Item, whole),
            ("out", Some(name)) => (Read::Out(name), end(0)),
            ("secrets", Some(name)) => (Read::Secret(name), end(0)),
            ("matrix", Some(name)) => (Read::Matrix(name), end(0)),
            (root @ ("out" | "secrets" | "matrix"), None) => {
                let example = format!("name it: `{root}.NAME`");
                return self.fail(whole, format!("what is read of `{root}` is not plain from the text"), Some(example));
            }
            ("tasks", Some(task)) => {
                let task = template_name(&task);
                let step = |index: usize| steps.get(index).map(|(step, _)| step);
                match (step(1), word(1), word(2)) {
                    (Some(Step::Text(_)), Some(item), Some(key)) => {
                        (Read::TaskValue { task, item: Some(item), key }, end(2))
                    }
                    (_, Some(key), _) => (Read::TaskValue { task, item: None, key }, end(1)),
                    (None, ..) => {
                        let help = format!("name one of its values: `tasks.{task}.KEY`");
                        return self.fail(whole, format!("`tasks.{task}` is no value"), Some(help));
                    }
                    _ => {
                        let help = format!("write `tasks.{task}.KEY[…]` or `tasks.{task}[\"ITEM\"].KEY`");
                        return self.fail(
                            whole,
                            format!("what is read of `tasks.{task}` is not plain from the text"),
                            Some(help),
                        );
                    }
                }
            }
            ("tasks", None) => {
                let help = "write `tasks.NAME.KEY`".to_owned();
                return self.fail(whole, "what is read of `tasks` is not plain from the text".to_owned(), Some(help));
            }
            (name, _) => {
                let help = nearest(name, ROOTS).map_or_else(
                    || format!("a variable is written `vars.{name}`; there are also `env.name`, `tasks`, `secrets`, `item`, `matrix` and `out`"),
                    |near| format!("did you mean `{near}`?"),
                );
                return self.fail(start, format!("`{name}` is not defined"), Some(help));
            }
        };
        self.found.reads.push((read, range));
    }
}

//! Owns the tests of templates.
//! Does not know the manifest.

use super::*;
use serde_json::json;

fn text(source: &str) -> Text {
    parse(source, Place { file: "t.toml".into(), span: 10..10 + source.len() }).expect(source)
}

fn scope() -> Scope {
    Scope {
        vars: json!({"count": 3, "name": "k3s", "list": [1, 2]}),
        env_name: "dev".to_owned(),
        tasks: json!({"provision": {"ips": ["10.0.0.1"]}, "host": {"a": {"ip": "1"}, "b": {"ip": "2"}}, "platform_net": {"cidr": "c"}}),
        secrets: json!({"token": "t"}),
        item: Some(json!({"name": "a"})),
        ..Scope::default()
    }
}

#[test]
fn one_expression_keeps_its_type() {
    assert_eq!(render(&text("{{ vars.count }}"), &scope()), Ok(json!(3)));
    assert_eq!(render(&text("{{ vars.count }}x"), &scope()), Ok(json!("3x")));
    assert_eq!(render(&text("{{ vars.list }}"), &scope()), Ok(json!([1, 2])));
    assert_eq!(render(&text("{{ {'a': {'b': vars.count}} }}"), &scope()), Ok(json!({"a": {"b": 3}})));
    assert_eq!(render(&text("{{ vars.count }}-{{ vars.name }}"), &scope()), Ok(json!("3-k3s")));
    assert_eq!(render(&text("plain\n"), &scope()), Ok(json!("plain\n")));
    assert_eq!(render(&text("{{ env.name }}\n"), &scope()), Ok(json!("dev\n")));
}

#[test]
fn values_of_tasks_by_key_and_by_item() {
    assert_eq!(render(&text("{{ tasks.provision.ips[0] }}"), &scope()), Ok(json!("10.0.0.1")));
    assert_eq!(render(&text("{{ tasks.host.ip }}"), &scope()), Ok(json!({"a": "1", "b": "2"})));
    assert_eq!(render(&text("{{ tasks.host[\"b\"].ip }}"), &scope()), Ok(json!("2")));
    assert_eq!(render(&text("{{ tasks.net.cidr }}"), &scope()), Ok(json!("c")));
}

#[test]
fn reads_are_plain_from_the_text() {
    let reads = |source: &str| text(source).reads.iter().cloned().collect::<Vec<_>>();
    assert_eq!(reads("{% for x in vars.list if x %}{{ loop.index }}{{ x.y }}{% endfor %}"), [Read::Var("list".into())]);
    assert_eq!(reads("{{ vars[item] }}"), [Read::AllVars, Read::Item]);
    assert_eq!(
        reads("{{ tasks['prepare-template'].id | default('x') }}"),
        [Read::TaskValue { task: "prepare_template".into(), item: None, key: "id".into() }]
    );
    assert_eq!(reads("{% macro m(a) %}{{ a }}{{ matrix.os }}{% endmacro %}{{ m(1) }}"), [Read::Matrix("os".into())]);
}

fn problem(source: &str) -> (String, String) {
    let place = Place { file: "t.toml".into(), span: 0..source.len() };
    let diagnostic = parse(source, place).expect_err(source);
    let span = diagnostic.place.expect("a place").span;
    let help = diagnostic.help.map(|help| format!(" / {help}")).unwrap_or_default();
    (format!("{}{help}", diagnostic.message), source[span].to_owned())
}

#[test]
fn mistakes_are_underlined_to_the_letter() {
    assert_eq!(problem("a {{ var.x }}"), ("`var` is not defined / did you mean `vars`?".into(), "var".into()));
    assert_eq!(
        problem("{{ tasks[item].x }}"),
        ("what is read of `tasks` is not plain from the text / write `tasks.NAME.KEY`".into(), "tasks[item].x".into())
    );
    assert_eq!(
        problem("{{ tasks.host }}"),
        ("`tasks.host` is no value / name one of its values: `tasks.host.KEY`".into(), "tasks.host".into())
    );
    assert_eq!(problem("{{ vars.x | tojso }}").0, "unknown filter `tojso` in a template / did you mean `tojson`?");
    assert_eq!(
        problem("{{ vars.x").0,
        "in a template: unexpected end of input, expected end of variable block / close it with `}}`"
    );
    let letters = "unexpected end of comment / `{{`, `{%` and `{#` begin a template: write `{% raw %}` before and";
    assert!(problem("echo ${#name}").0.contains(letters), "{}", problem("echo ${#name}").0);
    assert_eq!(problem("{{ env.PATH }}").1, "env.PATH");
    assert_eq!(problem("{{ rang(3) }}").0, "unknown function `rang` in a template / did you mean `range`?");
}

#[test]
fn what_is_not_defined_is_named_with_a_suggestion() {
    let source = "x {{ vars.nam }}";
    let error = render(&text(source), &scope()).expect_err("undefined");
    assert_eq!(error.message, "`vars.nam` is not defined");
    assert_eq!(error.help.as_deref(), Some("did you mean `vars.name`?"));
    assert_eq!(error.place.map(|place| place.span), Some(15..23));
    let error = render(&text("{{ item.nme.x }}"), &scope()).expect_err("undefined");
    assert_eq!(error.message, "`item.nme.x` is not defined");
    assert!(render(&text("{{ item.nme }}"), &scope()).is_err());
}

#[test]
fn own_filters() {
    assert_eq!(render(&text("{{ 'a b' | shquote }}"), &scope()), Ok(json!("'a b'")));
    assert_eq!(render(&text("{{ 'x/y.j2' | basename }}:{{ 'x/y.j2' | dirname }}"), &scope()), Ok(json!("y.j2:x")));
    assert_eq!(render(&text("[{{ vars.list | tojson }}]"), &scope()), Ok(json!("[[1,2]]")));
}

struct Fake(Vec<(&'static str, &'static str)>);

impl crate::model::facts::Files for Fake {
    fn read(&self, path: &camino::Utf8Path) -> Option<Arc<str>> {
        self.0.iter().find(|(name, _)| *name == path).map(|(_, text)| Arc::from(*text))
    }
    fn kind(&self, _path: &camino::Utf8Path) -> crate::model::facts::ContentKind {
        crate::model::facts::ContentKind::Missing
    }
    fn list(&self, _folder: &camino::Utf8Path) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn files_include_from_beside_and_from_the_shared_folder() {
    let files = Fake(vec![
        (
            "a/x.j2",
            "{% extends 'base.j2' %}{% block b %}{{ vars.count }} {{ vars.extra }} {% include 'y.j2' %}{% endblock %}",
        ),
        ("a/y.j2", "{{ tasks.host.ip['a'] }}/{{ tasks.host['b'].ip }}"),
        ("templates/base.j2", "<{% block b %}{% endblock %}>\n"),
        ("a/bad.j2", "one\n{{ vars.nam }}\n"),
        ("a/late.j2", "{{ vars.list.first.x }}"),
        ("a/opt.j2", "{% include 'nope.j2' ignore missing %}!"),
    ]);
    let found = reads_of_file("a/x.j2".into(), &files).expect("reads");
    assert_eq!(found.files, ["a/x.j2", "a/y.j2", "templates/base.j2"]);
    assert_eq!(found.places[&Read::Var("extra".into())].span, 56..66);
    let text = render_file("a/x.j2".into(), &files, &scope(), &json!({"extra": "e", "count": 9})).expect("text");
    assert_eq!(text, "<9 e 1/2>\n");
    let error = render_file("a/bad.j2".into(), &files, &scope(), &json!({})).expect_err("undefined");
    assert_eq!(
        (error.message.as_str(), error.help.as_deref()),
        ("`vars.nam` is not defined", Some("did you mean `vars.name`?"))
    );
    assert_eq!(error.place, Some(Place { file: "a/bad.j2".into(), span: 7..15 }));
    let error = render_file("a/late.j2".into(), &files, &scope(), &json!({})).expect_err("undefined");
    assert_eq!(error.message, "`vars.list.first.x` is not defined");
    assert_eq!(render_file("a/opt.j2".into(), &files, &scope(), &json!({})), Ok("!".to_owned()));
    assert_eq!(
        reads_of_file("a/opt.j2".into(), &files).expect("reads").files,
        ["a/nope.j2", "a/opt.j2", "templates/nope.j2"]
    );
}

#[test]
fn what_is_raw_is_no_template() {
    let shell = text("{% raw %}echo ${#a} {{.Names}}{% endraw %} {{ vars.name }}");
    assert_eq!(render_text(&shell, &scope()).expect("text"), "echo ${#a} {{.Names}} k3s");
}

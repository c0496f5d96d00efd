//! Owns what stands in the way of a server-side apply: fields that somebody else owns, and of which objects.
//! Does not know commands.

use super::objects::Reference;
use crate::kind::machine::StepEnd;
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

/// A field that somebody else owns. kubectl does not tell of which object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    manager: String,
    field: String,
}

/// All conflicts that an apply told of.
pub fn conflicts(end: &StepEnd) -> Vec<Conflict> {
    let mut found = Vec::new();
    let mut manager: Option<&str> = None;
    for line in &end.tail {
        if let Some(field) = line.trim().strip_prefix("- .").filter(|_| manager.is_some()) {
            let manager = manager.unwrap_or_default().to_owned();
            found.push(Conflict { manager, field: format!(".{field}") });
            continue;
        }
        let told = line.split_once("conflict with \"").or_else(|| line.split_once("conflicts with \""));
        let told = told.and_then(|(_, rest)| rest.split_once('"'));
        manager = told.map(|(name, _)| name);
        if let Some((name, field)) = told.and_then(|(name, rest)| Some((name, rest.split_once(": .")?.1))) {
            found.push(Conflict { manager: name.to_owned(), field: format!(".{field}") });
        }
    }
    found
}

/// The conflicts as people read them, with the objects whose fields they are.
pub fn told(conflicts: &[Conflict], found: &[Json]) -> String {
    let mut groups: Vec<(String, &str, Vec<&str>)> = Vec::new();
    for conflict in conflicts {
        let names = names(conflict, conflicts, found);
        let group = groups.iter_mut().find(|(known, manager, _)| *known == names && *manager == conflict.manager);
        match group {
            Some((.., fields)) if fields.contains(&conflict.field.as_str()) => {}
            Some((.., fields)) => fields.push(&conflict.field),
            None => groups.push((names, &conflict.manager, vec![&conflict.field])),
        }
    }
    let shown = groups.iter().map(|(names, manager, fields)| {
        let verb = if fields.len() == 1 { "is" } else { "are" };
        let fields = fields.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ");
        format!("{names}{fields} {verb} owned by `{manager}`")
    });
    shown.collect::<Vec<_>>().join("; ")
}

/// Objects of which that manager owns the field: more than there are conflicts where it agrees with us in some.
fn names(conflict: &Conflict, all: &[Conflict], found: &[Json]) -> String {
    let owned = found.iter().filter(|object| owns(object, conflict)).filter_map(Reference::of);
    let names: Vec<String> = owned.map(|one| one.shown()).collect();
    if names.is_empty() {
        return String::new();
    }
    let is_sure = all.iter().filter(|one| *one == conflict).count() == names.len();
    format!("{}: ", names.join(if is_sure { " and " } else { " or " }))
}

fn owns(object: &Json, conflict: &Conflict) -> bool {
    let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    entries.filter(|entry| entry["manager"] == conflict.manager.as_str()).any(|entry| {
        let mut paths = BTreeSet::new();
        collect(&entry["fieldsV1"], "", &mut paths);
        paths.contains(&conflict.field)
    })
}

/// Paths of a set of fields, written as an apply tells of them: `.spec.containers[name="web"].image`.
fn collect(fields: &Json, at: &str, paths: &mut BTreeSet<String>) {
    for (key, below) in fields.as_object().into_iter().flatten() {
        let part = match key.split_once(':') {
            Some(("f", name)) => format!(".{name}"),
            Some(("k", keys)) => {
                let keys: Map<String, Json> = serde_json::from_str(keys).unwrap_or_default();
                let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
                format!("[{}]", keys.join(","))
            }
            Some(("v", value)) => format!("[={value}]"),
            Some(("i", index)) => format!("[{index}]"),
            _ => continue,
        };
        let path = format!("{at}{part}");
        collect(below, &path, paths);
        if below.as_object().is_none_or(|below| below.is_empty() || below.contains_key(".")) {
            paths.insert(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn all_conflicts_are_told_with_their_objects() {
        let told_of = |tail: &str, found: &[Json]| {
            let tail = tail.lines().map(str::to_owned).collect();
            told(&conflicts(&StepEnd { code: Some(1), tail, ..StepEnd::default() }), found)
        };
        let one = "error: Apply failed with 1 conflict: conflict with \"kubectl-edit\" using apps/v1: .spec.replicas\nPlease review the fields above";
        assert_eq!(told_of(one, &[]), "`.spec.replicas` is owned by `kubectl-edit`");
        let two = "error: Apply failed with 2 conflicts: conflicts with \"helm\" using apps/v1:\n- .spec.replicas\n- .spec.paused\nPlease review";
        assert_eq!(told_of(two, &[]), "`.spec.replicas`, `.spec.paused` are owned by `helm`");
        assert_eq!(told_of("error: no matches for kind", &[]), "");

        let object = |name: &str, manager: &str, fields: Json| {
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name,
                "managedFields": [{"manager": manager, "fieldsV1": fields}]}})
        };
        let found = [
            object("a", "ops", json!({"f:data": {"f:x": {}}})),
            object("b", "edit", json!({"f:list": {"k:{\"name\":\"c\"}": {".": {}, "f:image": {}}}})),
            object("c", "other", json!({"f:data": {"f:x": {}}})),
        ];
        let several = "Apply failed with 2 conflicts: conflicts with \"edit\" using v1:\n- .list[name=\"c\"].image\nconflicts with \"ops\":\n- .data.x\nPlease review\nApply failed with 1 conflict: conflict with \"other\": .data.x";
        assert_eq!(
            told_of(several, &found),
            "configmap/b: `.list[name=\"c\"].image` is owned by `edit`; configmap/a: `.data.x` is owned by `ops`; \
             configmap/c: `.data.x` is owned by `other`"
        );
        // Where it owns that field of more objects than stand in the way, nobody knows which.
        let twice = [found[0].clone(), object("d", "ops", json!({"f:data": {"f:x": {}}}))];
        assert_eq!(
            told_of("Apply failed with 1 conflict: conflict with \"ops\": .data.x", &twice),
            "configmap/a or configmap/d: `.data.x` is owned by `ops`"
        );
    }
}

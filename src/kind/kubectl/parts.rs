//! Owns the parts in which a source is applied: definitions of kinds before objects of these kinds, and each object
//! in the namespace that it names.
//! Does not know command lines.

use super::objects::Reference;
use serde_json::{Value as Json, json};

/// One step of an apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A source as it is.
    Whole(usize),
    /// Some objects of a source. kubectl takes no object that names another namespace than its command line.
    Some { source: usize, objects: Vec<Json>, namespace: Option<String> },
    /// Names of definitions: objects of their kinds can be made when they are established.
    Established(Vec<String>),
}

/// The parts of a source, of which the objects are known.
pub fn parts(source: usize, objects: &[Json], namespace: Option<&str>) -> Vec<Part> {
    let definitions: Vec<String> =
        objects.iter().filter(|one| is_definition(one)).filter_map(Reference::of).map(|one| one.name).collect();
    let established = (!definitions.is_empty()).then_some(Part::Established(definitions.clone()));
    let named =
        |object: &Json| object["metadata"]["namespace"].as_str().filter(|name| !name.is_empty()).map(str::to_owned);
    let is_apart = namespace.is_some_and(|meant| objects.iter().any(|one| named(one).is_some_and(|own| own != meant)));
    let first = objects.iter().filter(|one| is_stood_on(one)).count();
    let is_mixed = first > 0 && first < objects.len();
    if !is_apart && !is_mixed {
        return [Part::Whole(source)].into_iter().chain(established).collect();
    }
    let (first, rest): (Vec<Json>, Vec<Json>) = objects.iter().cloned().partition(is_stood_on);
    let mut parts = Vec::new();
    if !first.is_empty() {
        parts.push(Part::Some { source, objects: first, namespace: namespace.map(str::to_owned) });
    }
    parts.extend(established);
    let mut groups: Vec<(Option<String>, Vec<Json>)> = Vec::new();
    for object in rest {
        let place = namespace.map(|meant| named(&object).unwrap_or_else(|| meant.to_owned()));
        match groups.iter_mut().find(|(known, _)| *known == place) {
            Some((_, group)) => group.push(object),
            None => groups.push((place, vec![object])),
        }
    }
    parts.extend(groups.into_iter().map(|(namespace, objects)| Part::Some { source, objects, namespace }));
    parts
}

/// A file of objects for kubectl.
pub fn file(objects: &[Json]) -> Vec<u8> {
    json!({ "apiVersion": "v1", "kind": "List", "items": objects }).to_string().into_bytes()
}

fn is_definition(object: &Json) -> bool {
    object["kind"] == "CustomResourceDefinition"
}

/// Whether other objects can't be made before it.
fn is_stood_on(object: &Json) -> bool {
    is_definition(object) || (object["kind"] == "Namespace" && object["apiVersion"] == "v1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(kind: &str, name: &str, namespace: &str) -> Json {
        json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}})
    }

    #[test]
    fn what_others_stand_on_comes_first_and_each_goes_where_it_says() {
        let plain = [object("ConfigMap", "a", ""), object("ConfigMap", "b", "alpha")];
        assert_eq!(parts(0, &plain, Some("alpha")), [Part::Whole(0)]);
        assert_eq!(parts(0, &[object("ConfigMap", "b", "beta")], None), [Part::Whole(0)]);
        let some = |objects: &[Json], namespace: Option<&str>| Part::Some {
            source: 1,
            objects: objects.to_vec(),
            namespace: namespace.map(str::to_owned),
        };
        let apart = [plain[0].clone(), object("ConfigMap", "c", "beta"), object("ConfigMap", "d", "")];
        assert_eq!(
            parts(1, &apart, Some("alpha")),
            [some(&[apart[0].clone(), apart[2].clone()], Some("alpha")), some(&apart[1..2], Some("beta"))]
        );
        let mixed = [object("Foo", "f", ""), object("CustomResourceDefinition", "foos.x.io", "")];
        let established = Part::Established(vec!["foos.x.io".to_owned()]);
        assert_eq!(parts(1, &mixed, None), [some(&mixed[1..], None), established.clone(), some(&mixed[..1], None)]);
        assert_eq!(parts(0, &mixed[1..], None), [Part::Whole(0), established]);
        let space = [object("ConfigMap", "a", "alpha"), object("Namespace", "alpha", "")];
        assert_eq!(parts(1, &space, None), [some(&space[1..], None), some(&space[..1], None)]);
        assert_eq!(parts(0, &space[1..], None), [Part::Whole(0)]);
    }
}

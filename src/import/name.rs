//! Owns names of other tools made plain: letters, digits, `-`, `_`, `.`, and no two alike.
//! Does not know what the names are of.

use std::collections::{BTreeMap, BTreeSet};

/// A plain name for each name, in the order given. What is plain already keeps its name.
pub(super) fn plain(names: &[String]) -> BTreeMap<String, String> {
    let mut taken: BTreeSet<String> = names.iter().filter(|name| made_plain(name) == **name).cloned().collect();
    let mut found = BTreeMap::new();
    for name in names {
        let plain = made_plain(name);
        if plain == *name {
            found.insert(name.clone(), plain);
            continue;
        }
        found.insert(name.clone(), free(name, &mut taken));
    }
    found
}

/// A plain name that is not taken yet, and is from now on.
pub(super) fn free(name: &str, taken: &mut BTreeSet<String>) -> String {
    let plain = made_plain(name);
    let mut free = plain.clone();
    let mut count = 2;
    while !taken.insert(free.clone()) {
        free = format!("{plain}-{count}");
        count += 1;
    }
    free
}

pub(super) fn made_plain(name: &str) -> String {
    let letters = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    let mut plain = String::new();
    for c in name.chars() {
        // What is no letter here is one `-`, however much of it there is.
        let made = letters(c);
        if made == c || !plain.ends_with('-') {
            plain.push(made);
        }
    }
    let plain = plain.trim_start_matches(['-', '_', '.']);
    match plain {
        "" => "task".to_owned(),
        // What `infra destroy` does is recorded under this name.
        "destroy" => "destroy-task".to_owned(),
        plain => plain.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_plain_and_stay_apart() {
        let names = ["build/a.o", "build-a.o", "_x", "x", "destroy", ":"].map(str::to_owned);
        let plain = plain(&names);
        assert_eq!(plain["build/a.o"], "build-a.o-2");
        assert_eq!(plain["build-a.o"], "build-a.o");
        assert_eq!(plain["_x"], "x-2");
        assert_eq!(plain["x"], "x");
        assert_eq!(plain["destroy"], "destroy-task");
        assert_eq!(plain[":"], "task");
        assert_eq!(super::plain(&["ops::up".to_owned()])["ops::up"], "ops-up");
    }
}

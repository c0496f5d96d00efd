//! Owns the line that an apply, or a wait, tells at its end.
//! Does not know commands, nor how what it tells was found out.

use super::objects::{Reference, some_shown};

/// What there is to tell.
pub struct Told<'a> {
    pub objects: usize,
    pub unchanged: bool,
    /// The probe had found it otherwise.
    pub was_put_right: bool,
    /// Whether somebody else's values may have been overwritten.
    pub forces: bool,
    pub waits: usize,
    /// What was applied before, and is not in the files any more.
    pub left: Vec<&'a Reference>,
}

impl Told<'_> {
    /// The line, where there is anything to tell.
    pub fn summary(self) -> Option<String> {
        let mut parts = Vec::new();
        match self.objects {
            0 => {}
            1 => parts.push("1 object".to_owned()),
            many => parts.push(format!("{many} objects")),
        }
        match self.unchanged {
            true if self.was_put_right => parts.push("put right".to_owned()),
            // The token tells that it is as it was, not whether somebody else's values were overwritten for that.
            true if self.forces => parts.push("as it was".to_owned()),
            true => parts.push("no changes".to_owned()),
            false => {}
        }
        if self.waits > 0 {
            parts.push(format!("{} came true", self.waits));
        }
        let mut line = parts.join(", ");
        // An apply deletes nothing; nobody should think so.
        if self.objects > 0 && !self.left.is_empty() {
            line.extend(["; not deleted, though no longer in the files: ", &some_shown(self.left)]);
        }
        (!line.is_empty()).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_of_a_kind_is_the_same_object() {
        let one = |api_version: &str| Reference {
            api_version: api_version.to_owned(),
            kind: "HorizontalPodAutoscaler".to_owned(),
            namespace: "shop".to_owned(),
            name: "web".to_owned(),
        };
        assert!(one("autoscaling/v2beta2").is_same(&one("autoscaling/v2")));
        assert!(!one("autoscaling/v2").is_same(&one("other.io/v2")) && one("v1").is_same(&one("v1")));
    }

    #[test]
    fn what_left_the_files_is_told() {
        let one = |name: &str| Reference {
            api_version: "v1".to_owned(),
            kind: "Secret".to_owned(),
            namespace: String::new(),
            name: name.to_owned(),
        };
        let all = ["a", "b", "c", "d", "e"].map(one);
        let told = |left: &[Reference]| {
            let left = left.iter().collect();
            Told { objects: 2, unchanged: false, was_put_right: false, forces: false, waits: 1, left }.summary()
        };
        assert_eq!(told(&[]).as_deref(), Some("2 objects, 1 came true"));
        let more =
            "2 objects, 1 came true; not deleted, though no longer in the files: secret/a, secret/b, secret/c, 2 more";
        assert_eq!(told(&all).as_deref(), Some(more));
    }
}

//! Owns what kubectl and helm said last: the lines of it that tell what was wrong.
//! Does not know which command said it, nor what it means for a task.

use crate::kind::machine::StepEnd;

/// How errors begin that stand alone; whatever follows in further lines is advice.
const BEGINNINGS: [&str; 6] = [
    "error: ",
    "Error: ",
    "Error from server",
    "Error in configuration",
    "Unable to connect",
    "The connection to the server",
];

/// So many errors are told; the log has all of them.
const MOST: usize = 5;

/// What a tool complained of last, as a fragment; of a tool that says it otherwise, its last line.
pub fn last_words(end: &StepEnd) -> Option<String> {
    let lines: Vec<&str> = end.tail.iter().map(|line| line.trim_end()).filter(|line| !line.is_empty()).collect();
    let Some(last) = lines.iter().rposition(|line| begins(line)) else {
        return lines.iter().rev().find(|line| !is_noise(line)).or(lines.last()).map(|line| bare(line));
    };
    // An apply of several objects tells one error after the other.
    let before = lines[..last].iter().rev().take_while(|line| begins(line) || is_item(line)).count();
    let mut told: Vec<String> = Vec::new();
    let mut errors = 0;
    for line in &lines[last - before..] {
        if begins(line) {
            errors += 1;
            let words = bare(line);
            if errors <= MOST && !told.contains(&words) {
                told.push(words);
            }
        } else if is_item(line) && errors <= MOST {
            told.extend([line.trim_start_matches("* ").to_owned()]);
        } else {
            break;
        }
    }
    if errors > MOST {
        told.push(format!("and {} more", errors - MOST));
    }
    told.into_iter()
        .reduce(|told, one| if told.ends_with(':') { format!("{told} {one}") } else { format!("{told}; {one}") })
}

fn begins(line: &str) -> bool {
    BEGINNINGS.iter().any(|words| line.starts_with(words)) || (line.starts_with("The ") && line.contains("is invalid:"))
}

/// One of several things that are wrong with one object.
fn is_item(line: &str) -> bool {
    line.starts_with("* ")
}

/// What libraries log beside what a command says.
fn is_noise(line: &str) -> bool {
    let mut letters = line.chars();
    matches!(letters.next(), Some('E' | 'W' | 'I')) && letters.take(4).all(|letter| letter.is_ascii_digit())
}

fn bare(line: &str) -> String {
    line.trim().trim_start_matches("Error: ").trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let tail = text.lines().map(str::to_owned).collect();
        last_words(&StepEnd { code: Some(1), tail, ..StepEnd::default() }).unwrap_or_default()
    }

    #[test]
    fn advice_is_not_taken_for_the_error() {
        let unknown = "error: resource mapping not found for name: \"x\": no matches for kind \"Foo\" in version \"x.io/v1\"\nensure CRDs are installed first";
        assert!(said(unknown).ends_with("no matches for kind \"Foo\" in version \"x.io/v1\""), "{}", said(unknown));
        let flag = "error: invalid argument \"1y\" for \"--timeout\" flag\nSee 'kubectl wait --help' for usage.";
        assert_eq!(said(flag), "invalid argument \"1y\" for \"--timeout\" flag");
        let plugin = "E1130 06:55:05.5 1 memcache.go:265] \"Unhandled Error\"\nUnable to connect to the server: getting credentials: exec: executable x not found\n\nTo learn more about this feature, consult\n      https://kubernetes.io/docs";
        assert_eq!(said(plugin), "Unable to connect to the server: getting credentials: exec: executable x not found");
        assert_eq!(said("W1130 06:55:05.5 1 x.go:1] warned\nsomething else"), "something else");
    }

    #[test]
    fn every_error_is_told_up_to_a_number() {
        assert_eq!(said("applied\nError from server: a\nerror: b"), "Error from server: a; b");
        let invalid = "The Deployment \"web\" is invalid: \n* spec.a: Required value\n* spec.b: Required value";
        assert_eq!(said(invalid), "The Deployment \"web\" is invalid: spec.a: Required value; spec.b: Required value");
        let many: Vec<String> = (1..=7).map(|number| format!("error: {number}")).collect();
        assert_eq!(said(&many.join("\n")), "1; 2; 3; 4; 5; and 2 more");
        assert_eq!(said("error: same\nerror: same"), "same");
        assert_eq!(said(""), "");
    }
}

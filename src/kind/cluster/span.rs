//! Owns lengths of time as kubectl and helm read them: their language knows no days.
//! Does not know what they limit, nor what is no length of time; that was checked before.

/// A length of time for a flag.
pub fn flag(text: &str) -> String {
    if text.contains('d') { format!("{}ms", millis(text)) } else { text.to_owned() }
}

/// Whole seconds of it.
pub fn seconds(text: &str) -> u64 {
    millis(text) / 1000
}

fn millis(text: &str) -> u64 {
    let mut total: u64 = 0;
    let mut rest = text;
    while let Some(digits) = rest.find(|c: char| !c.is_ascii_digit()) {
        let (number, after) = rest.split_at(digits);
        let (unit, next) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let factor = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => 0,
        };
        total = total.saturating_add(number.parse::<u64>().unwrap_or(0).saturating_mul(factor));
        rest = next;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_are_told_otherwise() {
        assert_eq!(["10s", "1h30m", "500ms", "2d", "5m"].map(seconds), [10, 5400, 0, 172_800, 300]);
        assert_eq!(["2d", "1d500ms", "1m500ms", "5m"].map(flag), ["172800000ms", "86400500ms", "1m500ms", "5m"]);
    }
}

//! Owns how durations are written: `10s`, `5m`, `1h30m`, `500ms`, `2d`.
//! Does not know what they limit.

use std::time::Duration;

/// What to write instead of something that is no duration.
pub const HELP: &str = "write `500ms`, `10s`, `5m`, `1h30m` or `2d`";

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Reads a duration: whole numbers with units, the larger unit first, each unit once.
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut smallest = u64::MAX;
    let mut total: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (_, unit) = UNITS.into_iter().find(|(word, _)| *word == &rest[..letters])?;
        if unit >= smallest {
            return None;
        }
        smallest = unit;
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[letters..];
    }
    Some(Duration::from_millis(total))
}

/// Reads a pause: one duration, or the first and the longest, `5s..60s`.
pub(super) fn parse_range(text: &str) -> Option<(Duration, Duration)> {
    match text.split_once("..") {
        Some((first, longest)) => {
            let (first, longest) = (parse(first.trim())?, parse(longest.trim())?);
            (first <= longest).then_some((first, longest))
        }
        None => parse(text).map(|pause| (pause, pause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_strict() {
        let seconds = |text| parse(text).map(|d| d.as_secs_f64());
        assert_eq!(seconds("10s"), Some(10.0));
        assert_eq!(seconds("1h30m"), Some(5400.0));
        assert_eq!(seconds("500ms"), Some(0.5));
        assert_eq!(seconds("2d"), Some(172_800.0));
        for bad in ["", "10", "s", "10 s", "30m1h", "1s1s", "1.5s", "-1s", "10sec", "99999999999999999999d"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
        assert_eq!(parse_range("5s..60s"), Some((Duration::from_secs(5), Duration::from_secs(60))));
        assert_eq!(parse_range("60s..5s"), None);
    }
}

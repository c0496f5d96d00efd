//! Owns typed values that tasks export, and the types they are declared with.
//! Does not know which task exports what.

use crate::model::digest::{Digest, Domain};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::fmt;

/// Type of an export: `string int float bool ip cidr path url json list<…> map<…> secret<…>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueType {
    String,
    Int,
    Float,
    Bool,
    /// IPv4 or IPv6 address.
    Ip,
    /// Address and prefix length.
    Cidr,
    Path,
    /// Absolute, with a scheme.
    Url,
    /// Anything.
    Json,
    List(Box<ValueType>),
    Map(Box<ValueType>),
    /// Masked, never stored in the clear.
    Secret(Box<ValueType>),
}

impl ValueType {
    /// Words of the plain types.
    pub const WORDS: [&'static str; 12] =
        ["string", "int", "float", "bool", "ip", "cidr", "path", "url", "json", "list<…>", "map<…>", "secret<…>"];

    /// Reads a type; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        Some(match text {
            "string" => Self::String,
            "int" => Self::Int,
            "float" => Self::Float,
            "bool" => Self::Bool,
            "ip" => Self::Ip,
            "cidr" => Self::Cidr,
            "path" => Self::Path,
            "url" => Self::Url,
            "json" => Self::Json,
            "secret" => Self::Secret(Box::new(Self::Json)),
            _ => {
                let (outer, rest) = text.split_once('<')?;
                let inner = Box::new(Self::parse(rest.strip_suffix('>')?)?);
                match outer.trim() {
                    "list" => Self::List(inner),
                    "map" => Self::Map(inner),
                    "secret" => Self::Secret(inner),
                    _ => return None,
                }
            }
        })
    }

    /// Whether it is secret, wholly or in a part.
    pub fn is_secret(&self) -> bool {
        match self {
            Self::Secret(_) => true,
            Self::List(inner) | Self::Map(inner) => inner.is_secret(),
            _ => false,
        }
    }

    /// Checks a value; the error is a path into the value and what was expected there.
    ///
    /// # Errors
    /// When the value is of another type.
    pub fn check(&self, value: &Json) -> Result<(), TypeMismatch> {
        self.check_at(value, "", self.is_secret())
    }

    fn check_at(&self, value: &Json, at: &str, hidden: bool) -> Result<(), TypeMismatch> {
        let good = match (self, value) {
            (Self::Json, _) => true,
            (Self::Secret(inner), _) => return inner.check_at(value, at, true),
            (Self::String | Self::Path, Json::String(_)) | (Self::Bool, Json::Bool(_)) => true,
            (Self::Int, Json::Number(number)) => number.is_i64() || number.is_u64(),
            (Self::Float, Json::Number(_)) => true,
            (Self::Ip, Json::String(text)) => text.parse::<std::net::IpAddr>().is_ok(),
            (Self::Cidr, Json::String(text)) => is_cidr(text),
            (Self::Url, Json::String(text)) => is_url(text),
            (Self::List(inner), Json::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    inner.check_at(item, &format!("{at}[{index}]"), hidden)?;
                }
                true
            }
            (Self::Map(inner), Json::Object(items)) => {
                for (key, item) in items {
                    inner.check_at(item, &format!("{at}.{key}"), hidden)?;
                }
                true
            }
            _ => false,
        };
        if good {
            Ok(())
        } else {
            let found = if hidden { describe(value).to_owned() } else { shown(value) };
            Err(TypeMismatch { at: at.to_owned(), expected: self.to_string(), found })
        }
    }

    /// Reads the text of a `key=value` line as this type; JSON for anything that is not plain text.
    pub fn read_text(&self, text: &str) -> Json {
        match self {
            Self::String | Self::Ip | Self::Cidr | Self::Path | Self::Url => Json::String(text.to_owned()),
            Self::Secret(inner) => inner.read_text(text),
            _ => serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.to_owned())),
        }
    }
}

fn is_cidr(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, length)| {
        let longest = match address.parse() {
            Ok(std::net::IpAddr::V4(_)) => 32u8,
            Ok(std::net::IpAddr::V6(_)) => 128,
            Err(_) => return false,
        };
        length.parse::<u8>().is_ok_and(|length| length <= longest)
    })
}

fn is_url(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| {
        scheme.chars().next().is_some_and(|c| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
            && !rest.is_empty()
            && !rest.contains(char::is_whitespace)
    })
}

fn describe(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a bool",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "a map",
    }
}

/// A value as JSON, which tells its type too; of a long one the beginning.
fn shown(value: &Json) -> String {
    const LONGEST: usize = 60;
    let text = value.to_string();
    let cut: String = text.chars().take(LONGEST).collect();
    if cut.len() < text.len() { format!("{} that begins `{cut}…`", describe(value)) } else { format!("`{text}`") }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String => f.write_str("string"),
            Self::Int => f.write_str("int"),
            Self::Float => f.write_str("float"),
            Self::Bool => f.write_str("bool"),
            Self::Ip => f.write_str("ip"),
            Self::Cidr => f.write_str("cidr"),
            Self::Path => f.write_str("path"),
            Self::Url => f.write_str("url"),
            Self::Json => f.write_str("json"),
            Self::List(inner) => write!(f, "list<{inner}>"),
            Self::Map(inner) => write!(f, "map<{inner}>"),
            Self::Secret(inner) => write!(f, "secret<{inner}>"),
        }
    }
}

impl Serialize for ValueType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ValueType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a type"))
    }
}

/// A value that is not of its declared type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `{expected}`{}, found {found}", if at.is_empty() { String::new() } else { format!(" at `{at}`") })]
pub struct TypeMismatch {
    /// Path into the value, `[0].a`; empty for the whole.
    pub at: String,
    /// The declared type.
    pub expected: String,
    /// What is there; of a secret without its value.
    pub found: String,
}

/// Canonical text of a JSON value: keys sorted, no white space.
pub fn canonical(value: &Json) -> String {
    // serde_json's map is sorted by key as long as `preserve_order` is off.
    value.to_string()
}

/// Digest of a value.
pub fn digest(value: &Json) -> Digest {
    Digest::of(Domain::Value, canonical(value).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn types_round_trip_through_text() {
        for text in ["string", "list<ip>", "map<list<int>>", "secret<string>"] {
            assert_eq!(ValueType::parse(text).map(|t| t.to_string()).as_deref(), Some(text));
        }
        assert_eq!(ValueType::parse("list<foo>"), None);
        assert_eq!(ValueType::parse("list<ip"), None);
    }

    #[test]
    fn values_are_checked_to_the_leaf() {
        let ips = ValueType::List(Box::new(ValueType::Ip));
        assert!(ips.check(&json!(["10.0.0.1", "::1"])).is_ok());
        assert_eq!(
            ips.check(&json!(["10.0.0.1", "x"])).unwrap_err().to_string(),
            "expected `ip` at `[1]`, found `\"x\"`"
        );
        let secret = ValueType::Secret(Box::new(ValueType::Ip)).check(&json!("hunter2")).unwrap_err();
        assert_eq!(secret.to_string(), "expected `ip`, found a string");
        assert!(ValueType::Cidr.check(&json!("10.0.0.0/33")).is_err());
        assert!(ValueType::Url.check(&json!("https://a")).is_ok());
        assert!(ValueType::Int.check(&json!(1.5)).is_err());
    }
}

//! Values as JSON.

use serde_json::{Value, json};
use tsm::ValuesRef;

/// An array. What JSON has no number for is text: infinities and NaN. Bytes of strings are escaped.
pub(crate) fn as_json(values: ValuesRef<'_>) -> Value {
    match values {
        ValuesRef::Float(values) => values.iter().map(|value| float(*value)).collect(),
        ValuesRef::Integer(values) => json!(values),
        ValuesRef::Unsigned(values) => json!(values),
        ValuesRef::Boolean(values) => json!(values),
        ValuesRef::String(values) => values.iter().map(string).collect(),
    }
}

fn float(value: f64) -> Value {
    if value.is_finite() { json!(value) } else { json!(value.to_string()) }
}

/// As it is, where it is text.
fn string(value: &[u8]) -> Value {
    match std::str::from_utf8(value) {
        Ok(text) => json!(text),
        Err(_) => json!(value.escape_ascii().to_string()),
    }
}

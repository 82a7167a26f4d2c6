//! The envelope of `-o json` (CONTRACT.md section 2).

use serde::Serialize;
use serde_json::{Map, Value, json};

/// The format of every document: its number grows only when keys are removed or change their meaning.
const FORMAT_VERSION: &str = "1.0";

/// One document: the envelope, then the body's keys. A body that is no object stands under `result`.
pub fn document(command: &str, body: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(&whole(command, body)).unwrap_or_default();
    text.push('\n');
    text
}

/// The same, on one line.
pub(super) fn line(command: &str, body: &impl Serialize) -> String {
    let mut text = serde_json::to_string(&whole(command, body)).unwrap_or_default();
    text.push('\n');
    text
}

fn whole(command: &str, body: &impl Serialize) -> Value {
    let mut whole = Map::new();
    whole.insert("formatVersion".to_owned(), json!(FORMAT_VERSION));
    whole.insert("toolVersion".to_owned(), json!(env!("CARGO_PKG_VERSION")));
    whole.insert("command".to_owned(), json!(command));
    match serde_json::to_value(body) {
        Ok(Value::Object(keys)) => whole.extend(keys),
        Ok(other) => {
            whole.insert("result".to_owned(), other);
        }
        Err(_) => {
            whole.insert("result".to_owned(), Value::Null);
        }
    }
    Value::Object(whole)
}

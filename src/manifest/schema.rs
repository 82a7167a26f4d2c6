//! JSON Schemas (draft-07) of every kind of document, for completion, hover texts and checks in editors.
//!
//! Guarantees: what the reader refuses by its form (an unknown or missing key, a value of the wrong type, a
//! word that is none of the alternatives) the schema refuses too, and what the reader takes without an error
//! it takes. Rules that join several places (labels, names, dates, formats) are the reader's alone.

mod policy;
mod request;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use super::envelope::VERSION;

/// The kinds that have a schema. `AdobeRequest` is an Adobe Privacy Service request in JSON, `Policy` a document
/// of any kind that lies in the directory of policies.
pub const KINDS: [&str; 9] = [
    "Dataset",
    "Namespace",
    "Hold",
    "Role",
    "Settings",
    "SubjectRequest",
    "Approval",
    "AdobeRequest",
    "Policy",
];

/// The kinds of documents that lie in the directory of policies, and what they are.
const POLICIES: [(&str, &str); 5] = [
    ("Dataset", policy::DATASET),
    ("Namespace", policy::NAMESPACE),
    ("Hold", policy::HOLD),
    ("Role", policy::ROLE),
    ("Settings", policy::SETTINGS),
];

/// The schema of a kind, compared without case; `None` for another word.
pub fn schema(kind: &str) -> Option<Value> {
    let kind = KINDS.into_iter().find(|known| known.eq_ignore_ascii_case(kind))?;
    let own = json!({"$schema": "http://json-schema.org/draft-07/schema#", "title": kind});
    Some(with(inner(kind), own))
}

fn inner(kind: &str) -> Value {
    match kind {
        "Dataset" => document(kind, policy::DATASET, policy::dataset()),
        "Namespace" => document(kind, policy::NAMESPACE, policy::namespace()),
        "Hold" => document(kind, policy::HOLD, policy::hold()),
        "Role" => document(kind, policy::ROLE, policy::role()),
        "Settings" => document(kind, policy::SETTINGS, policy::settings()),
        "Approval" => document(kind, policy::APPROVAL, policy::approval()),
        "SubjectRequest" => document(kind, request::NATIVE, request::native()),
        "Policy" => any_policy(),
        _ => request::adobe(),
    }
}

/// A document of any kind of policy: its `kind` says which schema holds, so that what is wrong is told of that
/// kind alone.
fn any_policy() -> Value {
    let branches: Vec<Value> = POLICIES
        .into_iter()
        .map(|(kind, _)| {
            let of = json!({"properties": {"kind": {"const": kind}}, "required": ["kind"]});
            json!({"if": of, "then": inner(kind)})
        })
        .collect();
    let properties = json!({
        "apiVersion": {"description": "The version of the format.", "const": VERSION},
        "kind": described("The kind of document.", POLICIES.map(|(kind, what)| (json!(kind), what))),
        "metadata": {"description": "What the document is called.", "type": "object"},
        "spec": {"description": "What it says; its keys depend on `kind`.", "type": "object"},
    });
    let required = ["apiVersion", "kind", "metadata", "spec"];
    with(strict("A document of the policies.", properties, &required), json!({"allOf": branches}))
}

/// A document in its envelope (CONTRACT.md section 1).
fn document(kind: &str, description: &str, spec: Value) -> Value {
    let name = with(
        text("The document's name, unique among those of its kind: 1 to 63 of a-z, 0-9 and -."),
        json!({"pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "maxLength": 63}),
    );
    strict(
        description,
        json!({
            "apiVersion": {"description": "The version of the format.", "const": VERSION},
            "kind": {"description": "The kind of document.", "const": kind},
            "metadata": strict("What the document is called.", json!({"name": name}), &["name"]),
            "spec": spec,
        }),
        &["apiVersion", "kind", "metadata", "spec"],
    )
}

/// A mapping that takes these keys and no others.
fn strict(description: &str, properties: Value, required: &[&str]) -> Value {
    with(open(description, properties, required), json!({"additionalProperties": false}))
}

/// A mapping that takes these keys, and others unseen.
fn open(description: &str, properties: Value, required: &[&str]) -> Value {
    let mut schema =
        json!({"description": description, "type": "object", "properties": properties});
    if !required.is_empty() {
        schema = with(schema, json!({"required": required}));
    }
    schema
}

/// A text; what YAML reads as a number or a boolean is text as written.
fn text(description: &str) -> Value {
    json!({"description": description, "type": ["string", "number", "boolean"], "minLength": 1})
}

/// `true` or `false`.
fn flag(description: &str) -> Value {
    json!({"description": description, "type": "boolean"})
}

/// One of a few words.
fn choice(description: &str, words: &[&str]) -> Value {
    json!({"description": description, "enum": words})
}

/// One of a few words, each with a text of its own in editors (`enumDescriptions`, which checkers pass over).
fn described(description: &str, words: impl IntoIterator<Item = (Value, &'static str)>) -> Value {
    let (words, texts): (Vec<Value>, Vec<&str>) = words.into_iter().unzip();
    json!({"description": description, "enum": words, "enumDescriptions": texts})
}

/// A list.
fn list(description: &str, items: Value) -> Value {
    json!({"description": description, "type": "array", "items": items})
}

/// A list that holds something.
fn filled(description: &str, items: Value) -> Value {
    with(list(description, items), json!({"minItems": 1}))
}

/// A date of the calendar.
fn date(description: &str) -> Value {
    json!({"description": description, "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"})
}

/// A whole number in a range; no upper end where `high` is `None`.
fn whole(description: &str, low: u64, high: Option<u64>) -> Value {
    let schema = json!({"description": description, "type": "integer", "minimum": low});
    match high {
        Some(high) => with(schema, json!({"maximum": high})),
        None => schema,
    }
}

/// The schema with these keywords too.
fn with(schema: Value, more: Value) -> Value {
    let keywords = |value| match value {
        Value::Object(keywords) => keywords,
        _ => Map::new(),
    };
    let mut all = keywords(schema);
    all.extend(keywords(more));
    Value::Object(all)
}

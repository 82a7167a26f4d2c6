#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;
use crate::diagnostic::{Diagnostic, Severity};
use crate::manifest::codes::files::{
    API_VERSION, EMPTY, MISSING_KEY, NOT_A_DOCUMENT, NOT_ONE_OF, UNKNOWN_KEY, UNKNOWN_KIND,
    WRONG_TYPE,
};
use crate::manifest::source::SourceFile;
use crate::manifest::tree::{Kind, Node};
use crate::manifest::{approvals, json as json_text, load, yaml};

/// Why a value does not fit a schema, by the keywords that the schemas use; `None` where it fits. Any other
/// keyword than those and the annotations is a panic.
fn misfit(schema: &Value, value: &Value) -> Option<String> {
    let fits = |schema: &Value| misfit(schema, value).is_none();
    let strings = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()).collect()
    };
    for (keyword, rule) in schema.as_object().unwrap() {
        let number = || rule.as_f64().unwrap();
        let length = value.as_str().map(|text| text.chars().count() as f64);
        let items = value.as_array().map(|items| items.len() as f64);
        let fine = match keyword.as_str() {
            "$schema" | "title" | "description" | "examples" | "format" | "enumDescriptions" => {
                true
            }
            "type" => {
                let types = if rule.is_string() {
                    vec![rule.as_str().unwrap().to_owned()]
                } else {
                    strings(rule)
                };
                types.iter().any(|name| is_of(name, value))
            }
            "const" => rule == value,
            "enum" => rule.as_array().unwrap().contains(value),
            "pattern" => value.as_str().is_none_or(|text| {
                regex::Regex::new(rule.as_str().unwrap()).unwrap().is_match(text)
            }),
            "minLength" => length.is_none_or(|n| n >= number()),
            "maxLength" => length.is_none_or(|n| n <= number()),
            "minItems" => items.is_none_or(|n| n >= number()),
            "maxItems" => items.is_none_or(|n| n <= number()),
            "minProperties" => value.as_object().is_none_or(|map| map.len() as f64 >= number()),
            "minimum" => value.as_f64().is_none_or(|n| n >= number()),
            "maximum" => value.as_f64().is_none_or(|n| n <= number()),
            "required" => value
                .as_object()
                .is_none_or(|map| strings(rule).iter().all(|key| map.contains_key(key))),
            "allOf" => rule.as_array().unwrap().iter().all(fits),
            "if" => !fits(rule) || fits(&schema["then"]),
            "then" => true,
            "anyOf" => rule.as_array().unwrap().iter().any(fits),
            "oneOf" => rule.as_array().unwrap().iter().filter(|schema| fits(schema)).count() == 1,
            "items" => value
                .as_array()
                .is_none_or(|items| items.iter().all(|item| misfit(rule, item).is_none())),
            "properties" => value.as_object().is_none_or(|map| {
                map.iter().all(|(key, value)| {
                    rule.get(key).is_none_or(|rule| misfit(rule, value).is_none())
                })
            }),
            "additionalProperties" => value.as_object().is_none_or(|map| {
                let known = schema.get("properties");
                map.iter().filter(|(key, _)| known.and_then(|known| known.get(key)).is_none()).all(
                    |(_, value)| {
                        if rule == &Value::Bool(false) {
                            false
                        } else {
                            misfit(rule, value).is_none()
                        }
                    },
                )
            }),
            other => panic!("the keyword {other} is not known here"),
        };
        if !fine {
            return Some(format!("{keyword} of {:?}", schema.get("description")));
        }
    }
    None
}

fn is_of(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("no type {other}"),
    }
}

/// A tree as an editor sees it: plain scalars by the core schema.
fn value(node: &Node) -> Value {
    match &node.kind {
        Kind::Null => Value::Null,
        Kind::List(items) => items.iter().map(value).collect(),
        Kind::Map(entries) => entries.iter().map(|e| (e.key.clone(), value(&e.value))).collect(),
        Kind::Scalar(scalar) => {
            let text = scalar.text.expose();
            match text.as_str() {
                _ if scalar.quoted => Value::from(text.as_str()),
                "true" | "True" | "TRUE" => Value::Bool(true),
                "false" | "False" | "FALSE" => Value::Bool(false),
                _ => text
                    .parse::<u64>()
                    .map(Value::from)
                    .or_else(|_| {
                        text.parse::<f64>().map(|n| {
                            if n.is_finite() { Value::from(n) } else { Value::from(text.as_str()) }
                        })
                    })
                    .unwrap_or_else(|_| Value::from(text.as_str())),
            }
        }
    }
}

/// What the schemas say of a file's documents; `None` where the file cannot be parsed.
fn judged(file: &SourceFile) -> Option<Vec<Option<String>>> {
    if file.ending() == "json" {
        let parsed = json_text::parse(&file.bytes);
        let root = parsed.root.filter(|_| parsed.faults.is_empty())?;
        return Some(vec![misfit(&schema("AdobeRequest").unwrap(), &value(&root))]);
    }
    let documents = yaml::parse(&file.bytes).ok()?;
    let judge = |document: &Node| {
        let document = value(document);
        let kind = document.get("kind").and_then(Value::as_str).unwrap_or_default();
        let misfits = schema(kind)
            .filter(|_| KINDS.contains(&kind))
            .map_or(Some("no such kind".to_owned()), |schema| misfit(&schema, &document));
        let policy = misfit(&schema("Policy").unwrap(), &document);
        let of_policies = POLICIES.iter().any(|(known, _)| *known == kind);
        assert_eq!(policy.is_none(), of_policies && misfits.is_none(), "{}: {policy:?}", file.path);
        misfits
    };
    Some(documents.iter().map(judge).collect())
}

fn samples(folder: &str) -> Vec<SourceFile> {
    fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { collect(&path, files) } else { files.push(path) }
        }
    }
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder), &mut files);
    files
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json"))
        .map(|path| SourceFile {
            path: path.to_str().unwrap().to_owned(),
            bytes: std::fs::read(&path).unwrap(),
        })
        .collect()
}

/// Codes of what is wrong with a form: the schema must refuse it too.
fn of_form(diagnostic: &Diagnostic) -> bool {
    let codes = [
        API_VERSION,
        EMPTY,
        MISSING_KEY,
        NOT_A_DOCUMENT,
        NOT_ONE_OF,
        UNKNOWN_KEY,
        UNKNOWN_KIND,
        WRONG_TYPE,
    ];
    diagnostic.severity == Severity::Error && codes.contains(&diagnostic.code)
}

/// Holds samples against schema and reader; how many were accepted and refused by both.
fn agree(samples: &[SourceFile], read: impl Fn(&SourceFile) -> Vec<Diagnostic>) -> (usize, usize) {
    let (mut accepted, mut refused) = (0, 0);
    for file in samples {
        let Some(judged) = judged(file) else { continue };
        let diagnostics: Vec<Diagnostic> =
            read(file).into_iter().filter(|d| d.position.file == file.path).collect();
        let errors = diagnostics.iter().any(|d| d.severity == Severity::Error);
        let misfits: Vec<&String> = judged.iter().flatten().collect();
        if !errors {
            assert_eq!(misfits, Vec::<&String>::new(), "{} is accepted by the reader", file.path);
            accepted += 1;
        } else if diagnostics.iter().any(of_form) {
            assert!(!misfits.is_empty(), "{} is refused by the reader: {diagnostics:?}", file.path);
            refused += 1;
        }
    }
    (accepted, refused)
}

#[test]
fn policies_agree_with_the_reader() {
    let valid = samples("manifest_valid/policies");
    let (accepted, refused) = agree(&valid, |_| load(&valid, &[]).diagnostics);
    assert_eq!((accepted, refused), (valid.len(), 0));
    let (_, refused) = agree(&samples("manifest_invalid/policies"), |file| {
        load(std::slice::from_ref(file), &[]).diagnostics
    });
    assert!(refused > 10, "{refused}");
}

#[test]
fn requests_agree_with_the_reader() {
    let policies = samples("manifest_valid/policies");
    let read = |file: &SourceFile| load(&policies, std::slice::from_ref(file)).diagnostics;
    let valid = samples("manifest_valid/requests");
    assert_eq!(agree(&valid, read), (valid.len(), 0));
    let (accepted, refused) = agree(&samples("manifest_invalid/requests"), read);
    assert!(accepted > 10 && refused >= 7, "{accepted} {refused}");
}

#[test]
fn approvals_agree_with_the_reader() {
    let read = |file: &SourceFile| approvals(std::slice::from_ref(file), &[]).1;
    let valid = samples("manifest_valid/approvals");
    assert_eq!(agree(&valid, read), (valid.len(), 0));
    let (_, refused) = agree(&samples("manifest_invalid/approvals"), read);
    assert!(refused >= 2, "{refused}");
}

/// What has no hover text: every value that a schema describes, by a key, as an item or as an alternative, must
/// have one, and every word of those that have texts of their own.
fn undescribed(path: &str, schema: &Value, found: &mut Vec<String>) {
    let says = |text: Option<&Value>| {
        let text = text.and_then(Value::as_str).unwrap_or_default();
        text.len() >= 7 && text.ends_with(['.', ')', '}'])
    };
    // Conditions such as {required: […]} describe no value.
    let of_a_value =
        ["type", "enum", "const", "properties"].iter().any(|k| schema.get(k).is_some());
    if of_a_value && !says(schema.get("description")) {
        found.push(path.to_owned());
    }
    if let Some(texts) = schema.get("enumDescriptions").and_then(Value::as_array) {
        let words = schema["enum"].as_array().unwrap();
        if texts.len() != words.len() || !texts.iter().all(|text| says(Some(text))) {
            found.push(format!("{path}: words"));
        }
    }
    for (key, below) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        undescribed(&format!("{path}.{key}"), below, found);
    }
    for keyword in ["items", "additionalProperties", "then"] {
        if let Some(below) = schema.get(keyword).filter(|below| below.is_object()) {
            undescribed(&format!("{path}/{keyword}"), below, found);
        }
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
        for below in schema.get(keyword).and_then(Value::as_array).into_iter().flatten() {
            undescribed(&format!("{path}/{keyword}"), below, found);
        }
    }
}

#[test]
fn every_value_is_described() {
    for kind in KINDS {
        let mut found = Vec::new();
        let schema = schema(kind).unwrap();
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        undescribed(kind, &schema, &mut found);
        assert_eq!(found, Vec::<String>::new());
    }
    let labels = &schema("Dataset").unwrap()["properties"]["spec"]["properties"]["fields"]["items"]
        ["properties"]["labels"]["items"];
    let words = labels["enum"].as_array().unwrap();
    let at = words.iter().position(|word| word == "ACC-PERSON").unwrap();
    assert!(labels["enumDescriptions"][at].as_str().unwrap().contains("ID-PERSON"));
    assert_eq!(schema("subjectrequest"), schema("SubjectRequest"));
    assert_eq!(schema("Secret"), None);
}

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;
use crate::manifest::{json, yaml};

/// Every line of a YAML text, masked.
fn masked(text: &str) -> Vec<String> {
    let documents = yaml::parse(text.as_bytes()).unwrap();
    let mask = Mask::new(text, &documents);
    (1..=lines(text).len()).map(|n| mask.line(n).unwrap()).collect()
}

fn masked_json(text: &str) -> Vec<String> {
    let parsed = json::parse(text.as_bytes());
    assert_eq!(parsed.faults, []);
    let root = parsed.root.unwrap();
    let mask = Mask::new(text, std::slice::from_ref(&root));
    (1..=lines(text).len()).map(|n| mask.line(n).unwrap()).collect()
}

#[test]
fn harmless_values_are_shown() {
    let text = "\
apiVersion: amparo/v1
kind: SubjectRequest
metadata: {name: 2026-11-acme}   # for Jane
spec:
  regulation: gdpr
  receivedAt: 2026-11-20T10:00:00Z
  extension: {until: 2026-12-31, reason: Jane is away}
  expandIds: true
  include: [analytics]
  users:
    - key: GDPR-1236
      action: [access, \"delete\"]
      userIDs:
        - {namespace: crm-id, value: ACME-12345678}
        - {namespace: email address, value: 'john@mail.com', type: standard}
        - allOf: [{namespace: last-name, value: Doe}, {namespace: birth-date, value: 1980-02-29}]
      only: {datasets: [web-events], where: {props.device.os: iOS 17}}
      standing: false
";
    let expected = "\
apiVersion: amparo/v1
kind: SubjectRequest
metadata: {name: 2026-11-acme}   ***
spec:
  regulation: gdpr
  receivedAt: 2026-11-20T10:00:00Z
  extension: {until: 2026-12-31, reason: ***}
  expandIds: true
  include: [***]
  users:
    - key: ***
      action: [access, \"delete\"]
      userIDs:
        - {namespace: ***, value: ***}
        - {namespace: ***, value: ***, type: ***}
        - allOf: [{namespace: ***, value: ***}, {namespace: ***, value: ***}]
      only: {datasets: [***], where: {***: ***}}
      standing: false
";
    assert_eq!(masked(text).join("\n"), expected);
}

#[test]
fn texts_of_many_lines_are_hidden() {
    let text = "\
users:
  - key: |
      john@mail.com
      - value: x: y
    action: plain text
      that goes on: no
    userIDs: \"quoted
      over lines\"
    only: >-
      folded
";
    let text = text.replace(": no", " no");
    let expected = "\
users:
  - key: ***
      ***
      - ***
    action: ***
      ***
    userIDs: ***
      ***
    only: ***-
      ***
";
    assert_eq!(masked(&text).join("\n"), expected);
}

#[test]
fn what_has_not_its_form_is_hidden() {
    let cases = [
        ("metadata: {name: john@mail.com}", "metadata: {name: ***}"),
        ("spec: {regulation: john@mail.com}", "spec: {regulation: ***}"),
        ("spec: {receivedAt: John}", "spec: {receivedAt: ***}"),
        ("spec: {receivedAt: 49171234567}", "spec: {receivedAt: ***}"),
        ("spec: {expandIds: John}", "spec: {expandIds: ***}"),
        ("spec: {John: x, users: John}", "spec: {***: ***, users: ***}"),
        ("name: John", "name: ***"),
        ("John", "***"),
        ("- John", "- ***"),
        ("? John\n: Jane", "*** ***"),
        ("kind: &john Request", "kind: *** Request"),
        ("{'action': \"a\"}", "{'action': ***}"),
        ("# John", "***"),
    ];
    for (text, expected) in cases {
        assert_eq!(masked(text)[0], expected, "{text}");
    }
}

#[test]
fn a_harmless_value_that_equals_an_identity_is_hidden() {
    let text = "spec:\n  regulation: ACME\n  users:\n    - userIDs: [{value: acme}]";
    assert_eq!(masked(text)[1], "  regulation: ***");
}

#[test]
fn what_an_anchor_hides_is_hidden_where_it_is_shown_otherwise() {
    let text = "spec:\n  x: &a [John]\n  users:\n    - {action: *a}";
    assert_eq!(masked(text), ["spec:", "  ***: *** [***]", "  users:", "    - {action: ***}"]);
}

#[test]
fn json_lines_are_masked_alike() {
    let text = "{\"users\": [{\"key\": \"GDPR 1\", \"action\": [\"access\"],\n  \"userIDs\": [{\"namespace\": \"ä\\\"b\", \"John\": 17, \"value\": \"x\"}]}]}";
    let expected = [
        "{\"users\": [{\"key\": ***, \"action\": [\"access\"],",
        "  \"userIDs\": [{\"namespace\": ***, ***: ***, \"value\": ***}]}]}",
    ];
    assert_eq!(masked_json(text), expected);
}

#[test]
fn lines_that_do_not_exist_are_none() {
    let mask = Mask::new("a", &[]);
    assert_eq!((mask.line(0), mask.line(2)), (None, None));
    assert_eq!(Mask::new(&"a".repeat(5000), &[]).line(1), None);
}

/// Pieces of YAML around a planted word.
fn planted() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "spec",
        "users",
        "key",
        "value",
        "action",
        "name",
        "kind",
        "metadata",
        ": ",
        ":",
        "- ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "\n",
        "\n  ",
        "\n    ",
        "\"",
        "'",
        "|\n",
        "&a ",
        "*a",
        "!!str ",
        "# ",
        "---\n",
        "é",
        "PLANTEDword",
        "PLANTEDword@x",
        "access",
        "? ",
        "1",
        "\t",
    ]);
    prop::collection::vec(piece, 1..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// A word that stands in no fixed list is never shown, whatever the shape of the file, except as the
    /// value of a harmless key, which the pieces cannot give its form.
    #[test]
    fn a_planted_word_is_never_shown(text in planted()) {
        let text = text.replace("PLANTEDword", "Plänted word@");
        if let Ok(documents) = yaml::parse(text.as_bytes()) {
            let mask = Mask::new(&text, &documents);
            for n in 0..=lines(&text).len() + 1 {
                let line = mask.line(n).unwrap_or_default();
                prop_assert!(!line.contains("Pl") && !line.contains("word"), "{line:?} of {text:?}");
            }
        }
    }

    /// The same for values of block scalars and strings of JSON, in their right places.
    #[test]
    fn identity_values_are_never_shown(value in "[a-zA-Z0-9 :#@'\"\\\\\\[\\]{},-]{1,24}", style in 0..4_usize) {
        let quoted = serde_json::to_string(&value).unwrap();
        let text = match style {
            0 => format!("spec:\n  users:\n    - userIDs:\n        - namespace: a\n          value: {quoted}\n"),
            1 => format!("spec:\n  users:\n    - userIDs: [{{namespace: a, value: {quoted}}}, {{value: {quoted}, name: {quoted}}}]\n"),
            2 => format!("spec:\n  users:\n    - userIDs:\n        - value: |-\n            x{value}\n"),
            _ => format!("{{\"users\": [{{\"userIDs\": [{{\"value\": {quoted}}}]}}]}}\n"),
        };
        let documents = yaml::parse(text.as_bytes()).unwrap();
        let mask = Mask::new(&text, &documents);
        let letters: String = value.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        let keys = ["spec", "users", "userIDs", "namespace", "value", "name"];
        for n in 1..=lines(&text).len() {
            let mut line = mask.line(n).unwrap();
            for key in keys {
                line = line.replace(key, "");
            }
            prop_assert!(!line.contains(|c: char| c.is_alphanumeric()), "{line:?} shows of {letters:?}");
        }
    }
}

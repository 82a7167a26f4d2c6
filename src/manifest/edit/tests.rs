#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;

/// The marks of every scalar (not key) with that text.
fn marks(file: &SourceFile, text: &str) -> Vec<Mark> {
    fn walk(node: &Node, text: &str, found: &mut Vec<Mark>) {
        match &node.kind {
            Kind::Null => {}
            Kind::Scalar(scalar) if scalar.text.expose() == text => found.push(node.at),
            Kind::Scalar(_) => {}
            Kind::List(items) => items.iter().for_each(|item| walk(item, text, found)),
            Kind::Map(entries) => entries.iter().for_each(|e| walk(&e.value, text, found)),
        }
    }
    let mut found = Vec::new();
    for document in documents(&file.bytes, file.ending() == "json").unwrap() {
        walk(&document, text, &mut found);
    }
    found
}

fn file(name: &str, text: &str) -> SourceFile {
    SourceFile { path: name.to_owned(), bytes: text.as_bytes().to_vec() }
}

/// Replaces every scalar that says `old` by `NEW:1`.
fn replaced(file: &SourceFile, old: &str) -> Result<String, EditError> {
    let edits: Vec<Edit> =
        marks(file, old).into_iter().map(|at| Edit { at, text: "NEW:1".to_owned() }).collect();
    assert!(!edits.is_empty(), "nothing says {old}");
    replace(file, &edits).map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn every_way_to_write_a_scalar() {
    let yaml = [
        ("v: old # c\n", "v: NEW:1 # c\n"),
        ("v:   'old'  \n", "v:   'NEW:1'  \n"),
        ("v: \"old\"", "v: \"NEW:1\""),
        ("v: \"o\\x6cd\" # é\n", "v: \"NEW:1\" # é\n"),
        ("é: {x: é, v: old, w: [old, 1]}\n", "é: {x: é, v: NEW:1, w: [NEW:1, 1]}\n"),
        ("- old\n- b\n", "- NEW:1\n- b\n"),
        ("v: !!str old\nw: 1\n", "v: !!str NEW:1\nw: 1\n"),
        ("v: &a old\nw: 1\n", "v: &a NEW:1\nw: 1\n"),
        ("v: |-\n  old\nw: 1\n", "v: |-\n  NEW:1\nw: 1\n"),
        ("v: >- # why\n  old\n\n\nw: 1\n", "v: >- # why\n  NEW:1\n\n\nw: 1\n"),
        ("v: !!str |-\n  old\n", "v: !!str |-\n  NEW:1\n"),
        ("\u{feff}v: old\r\nw: x\r\n", "\u{feff}v: NEW:1\r\nw: x\r\n"),
        (
            "a: 1\n---\n# c\nv: old\n...\n---\nv: old\n",
            "a: 1\n---\n# c\nv: NEW:1\n...\n---\nv: NEW:1\n",
        ),
        ("v:\n  old\nw: 1", "v:\n  NEW:1\nw: 1"),
        ("? v\n: old\n", "? v\n: NEW:1\n"),
    ];
    for (before, after) in yaml {
        assert_eq!(replaced(&file("r.yaml", before), "old").unwrap(), after, "{before}");
    }
    let json = [
        ("{\"v\": \"old\", \"é\": [ \"old\" ]}", "{\"v\": \"NEW:1\", \"é\": [ \"NEW:1\" ]}"),
        ("\u{feff}[\r\n\t\"\\u006fld\"\r\n]", "\u{feff}[\r\n\t\"NEW:1\"\r\n]"),
    ];
    for (before, after) in json {
        assert_eq!(replaced(&file("r.json", before), "old").unwrap(), after, "{before}");
    }
    assert_eq!(replaced(&file("r.json", "{\"v\":1.50}"), "1.50").unwrap(), "{\"v\":\"NEW:1\"}");
    assert_eq!(replaced(&file("r.yaml", "v: 1.50\n"), "1.50").unwrap(), "v: NEW:1\n");
    let two_lines = file("r.yaml", "v: \"two\n  lines\"\nw: two\n  lines\n");
    assert_eq!(replaced(&two_lines, "two lines").unwrap(), "v: \"NEW:1\"\nw: NEW:1\n");
}

#[test]
fn keys_are_replaced_too() {
    for (name, before, after) in [
        ("r.yaml", "a: {value: x}\n", "a: {digest: x}\n"),
        ("r.yaml", "- \"value\": x\n", "- \"digest\": x\n"),
        ("r.json", "[{ \"value\" : 1 }]", "[{ \"digest\" : 1 }]"),
    ] {
        let file = file(name, before);
        fn key(node: &Node) -> Option<Mark> {
            match &node.kind {
                Kind::List(items) => items.iter().find_map(key),
                Kind::Map(entries) => entries
                    .iter()
                    .find_map(|e| if e.key == "value" { Some(e.at) } else { key(&e.value) }),
                _ => None,
            }
        }
        let at = documents(&file.bytes, name == "r.json").unwrap().iter().find_map(key).unwrap();
        let bytes = replace(&file, &[Edit { at, text: "digest".to_owned() }]).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), after);
    }
}

#[test]
fn what_an_anchor_shares_with_others_is_not_touched() {
    let file = file("r.yaml", "v: &a old\nw: *a\nkey: *a\n");
    let marks = marks(&file, "old");
    let edit = |text: &str| Edit { at: marks[0], text: text.to_owned() };
    // All three uses are meant.
    let bytes = replace(&file, &[edit("NEW"), edit("NEW"), edit("NEW")]).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), "v: &a NEW\nw: *a\nkey: *a\n");
    assert_eq!(replace(&file, &[edit("NEW"), edit("NEW")]), Err(EditError::Shared { line: 1 }));
    assert_eq!(
        replace(&file, &[edit("A"), edit("B"), edit("A")]),
        Err(EditError::Shared { line: 1 })
    );
}

#[test]
fn what_would_say_something_else_is_refused() {
    let yaml = file("r.yaml", "v: old\n");
    let at = marks(&yaml, "old")[0];
    for text in ["a b", "x: y", "\"", "é", "a\nb", "#"] {
        let edit = Edit { at, text: text.to_owned() };
        assert_eq!(replace(&yaml, &[edit]), Err(EditError::NotSafe { line: 1 }), "{text}");
    }
    let nowhere = Edit { at: Mark { line: 7, column: 1, length: 1 }, text: "x".to_owned() };
    assert_eq!(replace(&yaml, &[nowhere]), Err(EditError::NotSafe { line: 7 }));
    // Of this one the line break behind the value is a part of it.
    assert_eq!(
        replaced(&file("r.yaml", "v: |\n  old\n"), "old\n"),
        Err(EditError::NotSafe { line: 2 })
    );
    assert_eq!(replace(&file("r.yaml", "a: [\n"), &[]), Err(EditError::Unreadable));
    assert_eq!(replace(&file("r.json", "{,}"), &[]), Err(EditError::Unreadable));
}

/// Any value as JSON, pretty or not.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        4 => Just(serde_json::Value::from("old")),
        2 => "[ -~é\n]{0,8}".prop_map(serde_json::Value::from),
        1 => any::<i32>().prop_map(serde_json::Value::from),
        1 => Just(serde_json::Value::Null),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map("[a-zé]{1,4}", inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// JSON is YAML, too: in both, the bytes around the scalars stay.
    #[test]
    fn bytes_outside_stay(value in value(), pretty in any::<bool>(), json in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let text = text.unwrap();
        let file = file(if json { "r.json" } else { "r.yaml" }, &text);
        prop_assume!(documents(&file.bytes, json).is_some());
        let edits: Vec<Edit> =
            marks(&file, "old").into_iter().map(|at| Edit { at, text: "NEW:1".to_owned() }).collect();
        let bytes = replace(&file, &edits).unwrap();
        // "old" stands in no other text of these values but whole ones: it is never a key.
        let expected = text.replace("\"old\"", "\"NEW:1\"");
        prop_assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }
}

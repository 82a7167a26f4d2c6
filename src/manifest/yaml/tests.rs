#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;
use crate::manifest::codes::files::{SYNTAX, UNSUPPORTED_YAML};

/// A tree as short text: `"quoted"`, plain, `~`, `[…]`, `{key: …}`.
fn shown(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "~".to_owned(),
        Kind::Scalar(s) if s.quoted => format!("{:?}", s.text.expose()),
        Kind::Scalar(s) => s.text.expose().clone(),
        Kind::List(items) => {
            format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        Kind::Map(entries) => {
            let entry = |e: &Entry| format!("{}: {}", e.key, shown(&e.value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}

fn one(text: &str) -> String {
    let documents = parse(text.as_bytes()).expect("valid");
    assert_eq!(documents.len(), 1, "{text}");
    shown(&documents[0])
}

fn fault(text: &str) -> Fault {
    parse(text.as_bytes()).expect_err("a fault")
}

#[test]
fn plain_scalars_keep_their_text() {
    let list = "[007, 1.50, 2026-11-20, 0x1F, yes, 1e3, .inf, true, 1_000]";
    assert_eq!(one(list), list);
    assert_eq!(one("['007', \"a\\tb\", 'it''s']"), "[\"007\", \"a\\tb\", \"it's\"]");
    assert_eq!(
        one("- !!str 12\n- !!str null\n- |\n  a\n  b\n"),
        "[\"12\", \"null\", \"a\\nb\\n\"]"
    );
}

#[test]
fn nothing_is_null_unless_quoted() {
    assert_eq!(
        one("{a: , b: ~, c: null, d: 'null', e: \"\"}"),
        "{a: ~, b: ~, c: ~, d: \"null\", e: \"\"}"
    );
    assert_eq!(one("null: 1"), "{null: 1}");
}

#[test]
fn duplicate_keys_are_all_there_with_their_places() {
    let documents = parse(b"a: 1\nb: 2\n'a': 3\n").unwrap();
    let Kind::Map(entries) = &documents[0].kind else { panic!("a mapping") };
    let places: Vec<_> = entries.iter().map(|e| (e.key.as_str(), e.at.line, e.at.column)).collect();
    assert_eq!(places, [("a", 1, 1), ("b", 2, 1), ("a", 3, 1)]);
}

#[test]
fn columns_count_characters() {
    for text in ["é: {ключ: väl}\n", "\u{feff}é: {ключ: väl}\n", "é: {ключ: väl}\r\n"]
    {
        let documents = parse(text.as_bytes()).unwrap();
        let Kind::Map(outer) = &documents[0].kind else { panic!("a mapping") };
        let Kind::Map(inner) = &outer[0].value.kind else { panic!("a mapping") };
        assert_eq!(inner[0].at, Mark { line: 1, column: 5, length: 4 });
        assert_eq!(inner[0].value.at, Mark { line: 1, column: 11, length: 3 });
    }
}

#[test]
fn line_breaks_of_every_kind_count_once() {
    for text in ["a: 1\nb: 2\nc: 3", "a: 1\r\nb: 2\r\nc: 3", "a: 1\rb: 2\rc: 3"] {
        let documents = parse(text.as_bytes()).unwrap();
        let Kind::Map(entries) = &documents[0].kind else { panic!("a mapping") };
        assert_eq!(entries[2].at.line, 3, "{text:?}");
    }
}

#[test]
fn a_file_holds_several_documents() {
    let documents = parse(b"# first\n---\na: 1\n---\n---\n# nothing\n---\nb: 2\n...\n").unwrap();
    assert_eq!(documents.iter().map(shown).collect::<Vec<_>>(), ["{a: 1}", "{b: 2}"]);
    assert_eq!(documents[1].at.line, 8);
    assert!(parse(b"").unwrap().is_empty());
    assert!(parse(b"# only a comment\n").unwrap().is_empty());
}

#[test]
fn aliases_repeat_their_anchor() {
    assert_eq!(one("a: &x [1, 2]\nb: *x\n"), "{a: [1, 2], b: [1, 2]}");
    assert_eq!(fault("a: *x\n").code, UNSUPPORTED_YAML);
    assert_eq!(fault("a: &x [*x]\n").code, UNSUPPORTED_YAML);
    // Anchors do not reach into the next document.
    assert_eq!(fault("a: &x 1\n---\nb: *x\n").code, UNSUPPORTED_YAML);
}

#[test]
fn what_readers_disagree_on_is_refused() {
    for text in [
        "<<: {a: 1}\n",
        "a: !secret x\n",
        "a: !!binary aGk=\n",
        "? [a, b]\n: 1\n",
        "? {a: b}\n: 1\n",
        "a: &k x\n*k : 1\n",
        "!!str a: 1\n",
        "a: !!map {b: 1}\n",
    ] {
        assert_eq!(fault(text).code, UNSUPPORTED_YAML, "{text}");
    }
}

#[test]
fn faults_say_where_and_never_what() {
    let found = fault("a: 1\nb: [john@mail.com, 'x\n");
    assert_eq!((found.code, found.at.line > 1), (SYNTAX, true));
    let all = format!("{found:?}");
    assert!(!all.contains("john"), "{all}");
    let tab = fault("a:\n\tb: 1\n");
    assert_eq!((tab.at.line, tab.help), (2, "indent with spaces"));
}

#[test]
fn bytes_that_are_no_text_are_found() {
    let found = parse(b"a: 1\nb: \xff\n").unwrap_err();
    assert_eq!((found.code, found.at.line, found.at.column), (NOT_UTF8, 2, 4));
    let found = parse("é: 1\nбб: \0 hold: never read\n".as_bytes()).unwrap_err();
    assert_eq!((found.code, found.at.line, found.at.column), (FORBIDDEN_CHARACTER, 2, 5));
    assert_eq!(parse(b"\xff\xfea\0:\0").unwrap_err().code, NOT_UTF8);
}

#[test]
fn hostile_files_end_soon() {
    let large = |text: String| assert_eq!(parse(text.as_bytes()).unwrap_err().code, TOO_LARGE);
    large("x".repeat(MAX_BYTES + 1));
    large("[".repeat(100_000));
    large("- ".repeat(100_000));
    large("---\na: 1\n".repeat(1001));
    large(format!("[{}]", "1,".repeat(MAX_NODES)));
    let mut laughs = "a0: &a0 [x, x]\n".to_owned();
    for i in 1..40 {
        laughs.push_str(&format!("a{i}: &a{i} [*a{0}, *a{0}]\n", i - 1));
    }
    large(laughs);
    large(format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a,".repeat(1000)));
}

#[test]
fn long_files_are_read_in_linear_time() {
    for unit in [
        "a: ", "? ", "- a\n", "&a ", "{a: ", "'", "a\n", "a: 1\n", "# c\n", "\n", "%a\n", "!a ",
        "|\n", "x ",
    ] {
        let text = unit.repeat((1 << 20) / unit.len());
        let start = std::time::Instant::now();
        let _ = parse(text.as_bytes());
        assert!(start.elapsed().as_secs() < 20, "{unit:?} took {:?}", start.elapsed());
    }
}

const VALID: &str = "apiVersion: amparo/v1\nkind: Dataset\nmetadata: {name: web-events}\nspec:\n  product: analytics\n  \
    fields:\n    - {path: email, namespace: 'email address', labels: [I1, ID-PERSON]}\n    - path: [a.b, c]\n      \
    erase: &e {method: \"null\"}\n    - {path: x, erase: *e, reason: |-\n        why }\n---\nkind: Hold\n";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn yaml_like_text_never_panics(text in "[-a:\\[\\]{},&*!|>'\"%#?~@` \n\r\t0é\u{feff}\\\\]{0,80}") {
        let _ = parse(text.as_bytes());
    }

    #[test]
    fn mutated_documents_never_panic(
        cuts in proptest::collection::vec((0..VALID.len(), 0..6_usize, "[-:\\[\\]{}&*!|>'\"#,\n\t a\0]{0,4}"), 1..5)
    ) {
        let mut bytes = VALID.as_bytes().to_vec();
        for (at, length, put) in cuts {
            let at = at.min(bytes.len());
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, put.bytes());
        }
        if let Ok(documents) = parse(&bytes) {
            let lines = crate::manifest::source::lines(std::str::from_utf8(&bytes).unwrap()).len();
            for document in documents {
                prop_assert!(document.at.line >= 1 && document.at.line <= lines);
            }
        }
    }

    #[test]
    fn quoted_text_comes_back(text in "[ -~é\u{85}\u{2028}\t]{1,40}") {
        let quoted = format!("'{}'", text.replace('\'', "''"));
        let documents = parse(format!("k: {quoted}\n").as_bytes()).unwrap();
        let Kind::Map(entries) = &documents[0].kind else { panic!("a mapping") };
        let Kind::Scalar(scalar) = &entries[0].value.kind else { panic!("a scalar") };
        prop_assert_eq!(scalar.text.expose(), &text);
    }
}

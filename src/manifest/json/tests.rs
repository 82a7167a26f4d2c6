#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;
use crate::manifest::tree::Kind;

/// A text and (line, column, kind) of each of its faults.
type Case = (&'static str, &'static [(usize, usize, FaultKind)]);

/// (line, column, kind) of each fault.
fn faults(text: &str) -> Vec<(usize, usize, FaultKind)> {
    parse(text.as_bytes()).faults.iter().map(|f| (f.at.line, f.at.column, f.kind)).collect()
}

/// The tree as serde_json's value; duplicate keys do not occur in it.
fn value(node: &Node) -> serde_json::Value {
    match &node.kind {
        Kind::Null => serde_json::Value::Null,
        Kind::Scalar(scalar) if scalar.quoted => scalar.text.expose().clone().into(),
        Kind::Scalar(scalar) => serde_json::from_str(scalar.text.expose()).unwrap(),
        Kind::List(list) => list.iter().map(value).collect(),
        Kind::Map(map) => map.iter().map(|e| (e.key.clone(), value(&e.value))).collect(),
    }
}

#[test]
fn published_sample_has_five_faults() {
    let sample =
        include_bytes!("../../../tests/manifest_invalid/requests/AMP0701-adobe-published.json");
    let found: Vec<_> =
        parse(sample).faults.iter().map(|f| (f.at.line, f.at.column, f.kind)).collect();
    let expected = [
        (15, 34, FaultKind::CommaForColon),
        (18, 65, FaultKind::TrailingCommaInObject),
        (31, 70, FaultKind::TrailingCommaInObject),
        (43, 45, FaultKind::TrailingCommaInObject),
        (49, 45, FaultKind::TrailingCommaInObject),
    ];
    assert_eq!(found, expected);
    for (line, column, _) in expected {
        let text = std::str::from_utf8(sample).unwrap().lines().nth(line - 1).unwrap();
        assert_eq!(text.chars().nth(column - 1), Some(','), "line {line}");
    }
}

#[test]
fn mended_tree_of_the_published_sample_is_the_repaired_one() {
    let broken =
        include_bytes!("../../../tests/manifest_invalid/requests/AMP0701-adobe-published.json");
    let repaired = include_bytes!("../../../tests/manifest_valid/requests/adobe-repaired.json");
    let repaired = parse(repaired);
    assert_eq!(repaired.faults, []);
    assert_eq!(value(&parse(broken).root.unwrap()), value(&repaired.root.unwrap()));
}

#[test]
fn one_fault_each_where_it_stands() {
    use FaultKind::*;
    let cases: &[Case] = &[
        ("", &[(1, 1, Empty)]),
        (" \n ", &[(2, 2, Empty)]),
        ("\u{feff}[1, 2]", &[]),
        ("\u{feff}[1, 2,]", &[(1, 6, TrailingCommaInArray)]),
        (r#"{"a": 1 "b": 2}"#, &[(1, 9, MissingComma)]),
        (r#"["ä", "b" "c"]"#, &[(1, 11, MissingComma)]),
        (r#"{"a" 1}"#, &[(1, 6, MissingColon)]),
        (r#"{"a" = 1, "b" => 2}"#, &[(1, 6, WrongColon), (1, 15, WrongColon)]),
        (r#"{"a", "b": 1}"#, &[(1, 2, MissingValue)]),
        (r#"{"a", "b", "c": 1}"#, &[(1, 5, CommaForColon)]),
        (r#"{"a", {"b": 1}}"#, &[(1, 5, CommaForColon)]),
        (r#"{"a":, "b": 1}"#, &[(1, 2, MissingValue)]),
        (r#"{"a": }"#, &[(1, 2, MissingValue)]),
        (r#"{"a"}"#, &[(1, 2, MissingValue)]),
        (r#"{"a":: 1}"#, &[(1, 6, ExtraColon)]),
        (r#"{"a": 1; "b": 2}"#, &[(1, 8, WrongSeparator)]),
        (r#"{"a": 1,, "b": 2}"#, &[(1, 9, ExtraComma)]),
        (r#"{, "a": 1}"#, &[(1, 2, ExtraComma)]),
        (r#"{a: 1}"#, &[(1, 2, UnquotedKey)]),
        (r#"{'a': 'b'}"#, &[(1, 2, WrongQuotes), (1, 7, WrongQuotes)]),
        ("{\u{201c}a\u{201d}: 1}", &[(1, 2, WrongQuotes)]),
        (r#"{"a": b}"#, &[(1, 7, UnquotedText)]),
        (r#"{"a": b"}"#, &[(1, 7, MissingOpeningQuote)]),
        (r#"{a": 1}"#, &[(1, 2, MissingOpeningQuote)]),
        (r#"[True, None]"#, &[(1, 2, ForeignLiteral), (1, 8, ForeignLiteral)]),
        (r#"[NaN, -Infinity]"#, &[(1, 2, NotANumber), (1, 7, NotANumber)]),
        (r#"[01, +1]"#, &[(1, 2, NumberForm), (1, 6, NumberForm)]),
        (r#"[.5, 1., 0x1F]"#, &[(1, 2, NumberForm), (1, 6, NumberForm), (1, 10, NumberForm)]),
        ("{\"a\": \"b,\n\"c\": 1}", &[(1, 7, UnterminatedString)]),
        ("{\"a\": \"b\n}", &[(1, 7, UnterminatedString)]),
        ("[\"a\\x\"]", &[(1, 4, BadEscape)]),
        ("[\"a\\u12G4\"]", &[(1, 4, BadEscape)]),
        ("[\"\\ud800\"]", &[(1, 3, LoneSurrogate)]),
        ("[\"\\udc00\\ud800x\"]", &[(1, 3, LoneSurrogate), (1, 9, LoneSurrogate)]),
        ("[\"a\tb\"]", &[(1, 4, ControlCharacter)]),
        ("[1, // one\n2]", &[(1, 5, Comment)]),
        ("[1, /* one\n */ 2 # x\n]", &[(1, 5, Comment), (2, 7, Comment)]),
        ("[1] /* x", &[(1, 5, UnterminatedComment)]),
        ("[1\u{a0}]", &[(1, 3, StrayCharacter)]),
        (r#"{"a": [1, 2}"#, &[(1, 12, BraceForBracket)]),
        (r#"{"a": [1, 2}, "b": 1}"#, &[(1, 12, BraceForBracket)]),
        (r#"{"a": [1, 2}}"#, &[(1, 12, BraceForBracket)]),
        (r#"[{"a": 1], {"a": 2}]"#, &[(1, 9, BracketForBrace)]),
        (r#"{"u": [{"a": 1], "b": 2}"#, &[(1, 15, BracketForBrace)]),
        (r#"{"a": 1"#, &[(1, 1, UnclosedObject)]),
        (r#"{"a": [1"#, &[(1, 1, UnclosedObject), (1, 7, UnclosedArray)]),
        (r#"{"a": 1}}"#, &[(1, 9, ClosedTwice)]),
        (r#"{"a": 1} {"b": 2}"#, &[(1, 10, AfterTheEnd)]),
        (r#"["a": 1]"#, &[(1, 5, ColonInArray)]),
        (r#"{"a": 1, 2}"#, &[(1, 10, NotAKey)]),
        (r#"{{"a": 1}}"#, &[(1, 2, NotAKey)]),
    ];
    for (text, expected) in cases {
        assert_eq!(faults(text), *expected, "{text}");
    }
}

#[test]
fn encodings() {
    let kinds = |bytes: &[u8]| -> Vec<_> { parse(bytes).faults.iter().map(|f| f.kind).collect() };
    assert_eq!(kinds(b"\xff\xfe{\0}\0"), [FaultKind::Utf16]);
    assert_eq!(kinds(b"\xef\xbb\xbf{}"), []);
    let latin = parse(b"{\n  \"\xe4\": \"a\xfcb\"}");
    let marks: Vec<_> = latin.faults.iter().map(|f| (f.kind, f.at.line, f.at.column)).collect();
    assert_eq!(marks, [(FaultKind::NotUtf8, 2, 4), (FaultKind::NotUtf8, 2, 10)]);
}

#[test]
fn duplicate_keys_are_all_there() {
    let Kind::Map(entries) = parse(br#"{"a": 1, "b": 2, "a": 3}"#).root.unwrap().kind else {
        panic!("no object")
    };
    assert_eq!(entries.iter().map(|e| e.key.as_str()).collect::<Vec<_>>(), ["a", "b", "a"]);
    assert_eq!(entries[2].at, crate::manifest::tree::Mark { line: 1, column: 18, length: 3 });
}

#[test]
fn budgets_hold() {
    let only =
        |text: String| parse(text.as_bytes()).faults.iter().map(|f| f.kind).collect::<Vec<_>>();
    assert_eq!(only(format!("{}{}", "[".repeat(64), "]".repeat(64))), []);
    assert_eq!(only("[".repeat(200_000)).last(), Some(&FaultKind::TooDeep));
    assert_eq!(only(format!("[{}0]", "0,".repeat(400_001))), [FaultKind::TooManyValues]);
    assert_eq!(only(" ".repeat(MAX_BYTES + 1)), [FaultKind::TooLarge]);
    let many = only(format!("[{}0]", "a,".repeat(60)));
    assert_eq!(many.len(), MAX_FAULTS + 1);
    assert_eq!(many.last(), Some(&FaultKind::More));
    for torture in ["{\"a\":", "[\"", "{,", "/*", "'\\", "a\"", "\"\n", "}", "\u{201c}", "[}"] {
        let text = torture.repeat(300_000);
        let started = std::time::Instant::now();
        assert!(!parse(text.as_bytes()).faults.is_empty());
        assert!(started.elapsed().as_secs() < 10, "{torture}");
    }
}

#[test]
fn fault_texts_are_fragments() {
    let fault = Fault::at_start(FaultKind::CommaForColon);
    assert!(fault.message().starts_with("found ") && fault.help().starts_with("write "));
    assert!(FaultKind::TooLarge.texts_name_limits());
}

impl FaultKind {
    /// The limits stand in the texts by hand; this holds them together.
    fn texts_name_limits(self) -> bool {
        let message = |kind| Fault::at_start(kind).message();
        message(Self::TooLarge).contains(&format!("{} MiB", MAX_BYTES / 1024 / 1024))
            && message(Self::TooDeep).contains(&MAX_DEPTH.to_string())
            && message(Self::TooManyValues).contains("400,000")
            && MAX_VALUES == 400_000
            && message(Self::More).contains(&MAX_FAULTS.to_string())
    }
}

/// JSON values, at most a few levels deep.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_filter_map("finite", |f| serde_json::Number::from_f64(f).map(Into::into)),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

/// Pieces that JSON texts, and broken ones, are made of.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"a\"",
        "\"",
        "'",
        "1",
        "-",
        "0",
        ".5",
        "e1",
        "true",
        "null",
        "x",
        " ",
        "\n",
        "\\",
        "\\u",
        "d800",
        "\"\\ud83d\\ude00\"",
        "//",
        "/*",
        "*/",
        "#",
        ";",
        "=",
        "\u{201c}",
        "\u{feff}",
        "\t",
        "é",
        "\u{0}",
        "NaN",
        "{\"k\": ",
        "[1, 2",
        "\"b\": ",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Valid texts with a few characters taken out, doubled or replaced.
fn damaged() -> impl Strategy<Value = String> {
    let cuts = prop::collection::vec((any::<prop::sample::Index>(), 0..6_u8), 1..4);
    (json(), cuts).prop_map(|(value, cuts)| {
        let mut text: Vec<char> = serde_json::to_string_pretty(&value).unwrap().chars().collect();
        for (index, how) in cuts {
            if text.is_empty() {
                break;
            }
            let i = index.index(text.len());
            match how {
                0 => drop(text.remove(i)),
                1 => text.insert(i, text[i]),
                2 => text[i] = ',',
                3 => text[i] = '"',
                4 => text[i] = '}',
                _ => text.truncate(i),
            }
        }
        text.into_iter().collect()
    })
}

fn agrees(text: &str) -> Result<(), TestCaseError> {
    let ours = parse(text.as_bytes());
    let theirs = serde_json::from_str::<serde_json::Value>(without_mark(text));
    match theirs {
        Err(_) => prop_assert!(!ours.faults.is_empty(), "no fault in {text:?}"),
        Ok(theirs) => {
            prop_assert_eq!(&ours.faults, &vec![], "faults in {:?}", text);
            // serde_json keeps the last of duplicate keys, and so does `value`.
            prop_assert_eq!(value(&ours.root.unwrap()), theirs);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn valid_json_gives_its_tree(value in json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        agrees(&text.unwrap())?;
    }

    #[test]
    fn pieces_agree_with_serde_json(text in pieces()) {
        agrees(&text)?;
    }

    #[test]
    fn damaged_texts_agree_with_serde_json(text in damaged()) {
        agrees(&text)?;
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let parsed = parse(&bytes);
        if serde_json::from_slice::<serde_json::Value>(&bytes).is_err() && !bytes.starts_with(b"\xef\xbb\xbf") {
            prop_assert!(!parsed.faults.is_empty());
        }
    }

    #[test]
    fn faults_point_into_the_text(text in damaged()) {
        for fault in parse(text.as_bytes()).faults {
            let line = crate::manifest::source::lines(&text).into_iter().nth(fault.at.line - 1).unwrap();
            prop_assert!((1..=line.chars().count() + 1).contains(&fault.at.column));
        }
    }
}

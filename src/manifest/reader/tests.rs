#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::diagnostic::{Diagnostic, Severity};
use crate::manifest::codes::files::{
    DUPLICATE_KEY, EMPTY, MALFORMED, MISSING_KEY, TOO_MANY, UNKNOWN_KEY, WRONG_TYPE,
};
use crate::manifest::source::SourceKind;
use crate::manifest::tree::Node;
use crate::manifest::yaml;

fn document(text: &str) -> Node {
    yaml::parse(text.as_bytes()).unwrap().remove(0)
}

/// The codes and marks that reading brings about.
fn codes(diagnostics: &[Diagnostic]) -> Vec<(&'static str, usize, usize)> {
    diagnostics.iter().map(|d| (d.code.id, d.position.line, d.position.column)).collect()
}

#[test]
fn near_words_are_found_and_far_ones_are_not() {
    let words = ["expandIds", "deleteMethod", "include", "users"];
    assert_eq!(did_you_mean("expandIDS", &words), Some("expandIds"));
    assert_eq!(did_you_mean("expand_ids", &words), Some("expandIds"));
    assert_eq!(did_you_mean("inlcude", &words), Some("include"));
    assert_eq!(did_you_mean("deletMethode", &words), Some("deleteMethod"));
    assert_eq!(did_you_mean("zzz", &words), None);
    assert_eq!(did_you_mean("", &words), None);
    assert_eq!(alternatives(&["a", "b", "c"]), "a, b or c");
}

#[test]
fn every_type_is_read() {
    let text =
        "t: 007\nf: TRUE\nn: 12\nd: 2027-07-01\nq: '2028-02-29'\nl: [a, 1]\nc: rows\nm: {x: 1}\n";
    let node = document(text);
    let mut report = Report::policy("p.yaml", text);
    let mut fields = Fields::open(&mut report, &node, "it").unwrap();
    assert_eq!(fields.required_text(&mut report, "t").unwrap().text, "007");
    assert_eq!(fields.flag(&mut report, "f"), Some(true));
    assert_eq!(fields.integer(&mut report, "n", 0..=12), Some(12));
    assert_eq!(fields.date(&mut report, "d").unwrap().to_string(), "2027-07-01");
    assert_eq!(fields.date(&mut report, "q").unwrap().to_string(), "2028-02-29");
    let list: Vec<&str> =
        fields.texts(&mut report, "l").unwrap().iter().map(|item| item.text).collect();
    assert_eq!(list, ["a", "1"]);
    assert_eq!(fields.choice(&mut report, "c", &[("fields", 1), ("rows", 2)]), Some(2));
    let mut below = fields.nested(&mut report, "m").unwrap();
    assert_eq!(below.get("x").unwrap().at.column, 8);
    below.finish(&mut report);
    fields.finish(&mut report);
    assert_eq!(codes(&report.into_diagnostics()), []);
}

#[test]
fn everything_wrong_is_reported_at_once() {
    let text = "t: {a: 1}\nf: yes\nn: 13\nd: 2027-2-1\nd: x\nl: a\nempty: ''\nextra: 1\n";
    let node = document(text);
    let mut report = Report::policy("p.yaml", text);
    let mut fields = Fields::open(&mut report, &node, "it").unwrap();
    assert!(fields.text(&mut report, "t").is_none());
    assert!(fields.flag(&mut report, "f").is_none());
    assert!(fields.integer(&mut report, "n", 0..=12).is_none());
    assert!(fields.date(&mut report, "d").is_none());
    assert!(fields.texts(&mut report, "l").is_none());
    assert!(fields.text(&mut report, "empty").is_none());
    assert!(fields.required(&mut report, "gone").is_none());
    fields.finish(&mut report);
    assert_eq!(report.errors(), 9);
    let mut found = codes(&report.into_diagnostics());
    found.sort_by_key(|(_, line, column)| (*line, *column));
    assert_eq!(
        found,
        [
            (MISSING_KEY.id, 1, 1),
            (WRONG_TYPE.id, 1, 4),
            (WRONG_TYPE.id, 2, 4),
            (MALFORMED.id, 3, 4),
            (MALFORMED.id, 4, 4),
            (DUPLICATE_KEY.id, 5, 1),
            (WRONG_TYPE.id, 6, 4),
            (EMPTY.id, 7, 8),
            (UNKNOWN_KEY.id, 8, 1),
        ]
    );
}

#[test]
fn two_spellings_of_one_key_are_a_duplicate() {
    let text = "expandIds: true\nexpandIDs: false\n";
    let node = document(text);
    let mut report = Report::policy("p.yaml", text);
    let mut fields = Fields::open(&mut report, &node, "it").unwrap();
    assert_eq!(fields.get_either("expandIds", "expandIDs").unwrap().at.line, 1);
    fields.finish(&mut report);
    assert_eq!(codes(&report.into_diagnostics()), [(DUPLICATE_KEY.id, 2, 1)]);
}

#[test]
fn a_request_is_never_quoted() {
    let text = "john@mail.com: 1\njohn@mail.com: 2\nregulation: john@mail.com\nreceivedAt: john@mail.com\n";
    let node = document(text);
    let mut report = Report::request("r.yaml", |_| Some("***".to_owned()));
    let mut fields = Fields::open(&mut report, &node, "it").unwrap();
    let _ = fields.choice(&mut report, "regulation", &[("john", 1)]);
    let _ = fields.date(&mut report, "receivedAt");
    fields.finish(&mut report);
    let diagnostics = report.into_diagnostics();
    assert_eq!(diagnostics.len(), 5);
    assert!(!format!("{diagnostics:?}").contains("mail.com"), "{diagnostics:?}");
}

#[test]
fn of_a_hidden_file_no_line_is_shown() {
    let mut report = Report::hidden("r.yaml", SourceKind::Request);
    report.error(EMPTY, Default::default(), "tab\there");
    let diagnostics = report.into_diagnostics();
    assert_eq!(
        (diagnostics[0].source.as_ref(), diagnostics[0].message.as_str()),
        (None, "tab here")
    );
}

#[test]
fn a_hostile_file_does_not_fill_the_memory() {
    let text = format!("{{{}}}", (0..5000).map(|i| format!("k{i}: 1, ")).collect::<String>());
    let node = document(&text);
    let mut report = Report::policy("p.yaml", &text).tolerating_unknown_keys();
    Fields::open(&mut report, &node, "it").unwrap().finish(&mut report);
    report.error(EMPTY, node.at, "an error behind thousands of warnings");
    assert_eq!(report.errors(), 1);
    let diagnostics = report.into_diagnostics();
    assert_eq!(diagnostics.len(), 2001);
    assert!(diagnostics.iter().all(|d| d.source.is_none()), "the line is too long to show");
    let last = diagnostics.last().unwrap();
    assert_eq!((last.code, last.severity), (TOO_MANY, Severity::Error));
}

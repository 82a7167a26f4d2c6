//! Values of one type each.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use jiff::civil::Date;

use super::Report;
use super::words::alternatives;
use crate::manifest::codes::files::{DUPLICATE_KEY, EMPTY, MALFORMED, NOT_ONE_OF, WRONG_TYPE};
use crate::manifest::tree::{Entry, Kind, Mark, Node};

/// A text and where it stands. An unquoted number or boolean is text as written.
#[derive(Clone, Copy)]
pub struct Text<'n> {
    /// The text; it may identify a person where it comes from a request.
    pub text: &'n str,
    /// Where it starts.
    pub at: Mark,
    /// Whether it was quoted.
    pub quoted: bool,
}

/// A text that is not empty.
pub fn text<'n>(report: &mut Report<'_>, node: &'n Node, what: &str) -> Option<Text<'n>> {
    let Kind::Scalar(scalar) = &node.kind else {
        wrong_type(report, node, what, "text");
        return None;
    };
    let text = scalar.text.expose().as_str();
    if text.is_empty() {
        report
            .error(EMPTY, node.at, format!("{what} is empty"))
            .help("write what is meant, or remove the key");
        return None;
    }
    Some(Text { text, at: node.at, quoted: scalar.quoted })
}

/// `true` or `false`, not quoted.
pub fn flag(report: &mut Report<'_>, node: &Node, what: &str) -> Option<bool> {
    let found = match &node.kind {
        Kind::Scalar(scalar) if !scalar.quoted => match scalar.text.expose().as_str() {
            "true" | "True" | "TRUE" => Some(true),
            "false" | "False" | "FALSE" => Some(false),
            _ => None,
        },
        _ => None,
    };
    if found.is_none() {
        report
            .error(WRONG_TYPE, node.at, format!("{what} is neither true nor false"))
            .help("write true or false, without quotes");
    }
    found
}

/// A whole number in a range, not quoted.
pub fn integer(
    report: &mut Report<'_>,
    node: &Node,
    what: &str,
    range: RangeInclusive<u64>,
) -> Option<u64> {
    let digits = match &node.kind {
        Kind::Scalar(scalar) if !scalar.quoted => Some(scalar.text.expose().as_str()),
        _ => None,
    };
    let Some(digits) = digits.filter(|d| d.bytes().all(|b| b.is_ascii_digit()) && !d.is_empty())
    else {
        wrong_type(report, node, what, "a whole number");
        return None;
    };
    let number = digits.parse().ok().filter(|number| range.contains(number));
    if number.is_none() {
        let (low, high) = range.into_inner();
        let limits =
            if high == u64::MAX { format!("at least {low}") } else { format!("{low} to {high}") };
        report
            .error(MALFORMED, node.at, format!("{what} is out of range"))
            .help(format!("write a whole number, {limits}"));
    }
    number
}

/// A date `YYYY-MM-DD`, quoted or not.
pub fn date(report: &mut Report<'_>, node: &Node, what: &str) -> Option<Date> {
    let found = text(report, node, what)?;
    let date = Some(found.text).filter(|text| text.len() == 10).and_then(|text| text.parse().ok());
    if date.is_none() {
        report
            .error(MALFORMED, node.at, format!("{what} is not a date"))
            .help("write a date of the calendar as YYYY-MM-DD, such as 2027-07-01");
    }
    date
}

/// A list, empty or not.
pub fn list<'n>(report: &mut Report<'_>, node: &'n Node, what: &str) -> Option<&'n [Node]> {
    if let Kind::List(items) = &node.kind {
        return Some(items);
    }
    wrong_type(report, node, what, "a list");
    None
}

/// The entries of a mapping whose keys are the user's own; repeated keys are reported and left out.
pub fn entries<'n>(report: &mut Report<'_>, node: &'n Node, what: &str) -> Option<Vec<&'n Entry>> {
    let Kind::Map(entries) = &node.kind else {
        wrong_type(report, node, what, "a mapping");
        return None;
    };
    let mut first: HashMap<&str, Mark> = HashMap::new();
    let mut kept = Vec::new();
    for entry in entries {
        if let Some(at) = first.get(entry.key.as_str()) {
            report.error(DUPLICATE_KEY, entry.at, format!("a key is there twice in {what}")).help(
                format!("remove one; the first is on line {}, column {}", at.line, at.column),
            );
        } else {
            first.insert(&entry.key, entry.at);
            kept.push(entry);
        }
    }
    Some(kept)
}

/// Reports a word that is none of the alternatives.
pub fn not_one_of(report: &mut Report<'_>, found: Text<'_>, what: &str, words: &[&str]) {
    let message = format!("{} is no {what}", report.quote(found.text));
    let help = match report.suggest(found.text, words) {
        Some(near) => format!("did you mean `{near}`? It takes {}", alternatives(words)),
        None => format!("it takes {}", alternatives(words)),
    };
    report.error(NOT_ONE_OF, found.at, message).help(help);
}

/// Reports a value of the wrong type, without what it is.
pub fn wrong_type(report: &mut Report<'_>, node: &Node, what: &str, wanted: &str) {
    let found = match &node.kind {
        Kind::Scalar(scalar) if scalar.quoted => "quoted text",
        _ => node.describe(),
    };
    report
        .error(WRONG_TYPE, node.at, format!("{what} must be {wanted}, and {found} stands there"))
        .help(match wanted {
            "a mapping" => "write `{key: value}`, or keys below it, indented",
            "a list" => "write `[…]`, or items below it that start with `- `",
            "a whole number" => "write digits, without quotes",
            _ => "write a word or words; quote what YAML would read as something else",
        });
}

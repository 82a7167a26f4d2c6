//! Namespace documents (RULES.md section 2).

use std::collections::BTreeSet;

use regex::{Regex, RegexBuilder};

use super::dataset::refuse_qa_of_hard_coded;
use super::field::namespace_name;
use crate::manifest::codes::namespace::{CASE, PATTERN, REDEFINED, UNANCHORED};
use crate::manifest::envelope::Envelope;
use crate::manifest::reader::{Fields, Report, Text, list, not_one_of, text, wrong_type};
use crate::manifest::tree::{Kind, Mark, Node};
use crate::model::{Expansion, Namespace, Normalize};

/// A namespace and where its name stands.
pub(super) struct NamespaceDoc {
    pub(super) namespace: Namespace,
    pub(super) at: Mark,
}

/// Bytes that a compiled format may take.
const PATTERN_BYTES: usize = 1 << 20;

/// Reads a Namespace. `None` where its name cannot be read or may not be defined.
pub(super) fn read(report: &mut Report<'_>, envelope: &Envelope<'_>) -> Option<NamespaceDoc> {
    let mut spec = Fields::open(report, envelope.spec?, "`spec`")?;
    let name = spec.required_text(report, "namespace");
    let normalize = spec.get("normalize");
    let format = spec.text(report, "format");
    let expansion = spec.choice(
        report,
        "expansion",
        &[
            ("never", Expansion::Never),
            ("cookie", Expansion::Cookie),
            ("always", Expansion::Always),
        ],
    );
    let case_node = spec.get("caseSensitive").map(|node| node.at);
    let case_sensitive = spec.flag(report, "caseSensitive").unwrap_or_default();
    let ignore = spec.get("ignore");
    spec.finish(report);

    let normalize = normalize.map(|node| read_normalize(report, node)).unwrap_or_default();
    if let Some(at) =
        case_node.filter(|_| case_sensitive && normalize.contains(&Normalize::Lowercase))
    {
        report
            .warning(CASE, at, "`caseSensitive: true` beside `normalize: [lowercase]`")
            .help("values are lower-cased before they are compared; remove one of the two");
    }
    let format = format.and_then(|format| read_format(report, format));
    let ignore = ignore.map(|node| read_ignore(report, node)).unwrap_or_default();

    let found = name?;
    let name = namespace_name(report, found)?;
    if let Some(hard) = name.hard_coded() {
        report
            .error(REDEFINED, found.at, format!("{hard} is hard-coded and cannot be defined"))
            .help("remove the document, or choose another name");
        return None;
    }
    if refuse_qa_of_hard_coded(report, &name, found.at) {
        return None;
    }
    let mut namespace = Namespace {
        name,
        normalize,
        format,
        expansion: expansion.unwrap_or_default(),
        case_sensitive,
        ignore: BTreeSet::new(),
        position: Some(report.position(envelope.at)),
    };
    namespace.ignore = ignore.iter().map(|value| namespace.canonical(value)).collect();
    Some(NamespaceDoc { namespace, at: found.at })
}

fn read_normalize(report: &mut Report<'_>, node: &Node) -> Vec<Normalize> {
    let mut steps = Vec::new();
    for item in list(report, node, "`normalize`").unwrap_or_default() {
        let Some(found) = text(report, item, "a step") else { continue };
        match found.text {
            "trim" => steps.push(Normalize::Trim),
            "lowercase" => steps.push(Normalize::Lowercase),
            "digits" => steps.push(Normalize::Digits),
            _ => not_one_of(report, found, "step", &["trim", "lowercase", "digits"]),
        }
    }
    steps
}

fn read_format(report: &mut Report<'_>, found: Text<'_>) -> Option<Regex> {
    let built = RegexBuilder::new(found.text)
        .size_limit(PATTERN_BYTES)
        .dfa_size_limit(PATTERN_BYTES)
        .nest_limit(50)
        .build();
    let regex = match built {
        Ok(regex) => regex,
        Err(error) => {
            let message = match error {
                regex::Error::CompiledTooBig(_) => "the expression is too large".to_owned(),
                regex::Error::Syntax(text) => format!("no regular expression{}", cause(&text)),
                _ => "no regular expression".to_owned(),
            };
            report.error(PATTERN, found.at, message).help(
                "write it in single quotes, such as '^[0-9]{6}$'; look-around is not offered",
            );
            return None;
        }
    };
    // Flags such as `(?i)` may stand in front of the anchor.
    let bare = found.text.strip_prefix("(?").and_then(|rest| rest.split_once(')'));
    let bare = match bare {
        Some((flags, rest)) if flags.bytes().all(|b| b.is_ascii_alphabetic()) => rest,
        _ => found.text,
    };
    let starts = bare.starts_with('^') || bare.starts_with(r"\A");
    let ends = bare.ends_with(r"\z") || (bare.ends_with('$') && !bare.ends_with(r"\$"));
    if !(starts && ends) {
        report
            .warning(UNANCHORED, found.at, "the format may match anywhere in a value")
            .help("start it with `^` and end it with `$`");
    }
    Some(regex)
}

/// The last line of a syntax error says what is wrong, without the expression.
fn cause(text: &str) -> String {
    let cause = text.lines().last().and_then(|line| line.strip_prefix("error: "));
    cause.map(|cause| format!(": {cause}")).unwrap_or_default()
}

/// Placeholders as written; the empty text is one already.
fn read_ignore(report: &mut Report<'_>, node: &Node) -> Vec<String> {
    let mut values = Vec::new();
    for item in list(report, node, "`ignore`").unwrap_or_default() {
        match &item.kind {
            Kind::Scalar(scalar) => values.push(scalar.text.expose().clone()),
            Kind::Null if item.at.length == 4 => values.push("null".to_owned()),
            _ => wrong_type(report, item, "an item of `ignore`", "text"),
        }
    }
    values
}

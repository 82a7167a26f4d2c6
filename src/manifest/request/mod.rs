//! Requests: text → model (RULES.md sections 2 to 6, CONTRACT.md section 1).
//!
//! A native document (kind `SubjectRequest`) and an Adobe JSON file say the same with the same keys, so one
//! reader serves both. What is wrong with a file's form rejects the file; what is wrong with one block's
//! values rejects that block, and the rest goes on:
//!
//! - the file: keys that are unknown (native), missing or there twice, values of a wrong type, no or too
//!   many blocks, two blocks of one key, everything at the request's own level, a personal request name;
//! - the block: its key, actions, identities and `only`.
//!
//! Guarantees: every file of the request directory ends as requests, valid or rejected, and diagnostics that
//! quote no word of it. Names and keys of what comes out identify nobody: a personal one is replaced.

mod block;
mod identity;
mod only;
mod personal;
#[cfg(test)]
mod planted;
mod reading;
mod spec;
mod spots;
#[cfg(test)]
mod tests;
mod value;

use std::cell::RefCell;

use jiff::Timestamp;

use super::codes::files::NO_DOCUMENT;
use super::mask::Mask;
use super::reader::{Fields, Report};
use super::sealed::Opener;
use super::source::{SourceFile, SourceKind};
use super::tree::{Mark, Node};
use super::{envelope, json, yaml};
use crate::diagnostic::Diagnostic;
use crate::model::{Catalog, DeleteMethod, Name, Position, Reason, Request};
use reading::Reading;

pub(super) use block::{MAX_IDENTITIES, MAX_KEY, MAX_USERS};
pub(super) use identity::TYPES;
pub use spots::{Given, Spot};

/// What requests are read against.
#[derive(Debug, Clone, Copy)]
pub struct Context<'c> {
    /// The policies.
    pub catalog: &'c Catalog,
    /// The time, where it is to be compared with.
    pub now: Option<Timestamp>,
    /// What opens sealed values.
    pub opener: Option<&'c dyn Opener>,
    /// Where to note the identity values: then plain ones are no fault, since somebody is about to replace them.
    pub spots: Option<&'c RefCell<Vec<Spot>>>,
}

/// Reads one file of the request directory, by its ending: `json` is an Adobe request, anything else YAML.
/// A file that cannot be parsed gives one rejected request.
pub fn read_file(file: &SourceFile, context: Context<'_>) -> (Vec<Request>, Vec<Diagnostic>) {
    if file.ending() == "json" { read_json(file, context) } else { read_documents(file, context) }
}

fn read_json(file: &SourceFile, context: Context<'_>) -> (Vec<Request>, Vec<Diagnostic>) {
    let parsed = json::parse(&file.bytes);
    let (Some(root), []) = (&parsed.root, parsed.faults.as_slice()) else {
        let mut report = Report::hidden(&file.path, SourceKind::Request);
        parsed.report(&mut report);
        let mut request = rejected(report.position(Mark::default()), &fallback(file.stem(), 0));
        request.named = true;
        return (vec![request], report.into_diagnostics());
    };
    let text = String::from_utf8_lossy(&file.bytes);
    let mask = Mask::new(&text, std::slice::from_ref(root));
    let mut report = Report::request(&file.path, |line| mask.line(line)).tolerating_unknown_keys();
    let request = read_adobe(&mut report, root, file.stem(), context);
    (vec![request], report.into_diagnostics())
}

fn read_documents(file: &SourceFile, context: Context<'_>) -> (Vec<Request>, Vec<Diagnostic>) {
    let documents = match yaml::parse(&file.bytes) {
        Ok(documents) => documents,
        Err(fault) => {
            let mut report = Report::hidden(&file.path, SourceKind::Request);
            report.error(fault.code, fault.at, format!("found {}", fault.message)).help(fault.help);
            let request = rejected(report.position(Mark::default()), &fallback(file.stem(), 0));
            return (vec![request], report.into_diagnostics());
        }
    };
    let text = String::from_utf8_lossy(&file.bytes);
    let mask = Mask::new(&text, &documents);
    let mut report = Report::request(&file.path, |line| mask.line(line));
    if documents.is_empty() {
        report.warning(NO_DOCUMENT, Mark::default(), "the file holds no document");
    }
    let requests = documents
        .iter()
        .enumerate()
        .map(|(index, document)| read_yaml(&mut report, document, file.stem(), index, context))
        .collect();
    (requests, report.into_diagnostics())
}

/// Reads a native document, the `index`-th (from 0) of its file. Where it has no valid name of its own, the
/// request is rejected and named after the file.
pub fn read_yaml(
    report: &mut Report<'_>,
    document: &Node,
    stem: &str,
    index: usize,
    context: Context<'_>,
) -> Request {
    let before = report.errors();
    let position = report.position(document.at);
    let fallback = fallback(stem, index);
    let Some(envelope) = envelope::read(report, document) else {
        return rejected(position, &fallback);
    };
    let mut request = rejected(position, &fallback);
    let fields = envelope.spec.and_then(|spec| Fields::open(report, spec, "`spec`"));
    let Some(fields) = fields else { return request };
    let (name, at) = envelope.name.unzip();
    request.named = name.is_some();
    let mut reading = Reading::new(report, context);
    let shown = name.as_ref().unwrap_or(&fallback).as_str();
    reading.request(fields, &[shown], at.unwrap_or(document.at), &mut request);
    if reading.personal_name {
        request.name = unnamed(index);
    } else if let Some(name) = name {
        request.name = name;
    }
    reading.conclude(before, &mut request);
    request
}

/// Reads an Adobe request: the document itself is the spec, and the file's name its name. The report must
/// tolerate unknown keys.
pub fn read_adobe(
    report: &mut Report<'_>,
    root: &Node,
    stem: &str,
    context: Context<'_>,
) -> Request {
    let before = report.errors();
    let mut request = rejected(report.position(root.at), &Name::from_file_stem(stem));
    request.named = true;
    let fields = Fields::open(report, root, "the request");
    let Some(fields) = fields else {
        request.name = fallback(stem, 0);
        return request;
    };
    let mut reading = Reading::new(report, context);
    let made = request.name.as_str().to_owned();
    reading.request(fields, &[stem, &made], Mark::default(), &mut request);
    if reading.personal_name {
        request.name = unnamed(0);
    }
    reading.conclude(before, &mut request);
    request
}

/// A request that is rejected as a whole, with nothing in it.
fn rejected(position: Position, name: &Name) -> Request {
    Request {
        name: name.clone(),
        named: false,
        regulation: None,
        received_at: None,
        extension: None,
        expand_ids: false,
        delete_method: DeleteMethod::default(),
        include: None,
        suspend: false,
        withdrawn: false,
        users: Vec::new(),
        rejected: Some(Reason::Invalid),
        position,
    }
}

/// The name of a document that has none: the file's, and from the second document on its number.
fn fallback(stem: &str, index: usize) -> Name {
    if stem.is_empty() || personal::looks_like_email(stem) {
        return unnamed(index);
    }
    match index {
        0 => Name::from_file_stem(stem),
        _ => Name::from_file_stem(&format!("{stem}-{}", index + 1)),
    }
}

/// The name of a request whose own would identify a person.
fn unnamed(index: usize) -> Name {
    Name::from_file_stem(&format!("unnamed-request-{}", index + 1))
}

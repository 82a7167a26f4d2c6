//! Approval documents: text → model + diagnostics. What cannot be read approves nothing.

use super::codes::approval::{APPROVAL_ENDING, APPROVAL_UNKNOWN, EFFECT, LIFT_REASON};
use super::codes::files::{DUPLICATE_NAME, NAME};
use super::envelope::{self, DocumentKind, Envelope};
use super::reader::{Fields, Report};
use super::source::{SourceFile, SourceKind};
use super::tree::{Mark, Node};
use super::yaml;
use crate::diagnostic::Diagnostic;
use crate::model::{Approval, EffectId, Name, Request};

/// Reads the files of the directory of approvals. `requests` are all that there are, so that an approval
/// of none of them can be named.
pub fn approvals(files: &[SourceFile], requests: &[Request]) -> (Vec<Approval>, Vec<Diagnostic>) {
    let mut sorted: Vec<&SourceFile> = files.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    let (mut found, mut diagnostics) = (Vec::new(), Vec::new());
    for file in sorted {
        diagnostics.extend(read_file(file, requests, &mut found));
    }
    (found, diagnostics)
}

fn read_file(
    file: &SourceFile,
    requests: &[Request],
    found: &mut Vec<Approval>,
) -> Vec<Diagnostic> {
    let mut hidden = Report::hidden(&file.path, SourceKind::Approval);
    if !matches!(file.ending().as_str(), "yaml" | "yml") {
        hidden
            .note(APPROVAL_ENDING, Mark::default(), "a file that is not read as an approval")
            .help("approvals are *.yaml or *.yml");
        return hidden.into_diagnostics();
    }
    let parsed = yaml::decode(&file.bytes).and_then(|text| Ok((text, yaml::parse(&file.bytes)?)));
    let (text, documents) = match parsed {
        Ok(parsed) => parsed,
        Err(fault) => {
            hidden.error(fault.code, fault.at, format!("found {}", fault.message)).help(fault.help);
            return hidden.into_diagnostics();
        }
    };
    let mut report = Report::approval(&file.path, text);
    for document in &documents {
        let Some((approval, at)) = read(&mut report, document) else { continue };
        if let Some(first) = found.iter().find(|other| other.name == approval.name) {
            let help = format!(
                "rename one; the first is at {}:{}",
                first.position.file, first.position.line
            );
            let message = format!("there are two documents Approval {}", approval.name);
            report.error(DUPLICATE_NAME, at, message).help(help);
            continue;
        }
        let known = requests.iter().any(|request| {
            request.name == approval.request
                && request.users.iter().any(|user| user.key == approval.key)
        });
        if !known {
            let message = format!("no request {} has that block", approval.request);
            report
                .warning(APPROVAL_UNKNOWN, at, message)
                .help("correct `request` and `key`, or remove the approval");
        }
        found.push(approval);
    }
    report.into_diagnostics()
}

fn read(report: &mut Report<'_>, document: &Node) -> Option<(Approval, Mark)> {
    let Envelope { kind: DocumentKind::Approval, name, spec, at } =
        envelope::read(report, document)?
    else {
        return None;
    };
    let mut spec = Fields::open(report, spec?, "`spec`")?;
    let request = spec.required_text(report, "request");
    let key = spec.required_text(report, "key");
    let effect = spec.required_text(report, "effectId");
    let lift_limits = spec.flag(report, "liftLimits").unwrap_or_default();
    let accept_conflicts = spec.flag(report, "acceptConflicts").unwrap_or_default();
    let reason = spec.text(report, "reason");
    spec.finish(report);

    let effect = effect.and_then(|found| {
        let effect = EffectId::parse(found.text);
        if effect.is_none() {
            report
                .error(EFFECT, found.at, format!("{} is no effectId", report.quote(found.text)))
                .help("copy it from `amparo plan -o json`");
        }
        effect
    });
    if (lift_limits || accept_conflicts) && reason.is_none() {
        report
            .error(LIFT_REASON, at, "a limit is lifted without a `reason`")
            .help("say why in `reason`");
        return None;
    }
    let request = request.and_then(|found| {
        // Names of Adobe JSON requests come from their file names.
        let stem = Name::from_file_stem(found.text);
        if stem.as_str() == found.text {
            return Some(stem);
        }
        let message = format!("{} is no request's name", report.quote(found.text));
        report.error(NAME, found.at, message).help("names are lower-case letters, digits and `-`");
        None
    });
    let (name, at_name) = name?;
    let approval = Approval {
        name,
        request: request?,
        key: key?.text.to_owned(),
        effect: effect?,
        lift_limits,
        accept_conflicts,
        reason: reason.map(|found| found.text.to_owned()),
        position: report.position(at),
    };
    Some((approval, at_name))
}

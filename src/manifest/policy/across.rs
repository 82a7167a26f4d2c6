//! What policy documents say of each other.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{DocumentKind, Policies};
use crate::diagnostic::{Code, Severity};
use crate::manifest::codes::dataset::UNKNOWN_KEY_NAME;
use crate::manifest::codes::hold::{
    HOLD_DATASET, HOLD_EXPIRED, HOLD_FIELD, HOLD_NOTHING, HOLD_REQUEST, RETIRED,
};
use crate::manifest::codes::namespace::{DEFINED_TWICE, UNUSED};
use crate::manifest::codes::role::ROLES_ALL_OPEN;
use crate::manifest::reader::did_you_mean;
use crate::manifest::tree::Mark;
use crate::model::{Dataset, FieldPath, Name, NamespaceName, Personal, Request};

/// A diagnostic to be added to the report of a file.
struct Finding {
    file: usize,
    severity: Severity,
    code: Code,
    at: Mark,
    message: String,
    help: String,
}

/// Adds every diagnostic that needs more than one document. `today` (UTC) tells which holds have lapsed.
pub(super) fn check(policies: &mut Policies<'_>, today: Option<Date>) {
    let mut findings = namespaces_twice(policies);
    if policies.complete {
        findings.extend(unused_namespaces(policies));
        findings.extend(hmac_keys(policies));
        findings.extend(holds_on_datasets(policies, today));
        findings.extend(retired(policies));
        findings.extend(no_restricted_role(policies));
    }
    report(policies, findings);
}

fn report(policies: &mut Policies<'_>, findings: Vec<Finding>) {
    for finding in findings {
        if let Some(report) = policies.reports.get_mut(finding.file) {
            report
                .add(finding.severity, finding.code, finding.at, finding.message)
                .help(finding.help);
        }
    }
}

/// Outsiders get the most restricted role, and there is none that hides something.
fn no_restricted_role(policies: &Policies<'_>) -> Option<Finding> {
    let first = policies.roles.first()?;
    let open = |sight: Personal| sight == Personal::Shown;
    let whole = policies.roles.len() == policies.named(DocumentKind::Role).len();
    let all = policies.roles.iter().all(|placed| open(placed.doc.role.sight.personal));
    (whole && all).then(|| Finding {
        file: first.file,
        severity: Severity::Warning,
        code: ROLES_ALL_OPEN,
        at: first.doc.at,
        message: "every role shows all personal data".to_owned(),
        help: "add a role with `personalData: false` for everybody else".to_owned(),
    })
}

fn namespaces_twice(policies: &Policies<'_>) -> Vec<Finding> {
    let mut first: BTreeMap<&NamespaceName, String> = BTreeMap::new();
    let mut findings = Vec::new();
    for placed in &policies.namespaces {
        let name = &placed.doc.namespace.name;
        let place = policies.reports.get(placed.file).map(|r| r.position(placed.doc.at));
        let place = place.map(|p| format!("{}:{}", p.file, p.line)).unwrap_or_default();
        if let Some(earlier) = first.get(name) {
            findings.push(Finding {
                file: placed.file,
                severity: Severity::Error,
                code: DEFINED_TWICE,
                at: placed.doc.at,
                message: format!("the namespace `{name}` is defined twice"),
                help: format!("remove one; the first is at {earlier}"),
            });
        } else {
            first.insert(name, place);
        }
    }
    findings
}

/// Namespaces that no ID field carries, by themselves or as the base of a `qa-` one.
fn unused_namespaces(policies: &Policies<'_>) -> Vec<Finding> {
    if policies.datasets.iter().any(|placed| !placed.doc.whole)
        || policies.datasets.len() != policies.named(DocumentKind::Dataset).len()
    {
        return Vec::new();
    }
    let mut carried: BTreeSet<NamespaceName> = BTreeSet::new();
    for dataset in &policies.catalog.datasets {
        for namespace in dataset.id_fields().filter_map(|(_, field)| field.namespace.as_ref()) {
            carried.extend(namespace.without_qa());
            carried.insert(namespace.clone());
        }
    }
    let names: Vec<&str> = carried.iter().map(NamespaceName::as_str).collect();
    let unused = policies.namespaces.iter().filter(|p| !carried.contains(&p.doc.namespace.name));
    unused
        .map(|placed| {
            let name = &placed.doc.namespace.name;
            Finding {
                file: placed.file,
                severity: Severity::Warning,
                code: UNUSED,
                at: placed.doc.at,
                message: format!("no dataset carries the namespace `{name}`"),
                help: match did_you_mean(name.as_str(), &names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "label the field that holds it, or remove the document".to_owned(),
                },
            }
        })
        .collect()
}

/// `hmac` methods whose key Settings does not name.
fn hmac_keys(policies: &Policies<'_>) -> Vec<Finding> {
    if policies.settings.len() != policies.named(DocumentKind::Settings).len() {
        return Vec::new();
    }
    let keys = &policies.catalog.settings.keys;
    let names: Vec<&str> = keys.keys().map(String::as_str).collect();
    let mut findings = Vec::new();
    for placed in &policies.datasets {
        for field in &placed.doc.fields {
            let key = field.field.erase.as_ref().and_then(|rule| rule.key.as_ref());
            let (Some(key), Some(at)) = (key, field.key_at) else { continue };
            if keys.contains_key(key) {
                continue;
            }
            findings.push(Finding {
                file: placed.file,
                severity: Severity::Error,
                code: UNKNOWN_KEY_NAME,
                at,
                message: format!("Settings names no key `{key}`"),
                help: match did_you_mean(key, &names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("add to Settings: `keys: {{{key}: {{env: NAME}}}}`"),
                },
            });
        }
    }
    findings
}

/// Holds on datasets and fields that are not there. A hold that has lapsed keeps nothing, and so is only
/// warned of.
fn holds_on_datasets(policies: &Policies<'_>, today: Option<Date>) -> Vec<Finding> {
    let names = policies.named(DocumentKind::Dataset);
    let words: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    let mut findings = Vec::new();
    for placed in &policies.holds {
        let hold = &placed.doc;
        let lapsed = today.is_some_and(|today| !hold.hold.in_force(today));
        let before = findings.len();
        for (name, at) in hold.datasets.iter().filter(|(name, _)| !names.contains(name)) {
            findings.push(Finding {
                file: placed.file,
                severity: Severity::Error,
                code: HOLD_DATASET,
                at: *at,
                message: format!("there is no dataset {name}"),
                help: near(name.as_str(), &words, "without it the hold protects nothing"),
            });
        }
        findings.extend(hold_fields(policies, placed.file, &hold.datasets, &hold.fields));
        for finding in findings.iter_mut().skip(before).filter(|_| lapsed) {
            finding.severity = Severity::Warning;
        }
    }
    findings
}

fn hold_fields(
    policies: &Policies<'_>,
    file: usize,
    datasets: &[(Name, Mark)],
    fields: &[(FieldPath, Mark)],
) -> Vec<Finding> {
    let mut held = Vec::new();
    for (name, at) in datasets {
        match policies.datasets.iter().find(|placed| placed.doc.dataset.name == *name) {
            Some(placed) if placed.doc.whole => held.push((Paths::of(&placed.doc.dataset), *at)),
            // What a dataset has is not known: it is missing, or partly unreadable.
            _ => return Vec::new(),
        }
    }
    let mut findings = Vec::new();
    for (path, at) in fields {
        if held.iter().any(|(paths, _)| paths.touch(path)) {
            continue;
        }
        let words = if findings.len() < HELPED { words(&held) } else { Vec::new() };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        findings.push(Finding {
            file,
            severity: Severity::Error,
            code: HOLD_FIELD,
            at: *at,
            message: format!("the datasets of the hold have no field {path}"),
            help: near(&path.to_string(), &words, "mention the column in the dataset's `fields`"),
        });
    }
    if fields.is_empty() || !findings.is_empty() {
        return findings;
    }
    for (paths, at) in held {
        if !fields.iter().any(|(path, _)| paths.touch(path)) {
            findings.push(Finding {
                file,
                severity: Severity::Warning,
                code: HOLD_NOTHING,
                at,
                message: format!("{} has none of the fields of the hold", paths.dataset),
                help: "only its ID fields are kept; name its fields, or write another hold"
                    .to_owned(),
            });
        }
    }
    findings
}

/// How many misspelt fields of one hold are helped with, and among how many names the right one is looked for.
const HELPED: usize = 20;
const SUGGESTED: usize = 1000;

fn words(held: &[(Paths<'_>, Mark)]) -> Vec<String> {
    let paths = held.iter().flat_map(|(paths, _)| &paths.own);
    paths.take(SUGGESTED).map(ToString::to_string).collect()
}

/// The paths that a dataset's policy names, to be asked whether one of them is, lies in, or holds another.
struct Paths<'d> {
    dataset: &'d Name,
    own: BTreeSet<&'d FieldPath>,
    /// By their parts: the paths and every group above them.
    groups: BTreeSet<&'d [String]>,
}

impl<'d> Paths<'d> {
    fn of(dataset: &'d Dataset) -> Self {
        let own: BTreeSet<&FieldPath> = dataset.fields.iter().map(|field| &field.path).collect();
        let groups = own.iter().flat_map(|path| prefixes(path)).collect();
        Self { dataset: &dataset.name, own, groups }
    }

    fn touch(&self, path: &FieldPath) -> bool {
        let lies_in = |group: &[String]| {
            FieldPath::new(group.iter().map(String::as_str))
                .is_some_and(|path| self.own.contains(&path))
        };
        self.groups.contains(path.parts()) || prefixes(path).any(lies_in)
    }
}

/// A path's parts, and those of every group above it.
fn prefixes(path: &FieldPath) -> impl Iterator<Item = &[String]> {
    let parts = path.parts();
    (1..=parts.len()).filter_map(|length| parts.get(..length))
}

fn near(word: &str, words: &[&str], otherwise: &str) -> String {
    match did_you_mean(word, words) {
        Some(near) => format!("did you mean `{near}`?"),
        None => otherwise.to_owned(),
    }
}

/// Names in `retired` that are still among the policies.
fn retired(policies: &Policies<'_>) -> Vec<Finding> {
    let datasets = policies.named(DocumentKind::Dataset);
    let holds = policies.named(DocumentKind::Hold);
    let mut findings = Vec::new();
    for placed in &policies.settings {
        for (name, at) in &placed.doc.retired {
            if !datasets.contains(name) && !holds.contains(name) {
                continue;
            }
            findings.push(Finding {
                file: placed.file,
                severity: Severity::Warning,
                code: RETIRED,
                at: *at,
                message: format!("{name} is retired, and still among the policies"),
                help: "remove it here, or remove the document".to_owned(),
            });
        }
    }
    findings
}

/// Holds on requests, or keys of requests, that are not there.
pub(super) fn holds_on_requests(policies: &mut Policies<'_>, requests: &[Request]) {
    let by_name: BTreeMap<&Name, &Request> =
        requests.iter().map(|request| (&request.name, request)).collect();
    let mut findings = Vec::new();
    for placed in &policies.holds {
        let mut finding = |at: Mark, message: String, help: &str| {
            findings.push(Finding {
                file: placed.file,
                severity: Severity::Warning,
                code: HOLD_REQUEST,
                at,
                message,
                help: help.to_owned(),
            });
        };
        let named: Vec<Option<&Request>> =
            placed.doc.requests.iter().map(|(name, _)| by_name.get(name).copied()).collect();
        for ((name, at), request) in placed.doc.requests.iter().zip(&named) {
            if request.is_none() {
                finding(*at, format!("there is no request {name}"), "check the spelling");
            }
        }
        // Whose keys they are is known only where every request is there and could be read. A key may be a text
        // that only its request should hold: it is not repeated.
        if named.iter().all(|r| r.is_some_and(|request| request.rejected.is_none())) {
            let known: BTreeSet<&String> =
                named.iter().flatten().flat_map(|r| &r.users).map(|user| &user.key).collect();
            for (_, at) in placed.doc.keys.iter().filter(|(key, _)| !known.contains(key)) {
                finding(
                    *at,
                    "no block of the request has this key".to_owned(),
                    "check the spelling",
                );
            }
        }
    }
    report(policies, findings);
}

/// Notes on holds that no longer keep anything on that day (UTC).
pub(super) fn lapsed_holds(policies: &mut Policies<'_>, today: Date) {
    let lapsed = policies.holds.iter().filter(|placed| !placed.doc.hold.in_force(today));
    let findings = lapsed
        .map(|placed| Finding {
            file: placed.file,
            severity: Severity::Note,
            code: HOLD_EXPIRED,
            at: placed.doc.until_at,
            message: format!("the hold {} has lapsed", placed.doc.hold.name),
            help: "remove it when it is no longer needed as a record".to_owned(),
        })
        .collect();
    report(policies, findings);
}

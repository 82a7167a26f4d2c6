//! Policy files → [`Catalog`] + diagnostics.
//!
//! Guarantees: any error leaves the catalog invalid; nothing of a file is skipped in silence. A check that
//! something is *missing* (a hold's dataset, an hmac key) is made only where every document could be told what
//! it is, so that one broken file does not look like many.

mod across;
mod dataset;
mod encryption;
mod field;
mod hold;
mod lint;
mod namespace;
mod role;
mod settings;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use self::dataset::DatasetDoc;
use self::hold::HoldDoc;
use self::namespace::NamespaceDoc;
use self::role::RoleDoc;
use self::settings::SettingsDoc;
use super::codes::files::{DUPLICATE_NAME, NO_DOCUMENT, NO_POLICIES, POLICY_ENDING};
use super::codes::hold::SETTINGS_TWICE;
use super::envelope::{self, DocumentKind, Envelope};
use super::reader::Report;
use super::source::{SourceFile, SourceKind};
use super::tree::{Mark, Node};
use super::yaml;
use crate::diagnostic::{Diagnostic, has_errors};
use crate::model::{Catalog, Name, Position, Request};

/// A document and the file that it stands in, by index.
struct Placed<T> {
    doc: T,
    file: usize,
}

/// Everything that the policy files say, still with its places.
pub struct Policies<'a> {
    /// What could be read; of use only where [`Policies::valid`].
    pub catalog: Catalog,
    reports: Vec<Report<'a>>,
    datasets: Vec<Placed<DatasetDoc>>,
    namespaces: Vec<Placed<NamespaceDoc>>,
    holds: Vec<Placed<HoldDoc>>,
    roles: Vec<Placed<RoleDoc>>,
    settings: Vec<Placed<SettingsDoc>>,
    /// Every document that could be told what it is, also where its spec is wrong.
    names: BTreeMap<(DocumentKind, Name), Position>,
    /// Whether every document could be told what it is.
    complete: bool,
}

/// Reads and cross-checks the policy files; without a day (UTC), every hold counts as in force.
pub fn read(files: &[SourceFile], today: Option<Date>) -> Policies<'_> {
    let mut policies = Policies {
        catalog: Catalog::default(),
        reports: Vec::new(),
        datasets: Vec::new(),
        namespaces: Vec::new(),
        holds: Vec::new(),
        roles: Vec::new(),
        settings: Vec::new(),
        names: BTreeMap::new(),
        complete: true,
    };
    for file in files {
        policies.file(file);
    }
    policies.only_one_settings();
    policies.fill_catalog();
    across::check(&mut policies, today);
    policies
}

impl<'a> Policies<'a> {
    /// Whether there is no error so far.
    pub fn valid(&self) -> bool {
        self.complete && self.reports.iter().all(|report| report.errors() == 0)
    }

    /// Warns of holds on requests and keys that are not there. Of no use where a request could not be read.
    pub fn check_holds(&mut self, requests: &[Request]) {
        across::holds_on_requests(self, requests);
    }

    /// Notes the holds that no longer keep anything on that day (UTC).
    pub fn note_lapsed_holds(&mut self, today: Date) {
        across::lapsed_holds(self, today);
    }

    /// The catalog and all diagnostics.
    pub fn finish(self) -> (Catalog, Vec<Diagnostic>) {
        let without_dataset = self.named(DocumentKind::Dataset).is_empty();
        let mut diagnostics: Vec<Diagnostic> =
            self.reports.into_iter().flat_map(Report::into_diagnostics).collect();
        if without_dataset && !has_errors(&diagnostics) {
            let mut report = Report::hidden("", SourceKind::Policy);
            report
                .warning(NO_POLICIES, Mark::default(), "there is no Dataset among the policies")
                .help("without one no request finds anything; check --policies and -C");
            diagnostics.extend(report.into_diagnostics());
        }
        (self.catalog, diagnostics)
    }

    fn file(&mut self, file: &'a SourceFile) {
        if !matches!(file.ending().as_str(), "yaml" | "yml") {
            let mut report = Report::hidden(&file.path, SourceKind::Policy);
            report
                .error(POLICY_ENDING, Mark::default(), "a file that is not read as a policy")
                .help("name it *.yaml or *.yml, or move it out of the policy directory");
            self.complete = false;
            self.reports.push(report);
            return;
        }
        let text = match yaml::decode(&file.bytes) {
            Ok(text) => text,
            Err(fault) => {
                let report = Report::hidden(&file.path, SourceKind::Policy);
                return self.fault(report, &fault);
            }
        };
        let mut report = Report::policy(&file.path, text);
        let documents = match yaml::parse(&file.bytes) {
            Ok(documents) => documents,
            Err(fault) => return self.fault(report, &fault),
        };
        if documents.is_empty() {
            report
                .warning(NO_DOCUMENT, Mark::default(), "the file holds no document")
                .help("remove it, or write the policy that it was meant for");
        }
        self.reports.push(report);
        for document in &documents {
            self.document(document);
        }
    }

    fn fault(&mut self, mut report: Report<'a>, fault: &yaml::Fault) {
        report.error(fault.code, fault.at, format!("found {}", fault.message)).help(fault.help);
        self.complete = false;
        self.reports.push(report);
    }

    /// Reads a document of the last file.
    fn document(&mut self, node: &Node) {
        let file = self.reports.len().saturating_sub(1);
        let Some(report) = self.reports.last_mut() else { return };
        let Some(envelope) = envelope::read(report, node) else {
            self.complete = false;
            return;
        };
        if envelope.name.is_none() {
            self.complete = false;
        }
        match envelope.kind {
            DocumentKind::Dataset => {
                let doc = dataset::read(report, &envelope);
                if let Some(doc) = &doc {
                    lint::check(report, doc);
                }
                self.datasets.extend(doc.map(|doc| Placed { doc, file }));
            }
            DocumentKind::Namespace => {
                let doc = namespace::read(report, &envelope);
                self.namespaces.extend(doc.map(|doc| Placed { doc, file }));
            }
            DocumentKind::Hold => {
                let doc = hold::read(report, &envelope);
                self.holds.extend(doc.map(|doc| Placed { doc, file }));
            }
            DocumentKind::Role => {
                let doc = role::read(report, &envelope);
                self.roles.extend(doc.map(|doc| Placed { doc, file }));
            }
            DocumentKind::Settings => {
                let doc = settings::read(report, &envelope);
                self.settings.extend(doc.map(|doc| Placed { doc, file }));
            }
            DocumentKind::SubjectRequest | DocumentKind::Approval => {}
        }
        self.register(&envelope, file);
    }

    /// Remembers a name, and reports one that was there before.
    fn register(&mut self, envelope: &Envelope<'_>, file: usize) {
        let Some((name, at)) = &envelope.name else { return };
        let Some(report) = self.reports.get_mut(file) else { return };
        let here = report.position(*at);
        let key = (envelope.kind, name.clone());
        if let Some(first) = self.names.get(&key) {
            let kind = envelope.kind.as_str();
            report
                .error(DUPLICATE_NAME, *at, format!("there are two documents {kind} {name}"))
                .help(format!("rename one; the first is at {}:{}", first.file, first.line));
        } else {
            self.names.insert(key, here);
        }
    }

    fn only_one_settings(&mut self) {
        let places: Vec<(&Name, &Position)> = self
            .names
            .iter()
            .filter(|((kind, _), _)| *kind == DocumentKind::Settings)
            .map(|((_, name), position)| (name, position))
            .collect();
        let Some((_, first)) = places.iter().min_by_key(|(_, position)| *position) else { return };
        let first = (*first).clone();
        let others: Vec<Position> =
            places.iter().map(|(_, p)| (*p).clone()).filter(|p| *p != first).collect();
        for position in others {
            let mark = Mark { line: position.line, column: position.column, length: 0 };
            let report = self.reports.iter_mut().find(|report| report.file() == position.file);
            if let Some(report) = report {
                report.error(SETTINGS_TWICE, mark, "a second Settings document").help(format!(
                    "put all settings into the one at {}:{}",
                    first.file, first.line
                ));
            }
        }
    }

    fn fill_catalog(&mut self) {
        let mut catalog = Catalog {
            datasets: self.datasets.iter().map(|placed| placed.doc.dataset.clone()).collect(),
            holds: self.holds.iter().map(|placed| placed.doc.hold.clone()).collect(),
            roles: self.roles.iter().map(|placed| placed.doc.role.clone()).collect(),
            settings: self.settings.first().map(|p| p.doc.settings.clone()).unwrap_or_default(),
            ..Catalog::default()
        };
        catalog.datasets.sort_by(|a, b| a.name.cmp(&b.name));
        catalog.holds.sort_by(|a, b| a.name.cmp(&b.name));
        catalog.roles.sort_by(|a, b| a.name.cmp(&b.name));
        for placed in &self.namespaces {
            let namespace = placed.doc.namespace.clone();
            catalog.namespaces.entry(namespace.name.clone()).or_insert(namespace);
        }
        self.catalog = catalog;
    }

    /// The names of documents of a kind.
    fn named(&self, kind: DocumentKind) -> BTreeSet<&Name> {
        self.names.keys().filter(|(other, _)| *other == kind).map(|(_, name)| name).collect()
    }
}

#[cfg(test)]
mod tests;

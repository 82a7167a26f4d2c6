//! `only`: how a block narrows itself (RULES.md section 3).

use std::collections::BTreeSet;

use super::block::reaches;
use super::reading::{Reading, Verdict};
use crate::manifest::codes::files::EMPTY;
use crate::manifest::codes::request::{NOT_SELECTABLE, ONLY_UNKNOWN};
use crate::manifest::reader::{Fields, did_you_mean, entries, text};
use crate::manifest::tree::Node;
use crate::model::{Dataset, FieldPath, Name, Only, Product, Reason, Sensitive};

impl Reading<'_, '_> {
    /// Reads `only`.
    pub(super) fn only(
        &mut self,
        node: &Node,
        verdict: &mut Verdict,
        include: Option<&BTreeSet<Product>>,
        qa: bool,
    ) -> Only {
        let mut only = Only::default();
        let Some(mut fields) = Fields::open(self.report, node, "`only`") else { return only };
        let catalog = self.catalog;
        let names: Vec<&str> = catalog.datasets.iter().map(|d| d.name.as_str()).collect();
        let datasets = self.known(&mut fields, "datasets", &names, verdict);
        only.datasets =
            datasets.map(|found| found.iter().filter_map(|name| Name::new(name).ok()).collect());
        let sources: Vec<&str> = catalog.datasets.iter().map(|d| d.source.as_str()).collect();
        only.sources = self.known(&mut fields, "sources", &sources, verdict);
        let r#where = fields.get("where");
        fields.finish(self.report);
        if let Some(node) = r#where {
            let reached: Vec<&Dataset> = catalog
                .datasets
                .iter()
                .filter(|dataset| reaches(dataset, include, Some(&only), qa))
                .collect();
            self.conditions(node, &reached, &mut only, verdict);
        }
        only
    }

    /// A list of texts, each of which must be one of `known`.
    fn known(
        &mut self,
        fields: &mut Fields<'_>,
        key: &'static str,
        known: &[&str],
        verdict: &mut Verdict,
    ) -> Option<BTreeSet<String>> {
        let at = fields.get(key)?.at;
        let named = fields.texts(self.report, key)?;
        if named.is_empty() {
            self.report
                .error(EMPTY, at, format!("`{key}` is empty"))
                .help("write what the block is narrowed to, or remove the key");
        }
        let mut found = BTreeSet::new();
        for name in named {
            if !known.contains(&name.text) {
                let help = match did_you_mean(name.text, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "compare it with the policies".to_owned(),
                };
                let message = format!("`{key}` names something that the policies do not have");
                self.reject(verdict, Reason::Invalid, ONLY_UNKNOWN, name.at, message).help(help);
            }
            found.insert(name.text.to_owned());
        }
        Some(found)
    }

    fn conditions(
        &mut self,
        node: &Node,
        reached: &[&Dataset],
        only: &mut Only,
        verdict: &mut Verdict,
    ) {
        let Some(conditions) = entries(self.report, node, "`where`") else { return };
        if conditions.is_empty() {
            self.report
                .error(EMPTY, node.at, "`where` is empty")
                .help("write `field: value`, or remove the key");
        }
        for entry in conditions {
            let value = text(self.report, &entry.value, "a value of `where`");
            let path = shown_path(&entry.key)
                .filter(|path| reached.iter().any(|dataset| selectable(dataset, path)));
            let Some(path) = path else {
                let message = "`where` names a field that is not selectable";
                self.reject(verdict, Reason::Invalid, NOT_SELECTABLE, entry.at, message)
                    .help("name a field that a dataset of the block marks `selectable: true`, by its full path");
                continue;
            };
            if let Some(value) = value {
                only.r#where.insert(path, Sensitive::new(value.text.to_owned()));
            }
        }
    }
}

/// Whether the policy marks the field, or the nearest group above it, as selectable.
fn selectable(dataset: &Dataset, path: &FieldPath) -> bool {
    dataset
        .fields
        .iter()
        .filter(|field| field.path.covers(path))
        .max_by_key(|field| field.path.parts().len())
        .is_some_and(|field| field.selectable)
}

/// A path as users see it: names joined by dots; one that holds a dot in double quotes (`"a.b".c`), a
/// quote in it doubled.
fn shown_path(text: &str) -> Option<FieldPath> {
    let mut parts = vec![String::new()];
    let mut rest = text.chars().peekable();
    let mut quoted = false;
    while let Some(c) = rest.next() {
        let part = parts.last_mut()?;
        match c {
            '"' if quoted && rest.next_if_eq(&'"').is_some() => part.push('"'),
            '"' if quoted => {
                quoted = false;
                if rest.peek().is_some_and(|c| *c != '.') {
                    return None;
                }
            }
            '"' if part.is_empty() => quoted = true,
            '.' if !quoted => parts.push(String::new()),
            c => part.push(c),
        }
    }
    if quoted { None } else { FieldPath::new(parts) }
}

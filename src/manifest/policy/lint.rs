//! What a dataset's labels leave undone: warnings of RULES.md section 1 that need no data.

use std::collections::{BTreeMap, BTreeSet};

use super::dataset::DatasetDoc;
use super::field::FieldDoc;
use crate::manifest::codes::dataset::{
    ERASE_NEVER, ID_NEVER_ERASED, NEVER_APPLIES, NEVER_ERASED, NEVER_SHOWN, NO_ID_FIELD,
    PARTY_UNREACHED, SAME_NAMESPACE,
};
use crate::manifest::reader::Report;
use crate::model::{Dataset, EraseMode, Label, NamespaceName};

/// Adds the warnings of one dataset.
pub(super) fn check(report: &mut Report<'_>, doc: &DatasetDoc) {
    let dataset = &doc.dataset;
    if dataset.id_fields().next().is_none() {
        report
            .warning(NO_ID_FIELD, doc.at, format!("no field of {} can be searched", dataset.name))
            .help(
                "label the fields that identify people with ID-DEVICE or ID-PERSON and a namespace",
            );
    }
    if !dataset.fields.iter().any(|field| field.is_person_id()) {
        for field in &doc.fields {
            never_applies(report, dataset, field);
        }
    }
    for field in &doc.fields {
        never_erased(report, dataset, field);
        never_shown(report, dataset, field);
    }
    unreached_parties(report, &doc.fields);
    if !dataset.same_subject {
        same_namespace(report, &doc.fields);
    }
}

fn identifies(field: &FieldDoc) -> bool {
    [Label::I1, Label::I2, Label::S1].into_iter().any(|label| field.field.labels.has(label))
}

/// Labels that count where the row matched on an ID-PERSON field, in a dataset without one.
fn never_applies(report: &mut Report<'_>, dataset: &Dataset, field: &FieldDoc) {
    for label in [Label::AccPerson, Label::DelPerson] {
        if field.field.labels.has(label) {
            report
                .warning(NEVER_APPLIES, field.labels_at, format!("{label} can never apply"))
                .help(format!("no field of {} is labelled ID-PERSON", dataset.name));
        }
    }
}

fn never_erased(report: &mut Report<'_>, dataset: &Dataset, field: &FieldDoc) {
    // Where whole rows go, no field stays behind.
    if field.field.is_erasable() || dataset.erase == EraseMode::Rows {
        return;
    }
    let path = &field.field.path;
    if field.field.labels.is_id() {
        report
            .warning(ID_NEVER_ERASED, field.labels_at, format!("{path} can be searched and is never erased"))
            .help("add DEL-DEVICE or DEL-PERSON; to keep it, also `erase: {method: keep}` and a reason");
    } else if identifies(field) {
        report
            .warning(NEVER_ERASED, field.labels_at, format!("{path} is personal data and is never erased"))
            .help("add DEL-DEVICE or DEL-PERSON; to keep it, also `erase: {method: keep}` and a reason");
    } else if field.field.erase.is_some() {
        report
            .warning(
                ERASE_NEVER,
                field.erase_at,
                format!("the erase method of {path} is never used"),
            )
            .help("add DEL-DEVICE or DEL-PERSON (or `pii: true`), or remove `erase`");
    }
}

fn never_shown(report: &mut Report<'_>, dataset: &Dataset, field: &FieldDoc) {
    let entry = &field.field;
    let personal = identifies(field) || entry.labels.is_id() || entry.pii;
    // A timestamp without any ACC label counts as ACC-ALL (RULES.md section 4).
    let timestamp = dataset.timestamp.as_ref() == Some(&entry.path);
    if personal && !entry.labels.is_accessible() && entry.reason.is_none() && !timestamp {
        let message = format!("{} is personal data and is never shown to its subject", entry.path);
        report
            .warning(NEVER_SHOWN, field.labels_at, message)
            .help("add ACC-ALL or ACC-PERSON, or say why not: `reason: …`");
    }
}

/// Parties that no ID field has, where every ID field has one.
fn unreached_parties(report: &mut Report<'_>, fields: &[FieldDoc]) {
    let ids = || fields.iter().map(|doc| &doc.field).filter(|field| field.labels.is_id());
    let parties: BTreeSet<&String> = ids().filter_map(|field| field.party.as_ref()).collect();
    if parties.is_empty() || ids().any(|field| field.party.is_none()) {
        return;
    }
    for field in fields {
        let Some(party) = field.field.party.as_ref().filter(|party| !parties.contains(party))
        else {
            continue;
        };
        let message = format!("no match can reach {}: no ID field has its party", field.field.path);
        report
            .warning(PARTY_UNREACHED, field.path_at, message)
            .help(format!("check the spelling of `{party}`"));
    }
}

/// Two ID fields of one namespace of which one has no party.
fn same_namespace(report: &mut Report<'_>, fields: &[FieldDoc]) {
    // By namespace: the first ID field, and the first one without a party.
    let mut first: BTreeMap<&NamespaceName, &FieldDoc> = BTreeMap::new();
    let mut first_alone: BTreeMap<&NamespaceName, &FieldDoc> = BTreeMap::new();
    for field in fields.iter().filter(|field| field.field.labels.is_id()) {
        let Some(namespace) = &field.field.namespace else { continue };
        let alone = field.field.party.is_none();
        let earlier = if alone { first.get(namespace) } else { first_alone.get(namespace) };
        if let Some(other) = earlier {
            let (one, two) = (&other.field.path, &field.field.path);
            let message = format!("{one} and {two} are both searched for `{namespace}`");
            report.warning(SAME_NAMESPACE, field.namespace_at, message).help(
                "give each a `party` if they are two people, else `sameSubject: true` on the dataset",
            );
        }
        first.entry(namespace).or_insert(field);
        if alone {
            first_alone.entry(namespace).or_insert(field);
        }
    }
}

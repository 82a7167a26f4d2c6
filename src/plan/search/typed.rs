//! Given values held against the columns of their namespace (RULES.md section 2, `ValueFormat`).

use std::collections::BTreeSet;

use crate::model::{Environment, Reason};
use crate::plan::IdentityId;

use super::known::Known;
use super::lake::Lake;

/// Why a given value rejects its block: it is a placeholder, or it fits no column of its namespace.
/// Data that could not be read makes no value wrong.
pub(super) fn misfit(
    lake: &Lake<'_>,
    known: &Known,
    environment: Environment,
    id: IdentityId,
) -> Option<(Reason, String)> {
    let space = known.space(id);
    let rules = lake.spaces.rules(space);
    let identity = known.get(id);
    if lake.is_placeholder(space, identity.canonical.expose()) {
        let message =
            format!("the value given for {} is a placeholder: it stands for nobody", rules.name);
        return Some((Reason::ValueFormat, message));
    }
    let mut types = BTreeSet::new();
    for (_, table) in lake.in_environment(environment) {
        let carries = |field: &crate::model::Field| {
            field.labels.is_id() && field.namespace.as_ref() == Some(&rules.name)
        };
        if !table.readable && table.policy.fields.iter().any(carries) {
            return None;
        }
        for column in table.ids.iter().filter(|column| column.space == space) {
            if column.shape.kind.key(rules, identity.given.expose()).is_some() {
                return None;
            }
            types.insert(column.shape.kind.describe());
        }
    }
    let types: Vec<String> = types.into_iter().collect();
    (!types.is_empty()).then(|| {
        let message = format!(
            "the value given for {} fits no column of that namespace (they are {})",
            rules.name,
            types.join(", "),
        );
        (Reason::ValueFormat, message)
    })
}

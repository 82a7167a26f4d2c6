//! What is kept from erasure: holds in force, against the rows that were found (RULES.md section 5).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::tz::TimeZone;

use crate::model::{Action, FieldPath, Hold, HoldScope, Name};
use crate::plan::{BlockFound, ResolvedLeaf, RowKey};

use super::Situation;

/// The holds in force.
#[derive(Debug, Default)]
pub(super) struct Holds<'a> {
    /// Whole rows of a dataset.
    datasets: BTreeMap<&'a Name, String>,
    /// Fields of a dataset.
    fields: BTreeMap<&'a Name, Vec<(&'a [FieldPath], String)>>,
    /// Rows of held blocks, by dataset (index into the catalog). They are kept from every delete: what a
    /// court wants kept must not go because another request names the same person.
    rows: BTreeMap<usize, HashMap<RowKey, usize>>,
    requests: Vec<String>,
}

impl<'a> Holds<'a> {
    /// The holds of the policies that are in force, by name.
    pub(super) fn new(situation: Situation<'a>, found: &[BlockFound]) -> Self {
        let today = situation.now.to_zoned(TimeZone::UTC).date();
        let mut holds = Self::default();
        for hold in situation.catalog.holds.iter().filter(|hold| hold.in_force(today)) {
            let why = format!("hold {}: {}", hold.name, hold.reason);
            match &hold.scope {
                HoldScope::Datasets { datasets, fields } if fields.is_empty() => {
                    for dataset in datasets {
                        holds.datasets.entry(dataset).or_insert_with(|| why.clone());
                    }
                }
                HoldScope::Datasets { datasets, fields } => {
                    for dataset in datasets {
                        holds.fields.entry(dataset).or_default().push((fields, why.clone()));
                    }
                }
                HoldScope::Requests { .. } => holds.hold_rows(situation, hold, found, why),
            }
        }
        holds
    }

    fn hold_rows(
        &mut self,
        situation: Situation<'_>,
        hold: &Hold,
        found: &[BlockFound],
        why: String,
    ) {
        let held: Vec<&BlockFound> =
            found.iter().filter(|found| is_held(situation, hold, found)).collect();
        let index = self.requests.len();
        self.requests.push(why);
        for dataset in held.iter().flat_map(|found| &found.datasets) {
            let rows = self.rows.entry(dataset.dataset).or_default();
            for row in &dataset.rows {
                rows.entry(row.at).or_insert(index);
            }
        }
    }

    /// Why a whole row is kept, if it is.
    pub(super) fn row(&self, dataset: usize, name: &Name, at: RowKey) -> Option<&str> {
        if let Some(why) = self.datasets.get(name) {
            return Some(why);
        }
        let index = self.rows.get(&dataset)?.get(&at)?;
        self.requests.get(*index).map(String::as_str)
    }

    /// Why a row must not be removed though only fields of it are held, if so.
    pub(super) fn purge(&self, name: &Name) -> Option<&str> {
        self.fields.get(name).and_then(|holds| holds.first()).map(|(_, why)| why.as_str())
    }

    /// Why a leaf is kept, if it is: it is held, or it is an ID leaf of a dataset with held fields.
    pub(super) fn leaf(&self, name: &Name, leaf: &ResolvedLeaf<'_>) -> Option<&str> {
        let holds = self.fields.get(name)?;
        let named = |paths: &[FieldPath]| paths.iter().any(|path| path.covers(&leaf.leaf.path));
        holds
            .iter()
            .find(|(paths, _)| named(paths))
            .or_else(|| holds.first().filter(|_| leaf.is_id()))
            .map(|(_, why)| why.as_str())
    }
}

/// Whether a block that wants something deleted is of a held request.
fn is_held(situation: Situation<'_>, hold: &Hold, found: &BlockFound) -> bool {
    let HoldScope::Requests { requests, keys } = &hold.scope else { return false };
    let Some(request) = situation.requests.get(found.block.request) else { return false };
    let Some(block) = request.users.get(found.block.user) else { return false };
    let names: BTreeSet<&Name> = requests.iter().collect();
    names.contains(&request.name)
        && (keys.is_empty() || keys.contains(&block.key))
        && block.actions.contains(&Action::Delete)
}

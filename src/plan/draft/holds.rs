//! What is kept from erasure: holds in force, against the rows that were found (RULES.md section 5).

use std::collections::{BTreeMap, HashMap};

use jiff::tz::TimeZone;

use crate::model::{Action, FieldPath, Hold, HoldScope, Name, Reason, UserBlock};
use crate::plan::{BlockFound, BlockRef, ResolvedLeaf, RowKey};

use super::Situation;
use super::triage::unread;

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
    /// Why nobody can tell which rows a hold on a request keeps, if so: nothing may be erased then.
    unknown: Option<String>,
}

impl<'a> Holds<'a> {
    /// The holds of the policies that are in force, by name.
    pub(super) fn new(situation: Situation<'a>, found: &[BlockFound]) -> Self {
        let mut holds = Self::default();
        for hold in in_force(situation) {
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
        let index = self.requests.len();
        for (at, block) in blocks_of(situation, hold) {
            let found = found.iter().find(|found| found.block == at);
            if let Some(found) = found {
                for dataset in found.all_datasets() {
                    let rows = self.rows.entry(dataset.dataset).or_default();
                    for row in &dataset.rows {
                        rows.entry(row.at).or_insert(index);
                    }
                }
            }
            let stop = found.and_then(|found| found.stop.as_ref());
            let stop = stop.filter(|(reason, _)| reason_hides_rows(*reason)).map(|(_, what)| what);
            if let Some(what) = unread(block).or_else(|| stop.cloned()) {
                self.unknown.get_or_insert_with(|| {
                    format!("{why} (which rows it keeps cannot be told: key {}: {what})", block.key)
                });
            }
        }
        self.requests.push(why);
    }

    /// Why nothing may be erased at all: a hold keeps rows that cannot be told from others.
    pub(super) fn unknown(&self) -> Option<&str> {
        self.unknown.as_deref()
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

fn in_force(situation: Situation<'_>) -> impl Iterator<Item = &Hold> {
    let today = situation.now.to_zoned(TimeZone::UTC).date();
    situation.catalog.holds.iter().filter(move |hold| hold.in_force(today))
}

/// The blocks whose rows a hold in force keeps because of their request: done or not, stopped or not.
pub(super) fn held_blocks(
    situation: Situation<'_>,
) -> impl Iterator<Item = (BlockRef, &UserBlock)> {
    in_force(situation).flat_map(move |hold| blocks_of(situation, hold))
}

/// The blocks that want something deleted and are of a request that the hold names.
fn blocks_of<'a>(
    situation: Situation<'a>,
    hold: &'a Hold,
) -> impl Iterator<Item = (BlockRef, &'a UserBlock)> {
    let (requests, keys) = match &hold.scope {
        HoldScope::Requests { requests, keys } => (&requests[..], &keys[..]),
        HoldScope::Datasets { .. } => (&[][..], &[][..]),
    };
    let held = situation
        .requests
        .iter()
        .enumerate()
        .filter(|(_, request)| request.rejected.is_none() && requests.contains(&request.name));
    held.flat_map(move |(request, of)| {
        let at = move |user| BlockRef { request, user };
        let users = of.users.iter().enumerate().map(move |(user, block)| (at(user), block));
        users.filter(|(_, block)| {
            block.rejected.is_none()
                && (keys.is_empty() || keys.contains(&block.key))
                && block.actions.contains(&Action::Delete)
        })
    })
}

/// Whether a search that ended so may have missed rows.
fn reason_hides_rows(reason: Reason) -> bool {
    matches!(reason, Reason::LimitExceeded | Reason::DataUnreadable)
}

//! What is kept from erasure: holds in force, against the rows that were found (RULES.md section 5).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::{
    Action, Catalog, FieldPath, Hold, HoldScope, Name, Reason, Request, TaskId, UserBlock,
};
use crate::plan::{BlockFound, BlockRef, ResolvedLeaf, RowKey};

use super::veiled::unread;
use super::{Evidence, Situation, needs};

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
    pub(super) fn new(situation: Situation<'a>, evidence: Evidence<'_>) -> Self {
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
                HoldScope::Requests { .. } => holds.hold_rows(situation, hold, evidence, why),
            }
        }
        holds
    }

    fn hold_rows(
        &mut self,
        situation: Situation<'_>,
        hold: &Hold,
        evidence: Evidence<'_>,
        why: String,
    ) {
        let found = evidence.found;
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
            let hidden = unread(block).or_else(|| hides_rows(situation, evidence, found?));
            if let Some(what) = hidden {
                let name = situation.requests.get(at.request).map_or("", |of| of.name.as_str());
                let who = format!("{name}/{}", block.key);
                self.unknown.get_or_insert_with(|| unknown(&why, &who, &what));
            }
        }
        if let Some((who, what)) = missing(situation, hold) {
            self.unknown.get_or_insert_with(|| unknown(&why, &who, what));
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

/// The requests (indices) that holds in force name.
pub fn held_requests<'a>(
    catalog: &'a Catalog,
    requests: &'a [Request],
    now: Timestamp,
) -> impl Iterator<Item = usize> + 'a {
    let today = now.to_zoned(TimeZone::UTC).date();
    let names: BTreeSet<&Name> = catalog
        .holds
        .iter()
        .filter(|hold| hold.in_force(today))
        .flat_map(|hold| match &hold.scope {
            HoldScope::Requests { requests, .. } => requests.as_slice(),
            HoldScope::Datasets { .. } => &[],
        })
        .collect();
    let held = requests.iter().enumerate().filter(move |(_, r)| names.contains(&r.name));
    held.map(|(at, _)| at)
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

fn unknown(why: &str, who: &str, what: &str) -> String {
    format!("{why} (which rows it keeps cannot be told: {who}: {what})")
}

/// Why a search may have missed rows of a held block, if so.
fn hides_rows(
    situation: Situation<'_>,
    evidence: Evidence<'_>,
    found: &BlockFound,
) -> Option<String> {
    if let Some((reason, what)) = &found.stop
        && *reason != Reason::IdentityConflict
    {
        return Some(what.clone());
    }
    let request = situation.requests.get(found.block.request)?;
    let block = request.users.get(found.block.user)?;
    let within: BTreeSet<usize> = found.all_datasets().map(|found| found.dataset).collect();
    let needed = needs::reachable(situation.catalog, request, block, &within);
    let names = needed.into_iter().filter_map(|index| situation.catalog.datasets.get(index));
    let faulty = |name: &&Name| {
        let blocks = evidence.blocks.get(*name);
        !evidence.inventory.datasets.contains_key(*name)
            || blocks.is_some_and(|blocks| blocks.search.is_some() || blocks.files.is_some())
    };
    let name = names.map(|dataset| &dataset.name).find(faulty)?;
    Some(format!("dataset {name} cannot be read everywhere"))
}

/// What a hold names of requests, and is not there to be searched: a request or block that is rejected, or that
/// earlier passes knew. Who, and why.
fn missing(situation: Situation<'_>, hold: &Hold) -> Option<(String, &'static str)> {
    let HoldScope::Requests { requests, keys } = &hold.scope else { return None };
    let invalid = "it is not valid: `amparo check` says why";
    let gone = "it is gone: bring it back, or end the hold";
    let known = |name: &Name, key: &String| {
        let action = Some(Action::Delete);
        let id = TaskId { request: name.clone(), key: Some(key.clone()), action };
        situation.ledger.tasks.contains_key(&id)
    };
    requests.iter().find_map(|name| {
        let found: Vec<_> = situation.requests.iter().filter(|r| r.name == *name).collect();
        if found.is_empty() {
            let known = situation.ledger.requests.contains_key(name);
            return known.then(|| (name.to_string(), gone));
        }
        if found.iter().any(|request| request.rejected.is_some()) {
            return Some((name.to_string(), invalid));
        }
        let users = || found.iter().flat_map(|request| &request.users);
        let rejected = users().find(|block| {
            block.rejected.is_some() && (keys.is_empty() || keys.contains(&block.key))
        });
        if let Some(block) = rejected {
            return Some((format!("{name}/{}", block.key), invalid));
        }
        let lost = keys.iter().find(|key| known(name, key) && !users().any(|b| b.key == **key))?;
        Some((format!("{name}/{lost}"), gone))
    })
}

//! Values that a search must find, because another way of reading has just seen them: a search that is
//! broken must not look like one that found nothing.
//!
//! One value is picked per file and ID field, by the reader that fetches rows for packages, and looked for
//! in the very scan that looks for the erased.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use crate::engine::{Engine, EngineError};
use crate::model::{Catalog, Key, Name, Sensitive};
use crate::plan::{DatasetFiles, Hit, IdentityId, Probe, ProbeLeaf, RowKey, RowValue};
use crate::store::in_parallel;

/// Rows of a row group that are looked at for a value.
const LOOKED_AT: u64 = 4096;
/// A value that more rows than this hold among those is no canary: there could be millions.
const RARE: u64 = 16;

/// What became of the canaries of a search.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Canaries {
    /// Values that had to be found.
    pub expected: u64,
    /// Values that were.
    pub found: u64,
    /// By name: the datasets that were searched.
    pub datasets: Vec<DatasetCanaries>,
}

/// The canaries of one dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DatasetCanaries {
    /// The dataset.
    pub dataset: Name,
    /// Values that had to be found.
    pub expected: u64,
    /// Values that were.
    pub found: u64,
    /// ID fields that were searched, and of which no file has a value to look for: nothing shows that
    /// the search sees them.
    pub without: Vec<String>,
}

impl Canaries {
    /// Whether every canary was found.
    pub fn sing(&self) -> bool {
        self.expected == self.found
    }

    fn add(&mut self, dataset: DatasetCanaries) {
        self.expected += dataset.expected;
        self.found += dataset.found;
        self.datasets.push(dataset);
        self.datasets.sort_by(|a, b| a.dataset.cmp(&b.dataset));
    }
}

/// Plants canaries in the first probe of each dataset, and takes them out of its hits.
pub(in crate::reconcile) struct Planter<'a> {
    engine: &'a Engine,
    catalog: &'a Catalog,
    planted: BTreeMap<Name, Option<Planted>>,
    pub(super) canaries: Canaries,
}

/// The canaries in one probe: what must be found where.
struct Planted {
    /// Identities from this number on are canaries.
    base: u32,
    picks: BTreeSet<(RowKey, u16)>,
    without: Vec<String>,
}

impl<'a> Planter<'a> {
    pub(super) fn new(engine: &'a Engine, catalog: &'a Catalog) -> Self {
        Self { engine, catalog, planted: BTreeMap::new(), canaries: Canaries::default() }
    }

    /// Adds a canary for each file, but those left out, and each ID field that the probe searches; once a
    /// dataset.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(in crate::reconcile) fn plant(
        &mut self,
        files: &DatasetFiles,
        left_out: &BTreeSet<u32>,
        probe: &mut Probe,
    ) -> Result<(), EngineError> {
        if self.planted.contains_key(&files.dataset) {
            return Ok(());
        }
        let numbers = (0..u32::MAX).zip(&files.files).map(|(file, _)| file);
        let numbers: Vec<u32> = numbers.filter(|file| !left_out.contains(file)).collect();
        let (engine, leaves) = (self.engine, &probe.leaves);
        let prefixes = self.catalog.settings.erased_prefixes();
        let picked = in_parallel(engine.jobs(), &numbers, |file| {
            picks(engine, files, *file, leaves, &prefixes)
        });
        let mut all = Vec::new();
        for picks in picked {
            all.extend(picks?);
        }
        let planted = put(files, probe, all);
        self.planted.insert(files.dataset.clone(), Some(planted));
        Ok(())
    }

    /// Takes the canaries out of the hits of the probe in which they were planted. None is expected in a
    /// file that turned out unreadable: that is said of the file.
    pub(in crate::reconcile) fn harvest(
        &mut self,
        files: &DatasetFiles,
        is_read: &dyn Fn(u32) -> bool,
        hits: &mut Vec<Hit>,
    ) {
        let planted = self.planted.get_mut(&files.dataset).and_then(Option::take);
        if let Some(mut planted) = planted {
            planted.picks.retain(|(at, _)| is_read(at.file));
            self.canaries.add(planted.harvest(&files.dataset, hits));
        }
    }
}

/// One value of each of these leaves in a file, as far as it has one.
fn picks(
    engine: &Engine,
    files: &DatasetFiles,
    file: u32,
    leaves: &[ProbeLeaf],
    prefixes: &[&str],
) -> Result<Vec<Pick>, EngineError> {
    let mut picks = Vec::new();
    let mut wanted: Vec<&ProbeLeaf> = leaves.iter().collect();
    let Some(data) = files.files.get(file as usize) else { return Ok(picks) };
    let mut start = 0;
    for group in &data.row_groups {
        if wanted.is_empty() {
            break;
        }
        let rows: Vec<RowKey> =
            (start..start + group.rows.min(LOOKED_AT)).map(|row| RowKey { file, row }).collect();
        let mut indices: Vec<u16> = wanted.iter().map(|leaf| leaf.leaf).collect();
        indices.sort_unstable();
        let values = engine.values(files, &rows, &indices)?;
        wanted.retain(|leaf| match pick(files, leaf, &values, prefixes) {
            Some(pick) => {
                picks.push(pick);
                false
            }
            None => true,
        });
        start += group.rows;
    }
    Ok(picks)
}

/// The first value of a leaf that stands for somebody, and for few rows.
fn pick(
    files: &DatasetFiles,
    leaf: &ProbeLeaf,
    values: &[RowValue],
    prefixes: &[&str],
) -> Option<Pick> {
    let shape = files.leaves.get(usize::from(leaf.leaf))?;
    let rules = &leaf.namespace;
    let mut rows: HashMap<Key, usize> = HashMap::new();
    let mut keys = Vec::new();
    for value in values.iter().filter(|value| value.leaf == leaf.leaf) {
        let text = shape.kind.text(value.value.expose());
        // What is no text in a column of text has no key that it could be found by.
        let nobody = rules.is_placeholder(&rules.canonical(&text), prefixes)
            || text.contains(char::REPLACEMENT_CHARACTER);
        let Some(key) = shape.kind.key(rules, &text).filter(|_| !nobody) else { continue };
        *rows.entry(key.clone()).or_default() += 1;
        keys.push((key, value.at));
    }
    // A partition column has one value in all rows of a file: only of a small one it is no flood.
    let most = if shape.partition { LOOKED_AT - 1 } else { RARE };
    let rare = |key: &Key| rows.get(key).is_some_and(|count| *count as u64 <= most);
    let (key, at) = keys.into_iter().find(|(key, _)| rare(key))?;
    Some(Pick { leaf: leaf.leaf, at, key: Sensitive::new(key) })
}

/// A value and where it was seen.
struct Pick {
    leaf: u16,
    at: RowKey,
    key: Sensitive<Key>,
}

/// Adds the picks to a probe, as identities of their own.
fn put(files: &DatasetFiles, probe: &mut Probe, picks: Vec<Pick>) -> Planted {
    let known = probe.leaves.iter().flat_map(|leaf| &leaf.keys).map(|(_, id)| id.0);
    let known = known.chain(probe.all_of.iter().flatten().chain(&probe.alone).map(|id| id.0));
    let base = known.max().map_or(0, |id| id.saturating_add(1));
    let seen: BTreeSet<u16> = picks.iter().map(|pick| pick.leaf).collect();
    let without = probe
        .leaves
        .iter()
        .filter(|leaf| !seen.contains(&leaf.leaf))
        .filter_map(|leaf| files.leaves.get(usize::from(leaf.leaf)))
        .map(|leaf| leaf.path.to_string())
        .collect();
    let mut places = BTreeSet::new();
    for (pick, id) in picks.into_iter().zip(base..) {
        let id = IdentityId(id);
        let Some(leaf) = probe.leaves.iter_mut().find(|leaf| leaf.leaf == pick.leaf) else {
            continue;
        };
        places.insert((pick.at, pick.leaf));
        leaf.keys.push((pick.key.expose().clone(), id));
        probe.alone.push(id);
    }
    for leaf in &mut probe.leaves {
        leaf.keys.sort_unstable();
    }
    Planted { base, picks: places, without }
}

impl Planted {
    fn harvest(self, dataset: &Name, hits: &mut Vec<Hit>) -> DatasetCanaries {
        let mut found = BTreeSet::new();
        hits.retain(|hit| {
            if hit.identity.0 < self.base {
                return true;
            }
            let place = (hit.at, hit.leaf);
            if self.picks.contains(&place) {
                found.insert(place);
            }
            false
        });
        DatasetCanaries {
            dataset: dataset.clone(),
            expected: self.picks.len() as u64,
            found: found.len() as u64,
            without: self.without,
        }
    }
}

#[cfg(test)]
#[path = "canary_tests.rs"]
mod tests;

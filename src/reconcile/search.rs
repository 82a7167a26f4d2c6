//! Carries a search through: the plan says what to read, the engine reads it.

use std::collections::BTreeMap;

use crate::engine::{Engine, EngineError, ProbeOptions};
use crate::model::{Catalog, Name};
use crate::plan::{BlockFound, Inventory, Search, SearchBlock, Step};

use super::{Event, Events, PassError};

/// What a search gave.
pub(super) struct Searched {
    /// By block.
    pub(super) found: Vec<BlockFound>,
    /// Datasets that could not be read to the end, and why, naming the file.
    pub(super) unreadable: BTreeMap<Name, (String, String)>,
    /// Files changed under the search: another look may settle it.
    pub(super) moved: bool,
}

/// Searches all blocks at once: one scan a dataset, then one for each round of expansion. `options` say
/// whether statistics and filters of the files are believed: never for `verify`.
///
/// # Errors
/// The engine as a whole failed; a dataset that cannot be read is an outcome.
pub(super) fn search(
    engine: &Engine,
    catalog: &Catalog,
    inventory: &Inventory,
    blocks: Vec<SearchBlock<'_>>,
    options: ProbeOptions<'_>,
    events: &mut dyn Events,
) -> Result<Searched, PassError> {
    let mut search = Search::new(catalog, inventory, blocks);
    let mut unreadable = BTreeMap::new();
    let mut moved = false;
    loop {
        match search.step() {
            Step::Done => break,
            Step::Probe(probes) => {
                events.event(Event::Stage { name: "searching", steps: probes.len() as u64 });
                for (index, probe) in probes {
                    let Some((name, files)) = files(catalog, inventory, index) else { continue };
                    let hits = match engine.probe(files, &probe, options) {
                        Ok(hits) => hits,
                        Err(error) => {
                            moved |= note(&mut unreadable, name, error)?;
                            Vec::new()
                        }
                    };
                    events.event(Event::Step { what: format!("searched {name}") });
                    search.supply_hits(index, hits);
                }
            }
            Step::Values(wanted) => {
                for wanted in wanted {
                    let Some((name, files)) = files(catalog, inventory, wanted.dataset) else {
                        continue;
                    };
                    let values = match engine.values(files, &wanted.rows, &wanted.leaves) {
                        Ok(values) => values,
                        Err(error) => {
                            moved |= note(&mut unreadable, name, error)?;
                            Vec::new()
                        }
                    };
                    search.supply_values(wanted.dataset, values);
                }
            }
        }
    }
    Ok(Searched { found: search.finish(), unreadable, moved })
}

fn files<'a>(
    catalog: &'a Catalog,
    inventory: &'a Inventory,
    index: usize,
) -> Option<(&'a Name, &'a crate::plan::DatasetFiles)> {
    let dataset = catalog.datasets.get(index)?;
    inventory.datasets.get(&dataset.name).map(|files| (&dataset.name, files))
}

/// Notes a dataset that cannot be read; whether that is because a file changed meanwhile.
pub(super) fn note(
    unreadable: &mut BTreeMap<Name, (String, String)>,
    dataset: &Name,
    error: EngineError,
) -> Result<bool, PassError> {
    let (shown, what, moved) = match error {
        EngineError::Unreadable { shown, what } => (shown, what, false),
        EngineError::Changed { shown } => (shown, "it changed while it was read".to_owned(), true),
        other => return Err(other.into()),
    };
    unreadable.entry(dataset.clone()).or_insert((shown, what));
    Ok(moved)
}

//! Carries a search through: the plan says what to read, the engine reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::engine::{Engine, EngineError, ProbeOptions};
use crate::model::{Catalog, Name};
use crate::plan::{
    BlockFound, DatasetFiles, FileProblem, Hit, Inventory, Probe, RowKey, RowValue, Search,
    SearchBlock, Step,
};
use crate::store::Seen;

use super::verify::Planter;
use super::{Event, Events, PassError, Stop};

/// Files of a dataset that may turn out unreadable while it is searched, each at the price of another
/// scan; with more of them the dataset is.
pub(super) const MOST_UNREADABLE: usize = 16;

/// What a search gave.
pub(super) struct Searched {
    /// By block.
    pub(super) found: Vec<BlockFound>,
    /// What could not be read, by dataset: files, that were left out, or the dataset.
    pub(super) unreadable: BTreeMap<Name, Vec<FileProblem>>,
    /// Files changed under the search: another look may settle it.
    pub(super) moved: bool,
}

/// Where to search.
#[derive(Clone, Copy)]
pub(super) struct Lake<'a> {
    pub(super) engine: &'a Engine,
    pub(super) catalog: &'a Catalog,
    pub(super) inventory: &'a Inventory,
    pub(super) stop: &'a Stop,
}

/// What a search believes besides the bytes that it reads.
pub(super) enum Trust<'a, 'b> {
    /// Statistics and filters of the files, and what earlier passes know of files that have not changed.
    Earlier(Option<&'a mut Seen>),
    /// Nothing, not even itself: it must find the canaries. For `verify`.
    Nothing(&'a mut Planter<'b>),
}

/// Searches all blocks at once: one scan a dataset, then one for each round of expansion. A file that
/// cannot be read is left out, and the others are searched again.
///
/// # Errors
/// The engine as a whole failed, or it was asked to stop; a dataset that cannot be read is an outcome.
pub(super) fn search(
    lake: Lake<'_>,
    blocks: Vec<SearchBlock<'_>>,
    mut trust: Trust<'_, '_>,
    events: &mut dyn Events,
) -> Result<Searched, PassError> {
    let Lake { engine, catalog, inventory, stop } = lake;
    let mut search = Search::new(catalog, inventory, blocks);
    if let Trust::Earlier(Some(seen)) = &mut trust {
        seen.begin(inventory);
    }
    let mut readings: BTreeMap<usize, Reading<'_>> = (0..)
        .zip(&catalog.datasets)
        .filter_map(|(index, dataset)| {
            Some((index, Reading::new(engine, inventory.datasets.get(&dataset.name)?)))
        })
        .collect();
    loop {
        stop.check()?;
        match search.step() {
            Step::Done => break,
            Step::Probe(probes) => {
                events.event(Event::Stage { name: "searching", steps: probes.len() as u64 });
                for (index, mut probe) in probes {
                    stop.check()?;
                    let Some(reading) = readings.get_mut(&index) else { continue };
                    if let Trust::Nothing(planter) = &mut trust {
                        reading.plant(planter, &mut probe)?;
                    }
                    let mut hits = reading.probe(probe, &mut trust)?;
                    if let Trust::Nothing(planter) = &mut trust {
                        planter.harvest(reading.files, &|file| reading.reads(file), &mut hits);
                    }
                    let what = format!("searched {}", reading.files.dataset);
                    events.event(Event::Step { what });
                    search.supply_hits(index, hits);
                }
            }
            Step::Values(wanted) => {
                for wanted in wanted {
                    let Some(reading) = readings.get_mut(&wanted.dataset) else { continue };
                    let values = reading.values(wanted.rows, &wanted.leaves)?;
                    search.supply_values(wanted.dataset, values);
                }
            }
        }
    }
    let moved = readings.values().any(|reading| reading.moved);
    let unreadable = readings
        .into_values()
        .filter(|reading| !reading.problems.is_empty())
        .map(|reading| (reading.files.dataset.clone(), reading.problems))
        .collect();
    Ok(Searched { found: search.finish(), unreadable, moved })
}

/// A dataset that is being searched, and what of it turned out unreadable.
struct Reading<'a> {
    engine: &'a Engine,
    files: &'a DatasetFiles,
    left_out: BTreeSet<u32>,
    problems: Vec<FileProblem>,
    /// Too much cannot be read: nothing more is tried.
    given_up: bool,
    moved: bool,
}

impl<'a> Reading<'a> {
    fn new(engine: &'a Engine, files: &'a DatasetFiles) -> Self {
        let (left_out, problems) = (BTreeSet::new(), Vec::new());
        Self { engine, files, left_out, problems, given_up: false, moved: false }
    }

    fn probe(&mut self, probe: Probe, trust: &mut Trust<'_, '_>) -> Result<Vec<Hit>, PassError> {
        let probe = Arc::new(probe);
        let (mut seen, prune) = match trust {
            Trust::Earlier(seen) => (seen.as_deref_mut(), true),
            Trust::Nothing(_) => (None, false),
        };
        let mut look = seen.as_mut().map(|seen| seen.look(self.files, &probe));
        while !self.given_up {
            let unknown = look.as_mut().and_then(|look| {
                look.leave_out(&self.left_out);
                look.files()
            });
            let chosen = self.candidates();
            let candidates = unknown.or(chosen.as_deref());
            let read = candidates.map_or(self.files.files.len(), <[u32]>::len);
            let (dataset, all) = (&self.files.dataset, self.files.files.len());
            tracing::debug!(%dataset, read, all, "searching files");
            let options = ProbeOptions { prune, candidates };
            match self.engine.probe(self.files, Arc::clone(&probe), options) {
                Ok(hits) => {
                    if let (Some(seen), Some(look)) = (&mut seen, &look) {
                        seen.learn(self.files, look, &hits);
                    }
                    return Ok(hits);
                }
                Err(error) => self.note(error)?,
            }
        }
        Ok(Vec::new())
    }

    fn plant(&mut self, planter: &mut Planter<'_>, probe: &mut Probe) -> Result<(), PassError> {
        while !self.given_up {
            match planter.plant(self.files, &self.left_out, probe) {
                Ok(()) => break,
                Err(error) => self.note(error)?,
            }
        }
        Ok(())
    }

    /// Whether a file is among those that are searched.
    fn reads(&self, file: u32) -> bool {
        !self.given_up && !self.left_out.contains(&file)
    }

    fn values(&mut self, rows: Vec<RowKey>, leaves: &[u16]) -> Result<Vec<RowValue>, PassError> {
        let mut rows = rows;
        while !self.given_up {
            rows.retain(|row| !self.left_out.contains(&row.file));
            match self.engine.values(self.files, &rows, leaves) {
                Ok(values) => return Ok(values),
                Err(error) => self.note(error)?,
            }
        }
        Ok(Vec::new())
    }

    /// The files to search, where some are left out.
    fn candidates(&self) -> Option<Vec<u32>> {
        if self.left_out.is_empty() {
            return None;
        }
        let all = 0..u32::try_from(self.files.files.len()).unwrap_or(u32::MAX);
        Some(all.filter(|file| !self.left_out.contains(file)).collect())
    }

    /// Leaves out the file that could not be read, or gives up.
    fn note(&mut self, error: EngineError) -> Result<(), PassError> {
        let (shown, what) = match error {
            EngineError::Unreadable { shown, what } => (shown, what),
            EngineError::Changed { shown } => {
                self.moved = true;
                (shown, "it changed while it was read".to_owned())
            }
            other => return Err(other.into()),
        };
        let before = self.left_out.len();
        // Several files may be shown alike: which of them it was cannot be told.
        for (index, file) in (0..).zip(&self.files.files) {
            if file.shown == shown && self.left_out.insert(index) {
                self.problems.push(FileProblem::of_file(file.path.clone(), &shown, &what));
            }
        }
        if self.left_out.len() == before || self.left_out.len() > MOST_UNREADABLE {
            self.given_up = true;
            self.problems.push(FileProblem::of_dataset(shown, what));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

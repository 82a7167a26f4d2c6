//! Measures what erasures would change, without writing.

use crate::engine::Engine;
use crate::engine::erase::{EraseError, measure as measure_file};
use crate::model::Name;
use crate::plan::{FileCounts, FileProblem, FileWork};
use crate::store::in_parallel;

use super::{Event, Events, PassError, Stop};

/// A file that could not be measured.
pub(super) struct Unmeasured {
    pub(super) dataset: Name,
    /// Nothing can be erased in it.
    pub(super) problem: FileProblem,
    /// Another writer changed it: another look may settle it.
    pub(super) changed: bool,
}

/// What each file's erasure would change, without writing; in the order of `work`.
///
/// # Errors
/// I/O outside the files, or it was asked to stop. Files that cannot be read are the inner error.
pub(super) fn measure(
    engine: &Engine,
    work: &[FileWork],
    stop: &Stop,
    events: &mut dyn Events,
) -> Result<Result<Vec<FileCounts>, Vec<Unmeasured>>, PassError> {
    let results = in_parallel(engine.jobs(), work, |work| {
        stop.check()?;
        Ok(measure_file(work))
    });
    let (mut counts, mut failed) = (Vec::with_capacity(work.len()), Vec::new());
    for (work, result) in work.iter().zip(results) {
        let result: Result<_, PassError> = result;
        events.event(Event::Step { what: format!("measured {}", work.shown) });
        match result? {
            Ok(measured) => counts.push(measured),
            Err(error) => {
                let changed = matches!(error, EraseError::Changed { .. });
                let what = super::error::chain(&error);
                let problem = FileProblem::of_erasing(work.path.clone(), &work.shown, what);
                failed.push(Unmeasured { dataset: work.dataset.clone(), problem, changed });
            }
        }
    }
    Ok(if failed.is_empty() { Ok(counts) } else { Err(failed) })
}

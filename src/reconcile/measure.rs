//! Measures what erasures would change, without writing.

use std::collections::BTreeMap;

use crate::engine::Engine;
use crate::engine::erase::{EraseError, measure as measure_file};
use crate::model::Name;
use crate::plan::{FileCounts, FileWork};
use crate::store::in_parallel;

use super::{Event, Events, PassError};

/// Datasets in which a file could not be measured: the file, what is wrong, whether it changed.
type Unmeasured = BTreeMap<Name, (String, String, bool)>;

/// What each file's erasure would change, without writing; in the order of `work`.
///
/// # Errors
/// I/O outside the files. Files that cannot be read are the inner error.
pub(super) fn measure(
    engine: &Engine,
    work: &[FileWork],
    events: &mut dyn Events,
) -> Result<Result<Vec<FileCounts>, Unmeasured>, PassError> {
    let results = in_parallel(engine.jobs(), work, measure_file);
    let (mut counts, mut failed) = (Vec::with_capacity(work.len()), Unmeasured::new());
    for (work, result) in work.iter().zip(results) {
        events.event(Event::Step { what: format!("measured {}", work.shown) });
        match result {
            Ok(measured) => counts.push(measured),
            Err(error) => {
                let changed = matches!(error, EraseError::Changed { .. });
                let what = super::error::chain(&error);
                failed.entry(work.dataset.clone()).or_insert((work.shown.clone(), what, changed));
            }
        }
    }
    Ok(if failed.is_empty() { Ok(counts) } else { Err(failed) })
}

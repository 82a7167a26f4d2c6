//! Measures what erasures would change, without writing.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::engine::Engine;
use crate::engine::erase::{EraseError, measure as measure_file};
use crate::model::Name;
use crate::plan::{FileCounts, FileWork};

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

/// Does something for each item on a few threads; the results in the order of the items.
pub(super) fn in_parallel<T: Sync, R: Send>(
    jobs: usize,
    items: &[T],
    each: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(items.len()));
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, items.len().max(1)) {
            scope.spawn(|| {
                while let Some((index, item)) = Some(next.fetch_add(1, Ordering::Relaxed))
                    .and_then(|i| items.get(i).map(|t| (i, t)))
                {
                    let result = each(item);
                    done.lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

//! Find: which rows of a dataset hold which identities, in one scan for everything that is open
//! (RULES.md sections 2 and 3).
//!
//! The scan is a DataFusion plan whose leaf ([`exec`]) reads the ID columns and nothing else, and
//! compares values as they lie in Parquet's pages.
//!
//! How fast it is, and what was tried: `examples/bench/README.md`.

mod chunk;
mod compile;
mod exec;
mod keys;
pub(crate) mod lookup;
mod place;
mod prune;
mod table;
#[cfg(test)]
mod tests;
mod unit;

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{UInt16Type, UInt32Type, UInt64Type};
use datafusion::physical_plan::{ExecutionPlan, collect_partitioned};

use crate::plan::{DatasetFiles, Element, Hit, IdentityId, Probe, RowKey};

use super::EngineError;
use super::session::Session;
use exec::{Output, ProbeExec, ProbePlan};

/// How to search.
#[derive(Debug, Clone, Copy)]
pub struct ProbeOptions<'a> {
    /// Pass over chunks by statistics and Bloom filters where that is exact. `verify` never does.
    pub prune: bool,
    /// Search only these files, by index into [`DatasetFiles::files`]; `None`: all.
    pub candidates: Option<&'a [u32]>,
}

/// A copy: callers that are done with a probe better hand it over.
impl From<&Probe> for Arc<Probe> {
    fn from(probe: &Probe) -> Self {
        Self::new(probe.clone())
    }
}

impl Default for ProbeOptions<'_> {
    fn default() -> Self {
        Self { prune: true, candidates: None }
    }
}

/// See [`super::Engine::probe`].
pub(super) fn probe(
    session: &Session,
    dataset: &DatasetFiles,
    probe: Arc<Probe>,
    options: ProbeOptions<'_>,
) -> Result<Vec<Hit>, EngineError> {
    let mut hits = Vec::new();
    for batch in run(session, dataset, probe, options, Output::Hits)? {
        read_hits(&batch, &mut hits);
    }
    hits.sort_unstable_by(order);
    Ok(hits)
}

/// See [`super::Engine::count_rows`].
pub(super) fn count_rows(
    session: &Session,
    dataset: &DatasetFiles,
    probe: Arc<Probe>,
    options: ProbeOptions<'_>,
) -> Result<Vec<u64>, EngineError> {
    let mut counts = vec![0; dataset.files.len()];
    for batch in run(session, dataset, probe, options, Output::Counts)? {
        let files = batch.column(0).as_primitive::<UInt32Type>();
        let rows = batch.column(1).as_primitive::<UInt64Type>();
        for (file, rows) in files.values().iter().zip(rows.values()) {
            if let Some(count) = counts.get_mut(*file as usize) {
                *count += rows;
            }
        }
    }
    Ok(counts)
}

fn run(
    session: &Session,
    dataset: &DatasetFiles,
    probe: Arc<Probe>,
    options: ProbeOptions<'_>,
    output: Output,
) -> Result<Vec<RecordBatch>, EngineError> {
    if probe.leaves.is_empty() || dataset.files.is_empty() {
        return Ok(Vec::new());
    }
    let candidates: Vec<usize> = match options.candidates {
        Some(chosen) => chosen.iter().map(|file| *file as usize).collect(),
        None => (0..dataset.files.len()).collect(),
    };
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let search =
        ProbeExec::new(dataset, probe, &candidates, (output, options.prune), session.jobs());
    let plan: Arc<dyn ExecutionPlan> = Arc::new(ProbePlan(Arc::new(search)));
    let partitions = session.run(collect_partitioned(plan, session.task_context()?))?;
    Ok(partitions.into_iter().flatten().collect())
}

fn read_hits(batch: &RecordBatch, hits: &mut Vec<Hit>) {
    let files = batch.column(0).as_primitive::<UInt32Type>().values();
    let rows = batch.column(1).as_primitive::<UInt64Type>().values();
    let leaves = batch.column(2).as_primitive::<UInt16Type>().values();
    let identities = batch.column(3).as_primitive::<UInt32Type>().values();
    let elements = batch.column(4).as_list::<i32>();
    hits.reserve(batch.num_rows());
    for at in 0..batch.num_rows() {
        let element = elements.value(at);
        let element: Element =
            element.as_primitive::<UInt32Type>().values().iter().copied().collect();
        hits.push(Hit {
            at: RowKey { file: files[at], row: rows[at] },
            leaf: leaves[at],
            identity: IdentityId(identities[at]),
            element,
        });
    }
}

/// By file, row, leaf, element, identity.
fn order(a: &Hit, b: &Hit) -> std::cmp::Ordering {
    (a.at, a.leaf, &a.element, a.identity).cmp(&(b.at, b.leaf, &b.element, b.identity))
}

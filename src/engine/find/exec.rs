//! The search as an operator of a DataFusion plan: a leaf of the plan that reads its files itself and
//! puts out matches.
//!
//! What it works on are plain values (files, leaves, keys, options), so that a plan with it can be sent
//! to other machines; everything else is made when it runs. Partitions take row groups from one queue.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use arrow::array::{
    ArrayRef, ListBuilder, RecordBatch, UInt16Array, UInt32Array, UInt32Builder, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::TryStreamExt;

use crate::model::{Key, Leaf};
use crate::plan::{DataFile, DatasetFiles, Probe, ProbeLeaf};

use super::super::EngineError;
use super::super::guard::guarded;
use super::super::opened::{self, Opened};
use super::compile::{KeyCache, Wanted};
use super::keys::Stored;
use super::unit::{Company, RawHit, Target, Unit};

/// What the operator puts out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// (file, row, leaf, identity, element) of every match, unsorted.
    Hits,
    /// (file, rows) of every row group: how many rows match.
    Counts,
}

/// The search of one dataset.
#[derive(Debug)]
pub(super) struct ProbeExec {
    files: Arc<Vec<DataFile>>,
    leaves: Arc<Vec<Leaf>>,
    probe: Arc<Probe>,
    output: Output,
    prune: bool,
    /// (file, row group) in order.
    units: Vec<(usize, usize)>,
    next: AtomicUsize,
    slots: Vec<Slot>,
    keys: KeyCache,
    company: Company,
    properties: Arc<PlanProperties>,
}

/// A file while its row groups are searched.
#[derive(Debug, Default)]
struct Slot {
    opened: Mutex<Option<Arc<Searched>>>,
    /// Row groups still to do.
    left: AtomicUsize,
}

/// An open file and what to look for in it.
#[derive(Debug)]
struct Searched {
    file: Opened,
    targets: Vec<Target>,
    everywhere: Vec<RawHit>,
    /// Row number at which each row group begins.
    starts: Vec<u64>,
}

impl ProbeExec {
    /// The search of these files (by index into `dataset.files`) by `partitions` at a time.
    pub(super) fn new(
        dataset: &DatasetFiles,
        probe: Arc<Probe>,
        candidates: &[usize],
        (output, prune): (Output, bool),
        partitions: usize,
    ) -> Self {
        let units: Vec<(usize, usize)> = candidates
            .iter()
            .filter_map(|at| dataset.files.get(*at).map(|file| (*at, file)))
            .flat_map(|(at, file)| (0..file.row_groups.len()).map(move |group| (at, group)))
            .collect();
        let slots = dataset
            .files
            .iter()
            .map(|file| Slot {
                left: AtomicUsize::new(file.row_groups.len()),
                opened: Mutex::new(None),
            })
            .collect();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema(output)),
            Partitioning::UnknownPartitioning(partitions.clamp(1, units.len().max(1))),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self {
            files: Arc::new(dataset.files.clone()),
            leaves: Arc::new(dataset.leaves.clone()),
            output,
            prune,
            units,
            next: AtomicUsize::new(0),
            slots,
            keys: KeyCache::default(),
            company: Company::new(&probe),
            probe,
            properties: Arc::new(properties),
        }
    }

    /// Takes the next row group off the queue and searches it; `None` where the queue is empty.
    fn next(&self) -> Option<Result<RecordBatch, EngineError>> {
        let (file, group) = *self.units.get(self.next.fetch_add(1, Ordering::Relaxed))?;
        let result = guarded(|| self.unit(file, group)).unwrap_or_else(|| {
            let what = format!("row group {group} does not decode");
            Err(self.fault(file, what))
        });
        if result.is_err() {
            self.next.store(self.units.len(), Ordering::Relaxed);
        }
        Some(result)
    }

    fn fault(&self, file: usize, what: String) -> EngineError {
        self.files
            .get(file)
            .map_or(EngineError::Bug("a file that is not there"), |f| opened::unreadable(f, what))
    }

    fn unit(&self, at: usize, group: usize) -> Result<RecordBatch, EngineError> {
        let bug = EngineError::Bug("a file that is not there");
        let (Some(file), Some(slot)) = (self.files.get(at), self.slots.get(at)) else {
            return Err(bug);
        };
        let searched = self.searched(file, slot)?;
        let unit = Unit {
            file: &searched.file,
            group,
            targets: &searched.targets,
            everywhere: &searched.everywhere,
            company: &self.company,
            prune: self.prune,
        };
        let number = u32::try_from(at).unwrap_or(u32::MAX);
        let columns = match self.output {
            Output::Counts => {
                let rows = unit.count().map_err(|what| self.fault(at, what))?;
                vec![
                    Arc::new(UInt32Array::from(vec![number])) as ArrayRef,
                    Arc::new(UInt64Array::from(vec![rows])),
                ]
            }
            Output::Hits => {
                let hits = unit.hits().map_err(|what| self.fault(at, what))?;
                let start = searched.starts.get(group).copied().unwrap_or_default();
                columns(number, start, hits)
            }
        };
        if slot.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            if let Ok(mut opened) = slot.opened.lock() {
                *opened = None;
            }
            opened::still_the_same(file)?;
        }
        RecordBatch::try_new(schema(self.output), columns)
            .map_err(|_| EngineError::Bug("matches that do not fit their schema"))
    }

    /// The file, opened by whoever comes first.
    fn searched(&self, file: &DataFile, slot: &Slot) -> Result<Arc<Searched>, EngineError> {
        let poisoned = |_| EngineError::Bug("a search that broke off");
        let mut opened = slot.opened.lock().map_err(poisoned)?;
        if let Some(searched) = opened.as_ref() {
            return Ok(Arc::clone(searched));
        }
        let searched = Arc::new(self.open(file)?);
        *opened = Some(Arc::clone(&searched));
        Ok(searched)
    }

    fn open(&self, file: &DataFile) -> Result<Searched, EngineError> {
        let missing = EngineError::Bug("a leaf that is not there");
        let wanted: Vec<&Leaf> = self
            .probe
            .leaves
            .iter()
            .map(|probe| self.leaves.get(usize::from(probe.leaf)))
            .collect::<Option<_>>()
            .ok_or(missing)?;
        let opened = opened::open(file, &wanted)?;
        let mut found = Vec::new();
        let mut everywhere = Vec::new();
        for (number, (probe, leaf)) in self.probe.leaves.iter().zip(&wanted).enumerate() {
            if leaf.partition {
                everywhere.extend(partition_hits(file, leaf, probe));
                continue;
            }
            let Some(Some(column)) = opened.columns.get(number) else { continue };
            let schema = opened.metadata.file_metadata().schema_descr();
            let Some(described) = schema.columns().get(column.index) else { continue };
            let stored =
                Stored { kind: column.leaf.kind.clone(), physical: described.physical_type() };
            found.push((column.index, Wanted { number, probe, leaf, stored }));
        }
        let (columns, wanted): (Vec<usize>, Vec<Wanted<'_>>) = found.into_iter().unzip();
        let leaves: Vec<u16> = wanted.iter().map(|wanted| wanted.probe.leaf).collect();
        let keys = self.keys.get(wanted, &|identity| self.company.counts_alone(identity));
        let targets = leaves
            .into_iter()
            .zip(columns)
            .zip(keys)
            .map(|((leaf, column), keys)| Target { leaf, column, keys })
            .collect();
        let starts = file
            .row_groups
            .iter()
            .scan(0, |next, group| {
                let start = *next;
                *next += group.rows;
                Some(start)
            })
            .collect();
        Ok(Searched { file: opened, targets, everywhere, starts })
    }
}

/// What a partition column matches: the same on every row of the file.
fn partition_hits(file: &DataFile, leaf: &Leaf, probe: &ProbeLeaf) -> Vec<RawHit> {
    let [name] = leaf.path.parts() else { return Vec::new() };
    let value = file.partitions.iter().find(|(known, _)| known == name);
    let Some((_, Some(value))) = value else { return Vec::new() };
    let key = Key::Text(probe.namespace.canonical(value));
    let from = probe.keys.partition_point(|(known, _)| *known < key);
    let equal = probe.keys.iter().skip(from).take_while(|(known, _)| *known == key);
    equal
        .map(|(_, identity)| RawHit {
            row: 0,
            leaf: probe.leaf,
            element: Box::default(),
            identity: *identity,
        })
        .collect()
}

/// The schema of what is put out.
fn schema(output: Output) -> SchemaRef {
    static HITS: OnceLock<SchemaRef> = OnceLock::new();
    static COUNTS: OnceLock<SchemaRef> = OnceLock::new();
    let field = |name: &str, kind| Field::new(name, kind, false);
    match output {
        Output::Hits => HITS.get_or_init(|| {
            let index = Arc::new(Field::new("item", DataType::UInt32, true));
            Arc::new(Schema::new(vec![
                field("file", DataType::UInt32),
                field("row", DataType::UInt64),
                field("leaf", DataType::UInt16),
                field("identity", DataType::UInt32),
                field("element", DataType::List(index)),
            ]))
        }),
        Output::Counts => COUNTS.get_or_init(|| {
            let fields = vec![field("file", DataType::UInt32), field("rows", DataType::UInt64)];
            Arc::new(Schema::new(fields))
        }),
    }
    .clone()
}

fn columns(file: u32, start: u64, hits: Vec<RawHit>) -> Vec<ArrayRef> {
    let mut elements = ListBuilder::new(UInt32Builder::new());
    for hit in &hits {
        elements.values().append_slice(&hit.element);
        elements.append(true);
    }
    vec![
        Arc::new(UInt32Array::from(vec![file; hits.len()])),
        Arc::new(hits.iter().map(|hit| start + hit.row).collect::<UInt64Array>()),
        Arc::new(hits.iter().map(|hit| hit.leaf).collect::<UInt16Array>()),
        Arc::new(hits.iter().map(|hit| hit.identity.0).collect::<UInt32Array>()),
        Arc::new(elements.finish()),
    ]
}

impl DisplayAs for ProbeExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (files, leaves) = (self.files.len(), self.probe.leaves.len());
        write!(f, "ProbeExec: files={files}, leaves={leaves}, prune={}", self.prune)
    }
}

/// The operator itself, shared with the streams that it starts.
#[derive(Debug, Clone)]
pub(super) struct ProbePlan(pub(super) Arc<ProbeExec>);

impl DisplayAs for ProbePlan {
    fn fmt_as(&self, kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_as(kind, f)
    }
}

impl ExecutionPlan for ProbePlan {
    fn name(&self) -> &'static str {
        "ProbeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.0.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DataFusionResult<TreeNodeRecursion>,
    ) -> DataFusionResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(
        &self,
        _partition: usize,
        _context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let search = Arc::clone(&self.0);
        let batches = futures::stream::iter(std::iter::from_fn(move || search.next()))
            .map_err(|error| DataFusionError::External(Box::new(error)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema(self.0.output), batches)))
    }
}

//! Fetches every row once and hands it to the tasks that own it, in the order of the packages.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use arrow::array::ArrayRef;

use crate::engine::fetch::FetchedBatch;
use crate::model::{Leaf, Name};
use crate::plan::{AccessDataset, Inventory, Reach, RowKey};

use super::cell::encode_cell;
use super::copies::{Copies, Removed};
use super::layout;
use super::record::{RecordKey, Time, number, time_of};
use super::sorter::{Sorted, Sorter};
use super::value::{decode, encode};
use super::{AccessError, AccessTask, RowSource, Workspace};

/// The rows of all tasks, sorted as [`RecordKey`] sorts, and what is known of them.
pub(super) struct Gathered {
    sorted: Sorted,
    failed: Vec<Option<AccessError>>,
    removed: Vec<Removed>,
    /// Encoded bytes of each task's rows.
    bytes: Vec<u64>,
}

/// The records of one task: the cursor stands on the first of them.
pub(super) struct TaskRows<'a> {
    task: u32,
    sorted: &'a mut Sorted,
    /// Copies that are not to be shown.
    pub(super) removed: &'a Removed,
    /// Encoded bytes of all its rows.
    pub(super) bytes: u64,
}

impl Gathered {
    /// Why a task cannot be packed.
    pub(super) fn failed(&self, task: usize) -> Option<&AccessError> {
        self.failed.get(task).and_then(Option::as_ref)
    }

    /// The rows of a task; tasks are asked for in their order.
    pub(super) fn rows_of(&mut self, task: usize) -> TaskRows<'_> {
        TaskRows {
            task: number(task),
            sorted: &mut self.sorted,
            removed: &self.removed[task],
            bytes: self.bytes[task],
        }
    }

    /// Moves past whatever a task has left.
    pub(super) fn skip(&mut self, task: usize) -> Result<(), AccessError> {
        let mut rows = self.rows_of(task);
        while rows.current()?.is_some() {
            rows.advance()?;
        }
        Ok(())
    }
}

impl TaskRows<'_> {
    /// The record at the cursor, and its encoded cells; `None` at the task's end.
    pub(super) fn current(&self) -> Result<Option<(RecordKey, &[u8])>, AccessError> {
        let Some((key, cells)) = self.sorted.current() else { return Ok(None) };
        let key = RecordKey::read(key).ok_or(AccessError::Bug("a record's key is damaged"))?;
        Ok((key.task == self.task).then_some((key, cells)))
    }

    /// Moves to the next record.
    pub(super) fn advance(&mut self) -> Result<(), AccessError> {
        self.sorted.advance()
    }
}

/// Fetches the rows of all tasks, dataset by dataset.
pub(super) fn gather(
    tasks: &[AccessTask<'_>],
    inventory: &Inventory,
    source: &mut dyn RowSource,
    space: &Workspace,
) -> Result<Gathered, AccessError> {
    let mut by_dataset: BTreeMap<&Name, Vec<(usize, usize)>> = BTreeMap::new();
    let mut failed = vec![None; tasks.len()];
    for (index, task) in tasks.iter().enumerate() {
        let datasets = &task.work.datasets;
        if datasets.iter().all(|dataset| dataset.rows.is_empty()) {
            failed[index] = Some(AccessError::Nothing);
        }
        for (position, dataset) in datasets.iter().enumerate().filter(|(_, d)| !d.rows.is_empty()) {
            by_dataset.entry(&dataset.dataset).or_default().push((index, position));
        }
    }
    let mut sink = Sink {
        sorter: Sorter::new(&space.scratch, space.memory / 2),
        copies: Copies::new(&space.scratch, space.memory / 8),
        bytes: vec![0; tasks.len()],
    };
    for (name, owners) in by_dataset {
        // A task that has failed already needs nothing more.
        let owners: Vec<_> =
            owners.into_iter().filter(|(task, _)| failed[*task].is_none()).collect();
        if owners.is_empty() {
            continue;
        }
        let Err(error) = fetch_dataset(name, &owners, tasks, inventory, source, &mut sink) else {
            continue;
        };
        if error.stops_all() {
            return Err(error);
        }
        for (task, _) in owners {
            failed[task] = Some(error.clone());
        }
    }
    let removed = sink.copies.find(tasks)?;
    Ok(Gathered { sorted: sink.sorter.finish()?, failed, removed, bytes: sink.bytes })
}

/// Where fetched rows go.
struct Sink {
    sorter: Sorter,
    copies: Copies,
    bytes: Vec<u64>,
}

/// One row of one task.
struct Route {
    at: RowKey,
    owner: u32,
    row: u32,
    delivered: bool,
}

/// A task's part of a dataset.
struct Owner<'a> {
    task: usize,
    product: u32,
    position: u32,
    work: &'a AccessDataset,
    /// Columns of person rows and of device rows.
    columns: [Vec<usize>; 2],
}

fn fetch_dataset(
    name: &Name,
    owners: &[(usize, usize)],
    tasks: &[AccessTask<'_>],
    inventory: &Inventory,
    source: &mut dyn RowSource,
    sink: &mut Sink,
) -> Result<(), AccessError> {
    let leaves = inventory
        .datasets
        .get(name)
        .map(|files| files.leaves.as_slice())
        .ok_or(AccessError::Bug("a package needs a dataset that was not looked at"))?;
    let owners: Vec<Owner<'_>> = owners
        .iter()
        .map(|&(task, position)| {
            let work = &tasks[task].work.datasets[position];
            Owner {
                task,
                product: layout::product_rank(tasks[task].work, &work.product),
                position: number(position),
                work,
                columns: [layout::eligible(work, true), layout::eligible(work, false)],
            }
        })
        .collect();
    let mut routes: Vec<Route> = owners
        .iter()
        .enumerate()
        .flat_map(|(owner, o)| {
            o.work.rows.iter().enumerate().map(move |(row, r)| Route {
                at: r.at,
                owner: number(owner),
                row: number(row),
                delivered: false,
            })
        })
        .collect();
    routes.sort_unstable_by_key(|route| (route.at, route.owner, route.row));
    let mut rows: Vec<RowKey> = routes.iter().map(|route| route.at).collect();
    rows.dedup();
    let wanted: BTreeSet<u16> = owners
        .iter()
        .flat_map(|o| {
            let extra = o.work.timestamp.into_iter().chain(o.work.hit_id);
            o.work.columns.iter().map(|column| column.leaf).chain(extra)
        })
        .collect();
    let wanted: Vec<u16> = wanted.into_iter().collect();

    let mut router = Router { name, leaves, owners, routes, sink, cells: Vec::new() };
    let mut outcome = Ok(());
    let fetched = source.fetch(name, &wanted, &rows, &mut |batch| {
        outcome = router.take(&batch);
        if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    outcome?;
    fetched.map_err(|source| AccessError::Fetch {
        dataset: name.clone(),
        source: std::sync::Arc::new(source),
    })?;
    let missing = router.routes.iter().filter(|route| !route.delivered).count();
    if missing > 0 {
        let wanted = router.routes.len();
        return Err(AccessError::RowsMissing { dataset: name.clone(), missing, wanted });
    }
    Ok(())
}

struct Router<'a> {
    name: &'a Name,
    leaves: &'a [Leaf],
    owners: Vec<Owner<'a>>,
    /// Sorted by row.
    routes: Vec<Route>,
    sink: &'a mut Sink,
    /// Encoded cells of one record; kept for its memory.
    cells: Vec<u8>,
}

impl Router<'_> {
    fn take(&mut self, batch: &FetchedBatch) -> Result<(), AccessError> {
        let columns: BTreeMap<u16, &ArrayRef> =
            batch.columns.iter().map(|(leaf, array)| (*leaf, array)).collect();
        if columns.values().any(|array| array.len() != batch.rows.len()) {
            return Err(AccessError::Bug("a column is not as long as its batch"));
        }
        for (position, row) in batch.rows.iter().enumerate() {
            let at = RowKey { file: batch.file, row: *row };
            let first = self.routes.partition_point(|route| route.at < at);
            let count = self.routes[first..].iter().take_while(|route| route.at == at).count();
            if count == 0 {
                return Err(AccessError::Bug("a row came that was not asked for"));
            }
            for route in first..first + count {
                self.give(route, &columns, position)?;
            }
        }
        Ok(())
    }

    /// Hands one row of a batch to one task.
    fn give(
        &mut self,
        route: usize,
        columns: &BTreeMap<u16, &ArrayRef>,
        position: usize,
    ) -> Result<(), AccessError> {
        let route = &mut self.routes[route];
        if std::mem::replace(&mut route.delivered, true) {
            return Err(AccessError::Bug("a row came twice"));
        }
        let (at, row) = (route.at, route.row);
        let owner = &self.owners[route.owner as usize];
        let access = &owner.work.rows[row as usize];
        let mut cells = std::mem::take(&mut self.cells);
        cells.clear();
        for &column in &owner.columns[usize::from(!access.person)] {
            let narrowed = access.narrowed.iter().find(|(index, _)| usize::from(*index) == column);
            let reach = narrowed.map_or(&Reach::All, |(_, reach)| reach);
            self.encode(owner.work.columns[column].leaf, reach, columns, position, &mut cells)?;
        }
        let mut probe = Vec::new();
        let time = match owner.work.timestamp {
            Some(leaf) => {
                self.encode(leaf, &Reach::All, columns, position, &mut probe)?;
                decode(&mut &*probe).map_or(Time::Missing, |value| time_of(&value))
            }
            None => Time::Missing,
        };
        let key = RecordKey {
            task: number(owner.task),
            product: owner.product,
            device: !access.person,
            time,
            dataset: owner.position,
            at,
            row,
        };
        if let Some(leaf) = owner.work.hit_id {
            probe.clear();
            self.encode(leaf, &Reach::All, columns, position, &mut probe)?;
            if let Some(value) = decode(&mut &*probe).filter(|value| !value.is_blank()) {
                self.sink.copies.add(&key, &value)?;
            }
        }
        self.sink.sorter.push(&key.bytes(), &cells)?;
        self.sink.bytes[owner.task] += cells.len() as u64;
        self.cells = cells;
        Ok(())
    }

    fn encode(
        &self,
        leaf: u16,
        reach: &Reach,
        columns: &BTreeMap<u16, &ArrayRef>,
        position: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), AccessError> {
        let array =
            columns.get(&leaf).ok_or(AccessError::Bug("a column did not come with its batch"))?;
        let leaf = self
            .leaves
            .get(usize::from(leaf))
            .ok_or(AccessError::Bug("a column is none of the dataset's"))?;
        if array.data_type() == &arrow::datatypes::DataType::Null {
            out.push(encode::NULL);
            return Ok(());
        }
        encode_cell(array, position, &leaf.kind, reach, out).map_err(|_| AccessError::Unsupported {
            dataset: self.name.clone(),
            field: leaf.path.clone(),
            kind: array.data_type().to_string(),
        })
    }
}

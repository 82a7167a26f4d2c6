//! Values of chosen rows, as keys.

use crate::model::{Leaf, Sensitive};
use crate::plan::{DataFile, DatasetFiles, RowKey, RowValue};
use crate::store::in_parallel;

use super::super::EngineError;
use super::super::leaf::{each_place, key, partition_key};
use super::super::opened::Column;
use super::rows::{GroupRows, by_file, each_group, leaves, partition};

/// See [`crate::engine::Engine::values`].
pub(in super::super) fn values(
    jobs: usize,
    dataset: &DatasetFiles,
    rows: &[RowKey],
    indices: &[u16],
) -> Result<Vec<RowValue>, EngineError> {
    let wanted = leaves(dataset, indices)?;
    let found = in_parallel(jobs, &by_file(rows), |rows| of_file(dataset, rows, indices, &wanted));
    let mut all = Vec::with_capacity(rows.len());
    for found in found {
        all.append(&mut found?);
    }
    Ok(all)
}

fn of_file(
    dataset: &DatasetFiles,
    rows: &[RowKey],
    indices: &[u16],
    wanted: &[&Leaf],
) -> Result<Vec<RowValue>, EngineError> {
    let mut found = Vec::new();
    each_group(dataset, rows, wanted, |number, file, chosen| {
        for ((index, leaf), column) in indices.iter().zip(wanted).zip(&chosen.file.columns) {
            let at = Place { file: number, leaf: *index };
            match column {
                Some(column) => at.stored(leaf, column, &chosen, &mut found)?,
                None if leaf.partition => at.partition(leaf, file, &chosen, &mut found),
                None => {}
            }
        }
        Ok(true)
    })?;
    found.sort_by(|a, b| (a.at, a.leaf, &a.element).cmp(&(b.at, b.leaf, &b.element)));
    Ok(found)
}

#[derive(Clone, Copy)]
struct Place {
    file: u32,
    leaf: u16,
}

impl Place {
    fn stored(
        self,
        leaf: &Leaf,
        column: &Column,
        chosen: &GroupRows<'_>,
        found: &mut Vec<RowValue>,
    ) -> Result<(), String> {
        const BATCH: usize = 4096;
        let mut reader = chosen.reader(column.index)?;
        let schema = chosen.file.metadata.file_metadata().schema_descr();
        let max_definition = schema.column(column.index).max_def_level();
        for some in chosen.rows.chunks(BATCH) {
            let broken = |_| chosen.broken(column.index);
            let rows = reader.rows(some).map_err(broken)?;
            each_place(&rows, max_definition, leaf.lists.len(), |row, element, value| {
                let row = some.get(row).ok_or(super::super::leaf::Broken)?;
                let at = RowKey { file: self.file, row: chosen.start + row };
                if let Some(key) = key(&rows.values, value, &column.leaf.kind, &leaf.kind) {
                    let value = Sensitive::new(key);
                    found.push(RowValue { at, leaf: self.leaf, element: element.into(), value });
                }
                Ok(())
            })
            .map_err(broken)?;
        }
        Ok(())
    }

    fn partition(
        self,
        leaf: &Leaf,
        file: &DataFile,
        chosen: &GroupRows<'_>,
        found: &mut Vec<RowValue>,
    ) {
        let Some(value) = partition(file, leaf) else { return };
        found.extend(chosen.rows.iter().map(|row| RowValue {
            at: RowKey { file: self.file, row: chosen.start + row },
            leaf: self.leaf,
            element: Box::default(),
            value: Sensitive::new(partition_key(value)),
        }));
    }
}

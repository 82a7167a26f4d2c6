//! Chosen rows, file by file and row group by row group.

use crate::model::Leaf;
use crate::plan::{DataFile, DatasetFiles, RowKey};

use super::super::EngineError;
use super::super::guard::guarded;
use super::super::leaf::Reader;
use super::super::opened::{self, Opened};

/// Rows of one row group.
pub(super) struct GroupRows<'a> {
    pub(super) file: &'a Opened,
    pub(super) group: usize,
    /// Row number, in the file, of the row group's first row.
    pub(super) start: u64,
    /// Positions in the row group, ascending.
    pub(super) rows: Vec<u64>,
}

impl GroupRows<'_> {
    /// A reader of the chunk of that column.
    pub(super) fn reader(&self, column: usize) -> Result<Reader, String> {
        let groups = self.file.metadata.row_groups();
        let group = groups.get(self.group).ok_or("has fewer row groups than planned")?;
        let chunk = group.columns().get(column).ok_or("has fewer columns than its schema")?;
        let rows = u64::try_from(group.num_rows()).unwrap_or(0);
        Reader::new(&self.file.source, chunk, rows).map_err(|_| self.broken(column))
    }

    /// That a column does not decode, in words.
    pub(super) fn broken(&self, column: usize) -> String {
        let schema = self.file.metadata.file_metadata().schema_descr();
        let name = schema.columns().get(column).map(|column| column.path().string());
        let name = name.unwrap_or_default();
        format!("column `{name}` of row group {} does not decode", self.group)
    }
}

/// The rows (sorted, distinct) by their files.
pub(super) fn by_file(rows: &[RowKey]) -> Vec<&[RowKey]> {
    rows.chunk_by(|a, b| a.file == b.file).collect()
}

/// Opens a file and calls `work` for each of its row groups that has some of `rows`, which are all of this
/// file, in order. `work` answers whether to go on.
pub(super) fn each_group(
    dataset: &DatasetFiles,
    rows: &[RowKey],
    leaves: &[&Leaf],
    mut work: impl FnMut(u32, &DataFile, GroupRows<'_>) -> Result<bool, String>,
) -> Result<(), EngineError> {
    let Some(number) = rows.first().map(|row| row.file) else { return Ok(()) };
    let file = dataset
        .files
        .get(number as usize)
        .ok_or(EngineError::Bug("a row of a file that is not there"))?;
    let opened = guarded(|| opened::open(file, leaves))
        .unwrap_or_else(|| Err(opened::unreadable(file, "has a footer that does not parse")))?;
    let mut rest = rows;
    let mut start = 0;
    for (group, size) in file.row_groups.iter().map(|group| group.rows).enumerate() {
        let (inside, after) = rest.split_at(rest.partition_point(|row| row.row < start + size));
        rest = after;
        if !inside.is_empty() {
            let rows = inside.iter().map(|row| row.row - start).collect();
            let chosen = GroupRows { file: &opened, group, start, rows };
            let go_on = guarded(|| work(number, file, chosen))
                .unwrap_or_else(|| Err(format!("row group {group} does not decode")))
                .map_err(|what| opened::unreadable(file, what))?;
            if !go_on {
                return Ok(());
            }
        }
        start += size;
    }
    if !rest.is_empty() {
        return Err(EngineError::Bug("a row beyond the end of its file"));
    }
    opened::still_the_same(file)
}

/// The leaves of these indices.
pub(super) fn leaves<'a>(
    dataset: &'a DatasetFiles,
    indices: &[u16],
) -> Result<Vec<&'a Leaf>, EngineError> {
    indices
        .iter()
        .map(|leaf| dataset.leaves.get(usize::from(*leaf)))
        .collect::<Option<_>>()
        .ok_or(EngineError::Bug("a leaf that is not there"))
}

/// The value of a partition column in a file.
pub(super) fn partition<'a>(file: &'a DataFile, leaf: &Leaf) -> Option<&'a str> {
    let [name] = leaf.path.parts() else { return None };
    let (_, value) = file.partitions.iter().find(|(known, _)| known == name)?;
    value.as_deref()
}

//! Reads chosen rows: values for expansion, and Arrow batches for packages. Only the leaves asked for
//! are read, and only the rows asked for are decoded.
//!
//! Guarantees: what comes out is the same, in the same order, however many threads read. For each thread
//! memory holds a few batches of rows and a page of each leaf, whatever the size of the files.

mod batches;
mod ordered;
mod rows;
#[cfg(test)]
mod tests;
mod values;

use arrow::array::ArrayRef;

pub(super) use batches::fetch;
pub(super) use values::values;

/// Some of the rows that were asked for, all of one file.
///
/// Each column is one leaf's view of those rows, one entry a row, in the type that the leaf has over
/// the whole dataset (a partition column is text, repeated; floats keep the file's own width; a leaf
/// that the file lacks is null, of whatever type):
/// - a leaf in no list: a flat array; it is null where the leaf, or a struct above it, is null;
/// - a leaf in k lists or maps: k nested `ListArray`s around the leaf's values, structs left out. A
///   list is null where it, or a struct above it, is null.
#[derive(Clone)]
pub struct FetchedBatch {
    /// Index into [`crate::plan::DatasetFiles::files`].
    pub file: u32,
    /// Positions in the file, ascending; as many as each column has entries.
    pub rows: Vec<u64>,
    /// (leaf index, its view), in the order in which the leaves were asked for.
    pub columns: Vec<(u16, ArrayRef)>,
}

impl std::fmt::Debug for FetchedBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (file, rows, columns) = (self.file, self.rows.len(), self.columns.len());
        write!(f, "FetchedBatch of file {file}: {rows} rows, {columns} columns")
    }
}

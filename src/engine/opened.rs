//! A data file opened for a scan: still the one that was inventoried, and with the leaves that are
//! wanted found in its own schema.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;

use parquet::file::metadata::ParquetMetaData;

use crate::model::{FieldPath, Leaf};
use crate::plan::DataFile;

use super::EngineError;
use super::footer;
use super::schema::{FileLeaf, layout};
use super::source::{Source, modified};

/// An opened file.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) source: Source,
    pub(crate) metadata: ParquetMetaData,
    /// For each wanted leaf, in the order asked for: its column in this file; `None` where the file
    /// lacks it.
    pub(crate) columns: Vec<Option<Column>>,
}

/// A leaf as this file has it.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// Column index in the file.
    pub(crate) index: usize,
    pub(crate) leaf: FileLeaf,
}

/// Opens a file and finds the wanted leaves in it.
///
/// # Errors
/// [`EngineError::Changed`] where it is no longer the file of the inventory, and
/// [`EngineError::Unreadable`].
pub(crate) fn open(file: &DataFile, wanted: &[&Leaf]) -> Result<Opened, EngineError> {
    let source = Source::open(&file.path).map_err(|e| match e.kind() {
        ErrorKind::NotFound => changed(file),
        _ => unreadable(file, footer::io_text(&e)),
    })?;
    if !source.matches(&file.stamp).unwrap_or(false) {
        return Err(changed(file));
    }
    let footer = footer::read(&source).map_err(|what| unreadable(file, what))?;
    if footer.stamp != file.stamp {
        return Err(changed(file));
    }
    let leaves =
        layout(footer.metadata.file_metadata().schema()).map_err(|what| unreadable(file, what))?;
    let places: HashMap<&FieldPath, usize> =
        wanted.iter().enumerate().map(|(at, leaf)| (&leaf.path, at)).collect();
    let mut columns = vec![None; wanted.len()];
    for (index, leaf) in leaves.into_iter().enumerate() {
        let place = places.get(&leaf.path).and_then(|at| columns.get_mut(*at));
        if let Some(column) = place {
            *column = Some(Column { index, leaf });
        }
    }
    for (column, leaf) in columns.iter_mut().zip(wanted) {
        if leaf.partition {
            *column = None;
        }
    }
    Ok(Opened { source, metadata: footer.metadata, columns })
}

/// Whether a file on disk is still the one of the inventory.
///
/// # Errors
/// [`EngineError::Changed`].
pub(crate) fn still_the_same(file: &DataFile) -> Result<(), EngineError> {
    match fs::metadata(&file.path) {
        Ok(meta)
            if meta.len() == file.stamp.size
                && modified(&meta) == file.stamp.modified
                && meta.ino() == file.stamp.inode =>
        {
            Ok(())
        }
        _ => Err(changed(file)),
    }
}

pub(crate) fn changed(file: &DataFile) -> EngineError {
    EngineError::Changed { shown: file.shown.clone() }
}

pub(crate) fn unreadable(file: &DataFile, what: impl Into<String>) -> EngineError {
    EngineError::Unreadable { shown: file.shown.clone(), what: what.into() }
}

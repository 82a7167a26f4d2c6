//! Footers: read, digested, and checked before anything trusts them.
//!
//! Guarantees: a [`Footer`] names only stretches that lie in the file before the footer, in the file's
//! own bounds, and row counts that add up. Parquet's readers assert such things, or allocate what a
//! footer claims.

use std::os::unix::fs::MetadataExt;

use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use sha2::{Digest, Sha256};

use crate::model::hex;
use crate::plan::{FileStamp, FileTrace};

use super::guard::guarded;
use super::pages::form;
use super::pages::thrift::Thrift;
use super::source::{Source, changed, modified};

/// Read with the last bytes at once: most footers fit.
const TAIL: u64 = 64 * 1024;
/// Length field and magic.
const END: usize = 8;
/// No footer is this large; what claims to be is broken.
const LARGEST: usize = 1 << 30;

/// A footer that can be trusted.
#[derive(Debug)]
pub(crate) struct Footer {
    /// As the file says.
    pub(crate) metadata: ParquetMetaData,
    /// What the file was when the footer was read.
    pub(crate) stamp: FileStamp,
    /// Read before the footer's bytes.
    pub(crate) trace: FileTrace,
}

/// Reads and checks a footer.
///
/// # Errors
/// What is wrong, as a lower-case fragment without values.
pub(crate) fn read(source: &Source) -> Result<Footer, String> {
    let meta = source.metadata().map_err(|e| io_text(&e))?;
    let size = source.size();
    if size == 0 {
        return Err("is empty (0 bytes)".to_owned());
    }
    if size < 12 {
        return Err("is too short to be a Parquet file".to_owned());
    }
    let tail = source.read(size - size.min(TAIL), size.min(TAIL) as usize);
    let mut bytes = tail.map_err(|e| io_text(&e))?;
    let length = footer_length(&bytes)?;
    let whole = length + END;
    if whole as u64 + 4 > size {
        return Err("has a footer longer than the file".to_owned());
    }
    if whole > bytes.len() {
        bytes = source.read(size - whole as u64, whole).map_err(|e| io_text(&e))?;
    }
    let footer = &bytes[bytes.len() - whole..];
    let stamp = FileStamp {
        size,
        modified: modified(&meta),
        inode: meta.ino(),
        footer: hex(&Sha256::digest(footer)),
    };
    let trace = FileTrace { device: meta.dev(), changed: changed(&meta) };
    if is_encrypted(&footer[..length]) {
        return Err("has encrypted columns, which amparo cannot read".to_owned());
    }
    let metadata = parse(&footer[..length])?;
    check(&metadata, size - whole as u64)?;
    Ok(Footer { metadata, stamp, trace })
}

/// The length of the metadata, from the last bytes of a file.
fn footer_length(tail: &[u8]) -> Result<usize, String> {
    let Some((length, magic)) =
        tail.last_chunk::<END>().and_then(|end| end.split_first_chunk::<4>())
    else {
        return Err("is too short to be a Parquet file".to_owned());
    };
    match magic {
        b"PAR1" => {}
        b"PARE" => return Err("is encrypted, which amparo cannot read".to_owned()),
        _ => return Err("is not a Parquet file, or was cut off".to_owned()),
    }
    match usize::try_from(u32::from_le_bytes(*length)) {
        Ok(length) if length > 0 && length <= LARGEST => Ok(length),
        _ => Err("has a footer of an impossible length".to_owned()),
    }
}

fn parse(bytes: &[u8]) -> Result<ParquetMetaData, String> {
    let decode = || ParquetMetaDataReader::decode_metadata(bytes).and_then(normalized);
    let metadata = form::is_footer(bytes).then(|| guarded(decode)).flatten();
    metadata.and_then(Result::ok).ok_or_else(|| "has a footer that does not parse".to_owned())
}

/// Whether the metadata is in plain text but names an encryption algorithm (field 8): then columns are
/// encrypted.
fn is_encrypted(metadata: &[u8]) -> bool {
    let mut thrift = Thrift::new(metadata, 0);
    let mut field = 0;
    while let Some(Some(kind)) = thrift.field(&mut field) {
        if field == 8 {
            return true;
        }
        if thrift.skip(kind).is_none() {
            break;
        }
    }
    false
}

/// Some old writers put a dictionary page at 0 where there is none: readers would start there.
fn normalized(metadata: ParquetMetaData) -> parquet::errors::Result<ParquetMetaData> {
    let at_zero = |column: &ColumnChunkMetaData| column.dictionary_page_offset() == Some(0);
    if !metadata.row_groups().iter().any(|group| group.columns().iter().any(at_zero)) {
        return Ok(metadata);
    }
    let mut builder = metadata.into_builder();
    for group in builder.take_row_groups() {
        let mut group = group.into_builder();
        for column in group.take_columns() {
            let column = if at_zero(&column) {
                column.into_builder().set_dictionary_page_offset(None).build()?
            } else {
                column
            };
            group = group.add_column_metadata(column);
        }
        builder = builder.add_row_group(group.build()?);
    }
    Ok(builder.build())
}

/// Holds the footer against the file: `end` is where the metadata begins.
fn check(metadata: &ParquetMetaData, end: u64) -> Result<(), String> {
    let columns = metadata.file_metadata().schema_descr().num_columns();
    let mut rows: i64 = 0;
    for (number, group) in metadata.row_groups().iter().enumerate() {
        let lies = |what: &str| format!("has a footer that lies: {what} of row group {number}");
        if group.num_columns() != columns {
            return Err(lies("the number of columns"));
        }
        if u32::try_from(group.num_rows()).is_err() {
            return Err(lies("the number of rows"));
        }
        rows = rows.checked_add(group.num_rows()).ok_or_else(|| lies("the number of rows"))?;
        for column in group.columns() {
            if column.file_path().is_some() {
                return Err("keeps its columns in other files".to_owned());
            }
            check_chunk(column, group.num_rows(), end).map_err(lies)?;
        }
    }
    if rows == metadata.file_metadata().num_rows() {
        Ok(())
    } else {
        Err("has a footer that lies: its row groups do not add up to its rows".to_owned())
    }
}

fn check_chunk(column: &ColumnChunkMetaData, rows: i64, end: u64) -> Result<(), &'static str> {
    let (start, length) = bounds(column).ok_or("the position of a column")?;
    if rows == 0 && length == 0 {
        return Ok(());
    }
    if start < 4 || start.checked_add(length).is_none_or(|after| after > end) {
        return Err("the position of a column");
    }
    // The first data page follows the dictionary, where there is one.
    let data = u64::try_from(column.data_page_offset()).unwrap_or(u64::MAX);
    if rows > 0 && data.checked_sub(start).is_none_or(|skipped| skipped > length) {
        return Err("the position of a column");
    }
    if column.num_values() < 0 || column.uncompressed_size() < 0 {
        return Err("the size of a column");
    }
    let flat = column.column_descr().max_rep_level() == 0;
    if column.num_values() < rows || flat && column.num_values() != rows {
        return Err("the number of values");
    }
    if rows > 0 && length == 0 && column.num_values() > 0 {
        return Err("the size of a column");
    }
    Ok(())
}

/// Where a chunk starts and how long it is.
pub(crate) fn bounds(column: &ColumnChunkMetaData) -> Option<(u64, u64)> {
    let data = u64::try_from(column.data_page_offset()).ok()?;
    let start = match column.dictionary_page_offset() {
        None => data,
        Some(offset) => u64::try_from(offset).ok()?,
    };
    Some((start, u64::try_from(column.compressed_size()).ok()?))
}

/// An I/O error in our own words: its kind, never its text.
pub(crate) fn io_text(error: &std::io::Error) -> String {
    format!("cannot be read: {}", error.kind())
}

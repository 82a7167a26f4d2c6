//! An open Parquet file whose footer was read and held against the file's size: nothing of it is
//! trusted before.

use std::fs::{File, OpenOptions};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use parquet::file::metadata::ParquetMetaDataReader;
use rustix::fs::OFlags;
use sha2::{Digest, Sha256};

use crate::model::hex;
use crate::plan::FileStamp;

use super::super::pages::form::is_footer;
use super::error::{Outcome, Problem};
use super::shape::{Shape, shapes};
use super::thrift::{Struct, Value};

/// Larger footers are refused.
const MAX_FOOTER: u64 = 1 << 29;

/// An open file.
pub(crate) struct Source {
    pub(crate) file: File,
    /// Links resolved.
    pub(crate) path: PathBuf,
    pub(crate) stamp: FileStamp,
    /// Where the footer begins.
    pub(crate) body: u64,
    /// `FileMetaData`.
    pub(crate) footer: Struct,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) groups: Vec<Group>,
}

/// A row group.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) first_row: u64,
    pub(crate) rows: u64,
    pub(crate) chunks: Vec<Chunk>,
}

impl Group {
    pub(crate) const fn range(&self) -> Range<u64> {
        self.first_row..self.first_row + self.rows
    }
}

/// A column chunk, and where in the file it and what belongs to it lies.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    pub(crate) pages: Range<u64>,
    pub(crate) codec: i32,
    /// Levels in all data pages.
    pub(crate) slots: u64,
    pub(crate) column_index: Option<Range<u64>>,
    pub(crate) offset_index: Option<Range<u64>>,
    /// With its header.
    pub(crate) bloom: Option<Range<u64>>,
}

impl Chunk {
    pub(crate) const fn size(&self) -> u64 {
        self.pages.end - self.pages.start
    }
}

fn footer(what: &str) -> Problem {
    Problem::unreadable(format!("its footer {what}"))
}

impl Source {
    /// Opens a file and checks its footer.
    pub(crate) fn open(path: &Path) -> Outcome<Self> {
        let path = path.canonicalize().map_err(Problem::io("find"))?;
        let file = open(&path).map_err(Problem::io("open"))?;
        Self::of(file, path)
    }

    /// The same for a file that is open already.
    pub(crate) fn of(file: File, path: PathBuf) -> Outcome<Self> {
        let meta = file.metadata().map_err(Problem::io("look at"))?;
        if !meta.is_file() {
            return Err(Problem::unreadable("it is no regular file"));
        }
        let size = meta.len();
        let bytes = read_footer(&file, size)?;
        let tail = bytes.len() - 8;
        let (tree, used) = Struct::read(&bytes[..tail]).map_err(|_| footer("is malformed"))?;
        if tree.has(8) {
            return Err(Problem::refused("it is encrypted"));
        }
        if used != tail {
            return Err(footer("is longer than what it holds"));
        }
        if !is_footer(&bytes[..tail]) {
            return Err(footer("is malformed"));
        }
        let meta_data = ParquetMetaDataReader::decode_metadata(&bytes[..tail])
            .map_err(|_| footer("cannot be decoded"))?;
        let shapes = shapes(&tree, meta_data.file_metadata().schema_descr().root_schema())?;
        let body = size - bytes.len() as u64;
        let groups = groups(&tree, &shapes, &file, body)?;
        let stamp = FileStamp {
            size,
            modified: i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec()),
            inode: meta.ino(),
            footer: digest(&bytes),
        };
        Ok(Self { file, path, stamp, body, footer: tree, shapes, groups })
    }

    /// Reads a range; errors where the file has become shorter.
    pub(crate) fn read(&self, range: &Range<u64>) -> Outcome<Vec<u8>> {
        read(&self.file, range)
    }

    /// The `ColumnMetaData` of a chunk.
    pub(crate) fn column(&self, group: usize, leaf: usize) -> Option<&Struct> {
        self.footer_group(group)?.list(1)?.get(leaf)?.structure()?.structure(3)
    }

    /// A `RowGroup`.
    pub(crate) fn footer_group(&self, group: usize) -> Option<&Struct> {
        self.footer.list(4)?.get(group)?.structure()
    }
}

pub(crate) fn read(file: &File, range: &Range<u64>) -> Outcome<Vec<u8>> {
    let length = usize::try_from(range.end - range.start)
        .map_err(|_| Problem::unreadable("it is too large"))?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, range.start).map_err(Problem::io("read"))?;
    Ok(bytes)
}

/// Metadata, its length and the magic: what stamps digest.
fn read_footer(file: &File, size: u64) -> Outcome<Vec<u8>> {
    if size < 12 {
        return Err(Problem::unreadable("it is too short for a Parquet file"));
    }
    let head = read(file, &(0..4))?;
    let tail = read(file, &(size - 8..size))?;
    if &tail[4..] == b"PARE" || head == b"PARE" {
        return Err(Problem::refused("it is encrypted"));
    }
    if &tail[4..] != b"PAR1" || head != b"PAR1" {
        return Err(Problem::unreadable("it is no Parquet file"));
    }
    let length = u64::from(u32::from_le_bytes(tail[..4].try_into().unwrap_or_default()));
    if length > size - 12 || length > MAX_FOOTER {
        return Err(footer("claims to be larger than the file"));
    }
    read(file, &(size - 8 - length..size))
}

/// Opens a file to read; never waits for the other end of a pipe that took its place.
pub(super) fn open(path: &Path) -> std::io::Result<File> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// SHA-256 in hex.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The stamp of a file as it is now.
pub(crate) fn stamp(path: &Path) -> Outcome<FileStamp> {
    let file = open(path).map_err(Problem::io("open"))?;
    let meta = file.metadata().map_err(Problem::io("look at"))?;
    Ok(FileStamp {
        size: meta.len(),
        modified: i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec()),
        inode: meta.ino(),
        footer: digest(&read_footer(&file, meta.len())?),
    })
}

fn groups(tree: &Struct, shapes: &[Shape], file: &File, body: u64) -> Outcome<Vec<Group>> {
    let mut groups = Vec::new();
    let mut taken: Vec<Range<u64>> = Vec::new();
    let mut first_row = 0_u64;
    let list = match tree.get(4) {
        Some(Value::List(_, items)) => items.as_slice(),
        None => &[],
        Some(_) => return Err(footer("has malformed row groups")),
    };
    for item in list {
        let group = item.structure().ok_or_else(|| footer("has malformed row groups"))?;
        let rows = unsigned(group.i64(3)).ok_or_else(|| footer("has a row group without rows"))?;
        let columns = group.list(1).unwrap_or_default();
        if columns.len() != shapes.len() {
            return Err(footer("has row groups that do not fit its schema"));
        }
        let mut chunks = Vec::with_capacity(columns.len());
        for (column, shape) in columns.iter().zip(shapes) {
            let column = column.structure().ok_or_else(|| footer("has malformed columns"))?;
            let chunk = chunk(column, shape, file, body)?;
            if shape.max_rep == 0 && chunk.slots != rows || chunk.slots < rows {
                return Err(footer("has columns whose values do not fit their rows"));
            }
            taken.push(chunk.pages.clone());
            taken.extend(chunk.column_index.clone());
            taken.extend(chunk.offset_index.clone());
            taken.extend(chunk.bloom.clone());
            chunks.push(chunk);
        }
        groups.push(Group { first_row, rows, chunks });
        first_row = first_row.checked_add(rows).ok_or_else(|| footer("claims too many rows"))?;
    }
    if unsigned(tree.i64(3)) != Some(first_row) {
        return Err(footer("claims other rows than its row groups"));
    }
    taken.retain(|range| !range.is_empty());
    taken.sort_by_key(|range| range.start);
    let apart = taken.windows(2).all(|pair| pair[0].end <= pair[1].start);
    let inside = taken.iter().all(|range| range.start >= 4 && range.end <= body);
    if apart && inside {
        Ok(groups)
    } else {
        Err(footer("claims parts that overlap or lie outside"))
    }
}

fn unsigned(number: Option<i64>) -> Option<u64> {
    number.and_then(|number| u64::try_from(number).ok())
}

fn chunk(column: &Struct, shape: &Shape, file: &File, body: u64) -> Outcome<Chunk> {
    if column.has(8) || column.has(9) {
        return Err(Problem::refused("it has encrypted columns"));
    }
    if column.has(1) {
        return Err(Problem::refused("its columns lie in other files"));
    }
    let meta = column.structure(3).ok_or_else(|| footer("has a column without metadata"))?;
    // Newer writers may leave the path out: the order of columns says it.
    let fits = |names: &[Value]| {
        names.len() == shape.names.len()
            && names.iter().zip(&shape.names).all(|(a, b)| matches!(a, Value::Bytes(a) if a == b))
    };
    let same = meta.i32(1) == Some(shape.physical.number()) && meta.list(3).is_none_or(fits);
    if !same {
        return Err(footer("has columns that do not fit its schema"));
    }
    let first = unsigned(meta.i64(9)).ok_or_else(|| footer("has a column without an offset"))?;
    // Some old writers say 0 where there is no dictionary; others where there is no data page.
    let dictionary = unsigned(meta.i64(11)).filter(|at| *at >= 4 && (*at < first || first == 0));
    let start = dictionary.unwrap_or(first);
    let length = unsigned(meta.i64(7)).ok_or_else(|| footer("has a column without a size"))?;
    if first.saturating_sub(start) > length {
        return Err(footer("has a column that begins behind its end"));
    }
    let range = |start: Option<i64>, length: Option<i32>| match (start, length) {
        (Some(start), Some(length)) => match (u64::try_from(start), u64::try_from(length)) {
            (Ok(start), Ok(length)) => {
                Ok((length > 0).then(|| start..start.saturating_add(length)))
            }
            _ => Err(footer("has an index at a negative place")),
        },
        _ => Ok(None),
    };
    Ok(Chunk {
        pages: start..start.saturating_add(length),
        codec: meta.i32(4).ok_or_else(|| footer("has a column without a codec"))?,
        slots: unsigned(meta.i64(5)).ok_or_else(|| footer("has a column without a count"))?,
        column_index: range(column.i64(6), column.i32(7))?,
        offset_index: range(column.i64(4), column.i32(5))?,
        bloom: match meta.i64(14) {
            Some(at) => Some(bloom(file, body, at, meta.i32(15))?),
            None => None,
        },
    })
}

/// Where a bloom filter lies: its header says how long it is.
fn bloom(file: &File, body: u64, at: i64, length: Option<i32>) -> Outcome<Range<u64>> {
    let wrong = || footer("has a bloom filter that cannot be found");
    let start = u64::try_from(at).ok().filter(|at| *at < body).ok_or_else(wrong)?;
    let head = read(file, &(start..body.min(start + 64)))?;
    let (header, used) = Struct::read(&head).map_err(|_| wrong())?;
    let bits = header.i32(1).and_then(|n| u64::try_from(n).ok()).ok_or_else(wrong)?;
    let end = start + used as u64 + bits;
    match length {
        Some(length) if i64::from(length) != (end - start).cast_signed() => Err(wrong()),
        _ => Ok(start..end),
    }
}

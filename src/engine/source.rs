//! An opened data file: the one place where data is read from disk, and the seam at which an object
//! store would come in.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use rustix::fs::OFlags;

use crate::plan::FileStamp;

/// A regular file, open for reading at any position.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    file: Arc<File>,
    size: u64,
}

impl Source {
    /// Opens a regular file. Never waits for a pipe's other end.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(Self { file: Arc::new(file), size: meta.len() })
    }

    /// Bytes, as of when it was opened.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// What the open file is now.
    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Whether size, time and inode are still those of a stamp.
    pub(crate) fn matches(&self, stamp: &FileStamp) -> io::Result<bool> {
        let meta = self.metadata()?;
        Ok(meta.len() == stamp.size
            && modified(&meta) == stamp.modified
            && meta.ino() == stamp.inode)
    }

    /// Exactly `length` bytes from `start`; never allocates for what lies past the end.
    pub(crate) fn read(&self, start: u64, length: usize) -> io::Result<Vec<u8>> {
        let end = u64::try_from(length).ok().and_then(|length| start.checked_add(length));
        if end.is_none_or(|end| end > self.size) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes)
    }
}

/// Modification time in nanoseconds since 1970.
pub(crate) fn modified(meta: &Metadata) -> i128 {
    i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec())
}

/// When content or attributes last changed, in nanoseconds since 1970.
pub(crate) fn changed(meta: &Metadata) -> i128 {
    i128::from(meta.ctime()) * 1_000_000_000 + i128::from(meta.ctime_nsec())
}

/// A stretch of a file held in memory, at the file's own offsets: one column chunk. Parquet's readers
/// then take pages out of it without copying.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    start: u64,
    bytes: Bytes,
}

impl Chunk {
    /// Reads it at once.
    pub(crate) fn read(source: &Source, start: u64, length: usize) -> io::Result<Self> {
        Ok(Self { start, bytes: Bytes::from(source.read(start, length)?) })
    }

    /// The bytes.
    pub(crate) const fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl Length for Chunk {
    fn len(&self) -> u64 {
        self.start.saturating_add(self.bytes.len() as u64)
    }
}

impl ChunkReader for Chunk {
    type T = io::Cursor<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        let at = self.offset(start, 0)?;
        Ok(io::Cursor::new(self.bytes.slice(at..)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let at = self.offset(start, length)?;
        Ok(self.bytes.slice(at..at + length))
    }
}

impl Chunk {
    fn offset(&self, start: u64, length: usize) -> parquet::errors::Result<usize> {
        start
            .checked_sub(self.start)
            .and_then(|at| usize::try_from(at).ok())
            .filter(|at| at.checked_add(length).is_some_and(|end| end <= self.bytes.len()))
            .ok_or_else(|| ParquetError::EOF("outside the column chunk".to_owned()))
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for Source {
    type T = BufReader<Cursor>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(BufReader::with_capacity(1024, Cursor { source: self.clone(), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        self.read(start, length)
            .map(Bytes::from)
            .map_err(|_| ParquetError::EOF("outside the file".to_owned()))
    }
}

/// Reads on from a position, apart from all other readers of the file.
#[derive(Debug)]
pub(crate) struct Cursor {
    source: Source,
    at: u64,
}

impl Read for Cursor {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.source.file.read_at(into, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

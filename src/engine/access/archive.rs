//! The ZIP itself: entries with their digests, written as a stream, the same bytes for the same input.
//!
//! Guarantees: the file appears under its name only when it is complete and on disk; a failure removes
//! what was written. Crash behaviour: a crash can leave `NAME.partial`.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::{Timestamp, tz::TimeZone};
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::model::hex;

use super::AccessError;

/// Deflate level: the usual trade of size for time.
const LEVEL: i64 = 6;

/// A package in the making.
pub(super) struct Archive {
    zip: ZipWriter<Output>,
    // After `zip`, which still writes when it is dropped.
    partial: Partial,
    options: SimpleFileOptions,
    /// What was written so far, in order.
    pub(super) entries: Vec<Entry>,
}

/// A file that has not got its name yet.
struct Partial {
    path: PathBuf,
    out: PathBuf,
}

impl Drop for Partial {
    /// After a success it is gone already.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A package that is written, and not yet on disk.
pub(super) struct Closed {
    file: File,
    partial: Partial,
}

/// One file in the package.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Entry {
    /// Its path.
    pub(super) path: String,
    /// SHA-256, in hex, of its content.
    pub(super) sha256: String,
    /// Its size, unpacked.
    pub(super) bytes: u64,
    /// Rows that it shows or counts.
    pub(super) rows: u64,
}

/// A finished package.
pub(super) struct Finished {
    /// SHA-256 of the file, in hex.
    pub(super) sha256: String,
    /// Its size.
    pub(super) bytes: u64,
}

impl Archive {
    /// Starts the package that will be `out`. `large`: an entry may pass 4 GiB (ZIP64).
    pub(super) fn create(out: &Path, time: Timestamp, large: bool) -> Result<Self, AccessError> {
        let mut name = out.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let partial = Partial { path: out.with_file_name(name), out: out.to_owned() };
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial.path)
            .map_err(AccessError::package("create", out))?;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(LEVEL))
            .last_modified_time(dos_time(time))
            .unix_permissions(0o600)
            .large_file(large);
        let output = Output { file: BufWriter::with_capacity(64 << 10, file), failed: false };
        Ok(Self { zip: ZipWriter::new(output), partial, options, entries: Vec::new() })
    }

    /// Writes one entry; `fill` gives its content.
    pub(super) fn entry(
        &mut self,
        path: &str,
        rows: u64,
        fill: impl FnOnce(&mut Content<'_>) -> Result<(), AccessError>,
    ) -> Result<(), AccessError> {
        let safe = path.split('/').all(|part| {
            !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', ':', '\0'])
        });
        if !safe {
            return Err(AccessError::Bug("an entry's name is no plain relative path"));
        }
        let (zip, out) = (&mut self.zip, self.partial.out.as_path());
        zip.start_file(path, self.options)
            .map_err(|e| AccessError::package("write", out)(e.into()))?;
        let mut content =
            Content { zip, out, buffer: String::new(), digest: Sha256::new(), bytes: 0 };
        fill(&mut content)?;
        content.flush()?;
        let (sha256, bytes) = (hex(&content.digest.finalize()), content.bytes);
        self.entries.push(Entry { path: path.to_owned(), sha256, bytes, rows });
        Ok(())
    }

    /// Ends the archive.
    pub(super) fn close(self) -> Result<Closed, AccessError> {
        let Self { zip, partial, .. } = self;
        let output =
            zip.finish().map_err(|e| AccessError::package("write", &partial.out)(e.into()))?;
        let file = output
            .file
            .into_inner()
            .map_err(|e| AccessError::package("write", &partial.out)(e.into_error()))?;
        Ok(Closed { file, partial })
    }
}

impl Closed {
    /// Brings the package to disk and gives it its name.
    pub(super) fn finish(self) -> Result<Finished, AccessError> {
        let Self { file, partial } = self;
        file.sync_all().map_err(AccessError::package("sync", &partial.out))?;
        drop(file);
        let finished =
            digest_of(&partial.path).map_err(AccessError::package("read", &partial.out))?;
        std::fs::rename(&partial.path, &partial.out)
            .map_err(AccessError::package("rename", &partial.out))?;
        Ok(finished)
    }
}

/// The file below the archive. Once a write has failed it takes everything and keeps nothing: the
/// ZIP writer, when it is dropped, would try to end the archive and complain on stderr.
struct Output {
    file: BufWriter<File>,
    failed: bool,
}

impl Output {
    fn unless_failed<T>(
        &mut self,
        otherwise: T,
        action: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>,
    ) -> io::Result<T> {
        if self.failed {
            return Ok(otherwise);
        }
        action(&mut self.file).inspect_err(|_| self.failed = true)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_failed(bytes.len(), |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_failed((), BufWriter::flush)
    }
}

impl Seek for Output {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.unless_failed(0, |file| file.seek(to))
    }
}

/// The content of an entry, written piece by piece.
pub(super) struct Content<'a> {
    zip: &'a mut ZipWriter<Output>,
    out: &'a Path,
    /// What is to be written: append to it, then call [`Content::flush_if_full`].
    pub(super) buffer: String,
    digest: Sha256,
    bytes: u64,
}

impl Content<'_> {
    /// Writes the buffer out where it has grown large.
    pub(super) fn flush_if_full(&mut self) -> Result<(), AccessError> {
        if self.buffer.len() < 32 << 10 { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), AccessError> {
        let bytes = self.buffer.as_bytes();
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        self.zip.write_all(bytes).map_err(AccessError::package("write", self.out))?;
        self.buffer.clear();
        Ok(())
    }
}

fn digest_of(path: &Path) -> io::Result<Finished> {
    let mut file = File::open(path)?;
    let (mut digest, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(Finished { sha256: hex(&digest.finalize()), bytes });
        }
        digest.update(&buffer[..read]);
        bytes += read as u64;
    }
}

/// The time in the archive's own form, UTC; 1980-01-01 where it has none for it.
fn dos_time(time: Timestamp) -> DateTime {
    let civil = time.to_zoned(TimeZone::UTC).datetime();
    let unsigned = |part: i8| u8::try_from(part).unwrap_or(0);
    u16::try_from(civil.year())
        .ok()
        .and_then(|year| {
            DateTime::from_date_and_time(
                year,
                unsigned(civil.month()),
                unsigned(civil.day()),
                unsigned(civil.hour()),
                unsigned(civil.minute()),
                unsigned(civil.second()),
            )
            .ok()
        })
        .unwrap_or_default()
}

//! The sample lake of `amparo demo`: about 50,000 rows of real Parquet, the same bytes every time.
//!
//! The people in it do not exist. Web events know devices (AAID, ECID, some of them shared) and, where
//! somebody was logged in, persons; orders know customers by a surrogate key only.

mod tables;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};

/// Why the sample lake could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// A directory or file could not be made.
    #[error("cannot write {path}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The rows could not be encoded: a bug.
    #[error("cannot encode {path}")]
    Encode {
        /// Which.
        path: PathBuf,
    },
}

/// Writes the sample lake below `root/lake` and returns the number of rows.
///
/// # Errors
/// [`SampleError`] names the file that could not be written.
pub fn write(root: &Path) -> Result<u64, SampleError> {
    let lake = root.join("lake");
    let mut rows = 0;
    let mut random = Random::new(2026);
    for day in 1..=4 {
        let path = lake.join(format!("web-events/dt=2026-11-{day:02}/part-0.parquet"));
        rows += file(&path, &tables::web_events(&mut random, day, 9_500)?, 4_000)?;
    }
    rows += file(&lake.join("customers.parquet"), &tables::customers(2_000)?, 1_000)?;
    for part in 0..2 {
        let path = lake.join(format!("orders/orders-{part}.parquet"));
        rows += file(&path, &tables::orders(&mut random, part, 4_000)?, 2_000)?;
    }
    rows += file(
        &lake.join("qa-web-events.parquet"),
        &tables::qa_web_events(&mut random, 2_000)?,
        2_000,
    )?;
    Ok(rows)
}

fn file(path: &Path, batch: &RecordBatch, group: usize) -> Result<u64, SampleError> {
    let failed = |source| SampleError::Write { path: path.to_owned(), source };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(group))
        .set_statistics_enabled(EnabledStatistics::Page)
        .build();
    let out = fs::File::create(path).map_err(failed)?;
    let encode = |_| SampleError::Encode { path: path.to_owned() };
    let mut writer =
        ArrowWriter::try_new(out, Arc::clone(&batch.schema()), Some(properties)).map_err(encode)?;
    writer.write(batch).map_err(encode)?;
    writer.close().map_err(encode)?;
    Ok(batch.num_rows() as u64)
}

/// A small deterministic generator (`SplitMix64`): the lake must not change from one version of a
/// library to the next.
pub(super) struct Random(u64);

impl Random {
    const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    /// True `percent` times in a hundred.
    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of them; the list must not be empty.
    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        let at = self.below(list.len() as u64);
        list.get(usize::try_from(at).unwrap_or(0)).copied().unwrap_or_default()
    }
}

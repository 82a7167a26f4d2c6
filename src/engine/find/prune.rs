//! Passing over column chunks and pages that cannot hold a key: by statistics, Bloom filters and column
//! indexes, where values compare exactly, the keys are few and the writer is known to write them right.

use parquet::basic::{ColumnOrder, SortOrder, Type as Physical};
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::statistics::Statistics;

use super::super::guard::guarded;
use super::super::pages::form::is_bloom_head;
use super::super::pages::index::{PageRange, ranges};
use super::super::source::Source;

/// No header of a Bloom filter that we know of is longer, in bytes.
const BLOOM_HEAD: u64 = 64;

/// More keys are never all outside a chunk.
pub(super) const MOST_KEYS: usize = 10_000;

/// Keys, sorted as the column's statistics are.
#[derive(Debug, Clone)]
pub(super) enum Pruning {
    /// Signed integers, dates and timestamps.
    Ints(Vec<i64>),
    /// Bytes that compare exactly.
    Bytes(Vec<Vec<u8>>),
}

/// Where a chunk may hold a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MayMatch {
    /// In none of its pages.
    Nowhere,
    /// In those of its data pages, by number, that say so.
    Pages(Vec<bool>),
    /// Nothing is known.
    Everywhere,
}

impl Pruning {
    /// Whether the chunk of a column may hold a key, and if so in which data pages.
    pub(super) fn may_match(
        &self,
        metadata: &ParquetMetaData,
        group: usize,
        column: usize,
        source: &Source,
    ) -> MayMatch {
        let Some(chunk) = metadata.row_groups().get(group).and_then(|g| g.columns().get(column))
        else {
            return MayMatch::Everywhere;
        };
        if !is_trusted(metadata.file_metadata().created_by()) {
            return MayMatch::Everywhere;
        }
        let order = match self {
            Self::Ints(_) => SortOrder::SIGNED,
            Self::Bytes(_) => SortOrder::UNSIGNED,
        };
        let ordered =
            metadata.file_metadata().column_order(column) == ColumnOrder::TYPE_DEFINED_ORDER(order);
        if ordered && !chunk.statistics().is_none_or(|statistics| self.in_range(statistics))
            || !self.in_bloom_filter(chunk, source)
        {
            return MayMatch::Nowhere;
        }
        match self.in_pages(chunk, source) {
            Some(pages) if ordered => MayMatch::Pages(pages),
            _ => MayMatch::Everywhere,
        }
    }

    /// For each data page, by the column index, whether it may hold a key.
    fn in_pages(&self, chunk: &ColumnChunkMetaData, source: &Source) -> Option<Vec<bool>> {
        let start = u64::try_from(chunk.column_index_offset()?).ok()?;
        let length = usize::try_from(chunk.column_index_length()?).ok()?;
        let bytes = source.read(start, length).ok()?;
        ranges(&bytes)?.iter().map(|page| self.in_page(page, chunk.column_type())).collect()
    }

    fn in_page(&self, page: &PageRange<'_>, physical: Physical) -> Option<bool> {
        if page.null {
            return Some(false);
        }
        Some(match (self, physical) {
            (Self::Bytes(keys), _) => bytes_between(keys, page.min, page.max),
            (Self::Ints(keys), Physical::INT32) => {
                let value = |raw: &[u8]| raw.try_into().map(i32::from_le_bytes).ok();
                between(keys, &value(page.min)?.into(), &value(page.max)?.into())
            }
            (Self::Ints(keys), _) => {
                let value = |raw: &[u8]| raw.try_into().map(i64::from_le_bytes).ok();
                between(keys, &value(page.min)?, &value(page.max)?)
            }
        })
    }

    fn in_range(&self, statistics: &Statistics) -> bool {
        if statistics.is_min_max_deprecated() {
            return true;
        }
        match (self, statistics) {
            (Self::Ints(keys), Statistics::Int32(range)) => {
                match (range.min_opt(), range.max_opt()) {
                    (Some(min), Some(max)) => between(keys, &i64::from(*min), &i64::from(*max)),
                    _ => true,
                }
            }
            (Self::Ints(keys), Statistics::Int64(range)) => {
                match (range.min_opt(), range.max_opt()) {
                    (Some(min), Some(max)) => between(keys, min, max),
                    _ => true,
                }
            }
            (Self::Bytes(keys), Statistics::ByteArray(_) | Statistics::FixedLenByteArray(_)) => {
                match (statistics.min_bytes_opt(), statistics.max_bytes_opt()) {
                    // A shortened minimum is smaller, a shortened maximum larger: both still hold.
                    (Some(min), Some(max)) => bytes_between(keys, min, max),
                    _ => true,
                }
            }
            _ => true,
        }
    }

    fn in_bloom_filter(&self, chunk: &ColumnChunkMetaData, source: &Source) -> bool {
        let at = chunk.bloom_filter_offset().and_then(|at| u64::try_from(at).ok());
        let Some(at) = at.filter(|at| *at > 0 && *at < source.size()) else { return true };
        let head = source.read(at, BLOOM_HEAD.min(source.size() - at) as usize);
        if !head.is_ok_and(|head| is_bloom_head(&head))
            || chunk.bloom_filter_length().is_some_and(|length| length <= 0)
        {
            return true;
        }
        let Some(Ok(Some(filter))) = guarded(|| Sbbf::read_from_column_chunk(chunk, source)) else {
            return true;
        };
        match self {
            Self::Bytes(keys) => keys.iter().any(|key| filter.check(key.as_slice())),
            Self::Ints(keys) if chunk.column_type() == Physical::INT32 => {
                keys.iter().any(|key| i32::try_from(*key).is_ok_and(|key| filter.check(&key)))
            }
            Self::Ints(keys) => keys.iter().any(|key| filter.check(key)),
        }
    }
}

fn bytes_between(keys: &[Vec<u8>], min: &[u8], max: &[u8]) -> bool {
    let from = keys.partition_point(|key| key.as_slice() < min);
    keys.get(from).is_some_and(|key| key.as_slice() <= max)
}

fn between<T: Ord>(keys: &[T], min: &T, max: &T) -> bool {
    let from = keys.partition_point(|key| key < min);
    keys.get(from).is_some_and(|key| key <= max)
}

/// Writers whose statistics and filters hold: Arrow C++, parquet-rs, DuckDB, Polars, and parquet-mr
/// from 1.10 on (older ones ordered bytes as if signed).
fn is_trusted(created_by: Option<&str>) -> bool {
    let Some(writer) = created_by else { return false };
    if let Some(version) = writer.strip_prefix("parquet-mr version ") {
        let mut numbers = version.split(['.', '-', ' ']).map(str::parse::<u32>);
        return matches!(
            (numbers.next(), numbers.next()),
            (Some(Ok(1)), Some(Ok(10..))) | (Some(Ok(2..)), _)
        );
    }
    ["parquet-cpp-arrow version ", "parquet-rs version ", "DuckDB", "Polars"]
        .iter()
        .any(|known| writer.starts_with(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_unknown_writers_are_not_trusted() {
        assert!(is_trusted(Some("parquet-mr version 1.12.3 (build f8dced1)")));
        assert!(is_trusted(Some("parquet-cpp-arrow version 21.0.0")));
        assert!(!is_trusted(Some("parquet-mr version 1.8.1")) && !is_trusted(Some("parquet-mr")));
        assert!(!is_trusted(Some("somebody")) && !is_trusted(None));
    }

    #[test]
    fn keys_between_bounds() {
        assert!(between(&[1, 5, 9], &4, &6) && between(&[1, 5, 9], &9, &9));
        assert!(!between(&[1, 5, 9], &6, &8) && !between(&[1], &2, &3) && !between(&[], &1, &2));
    }
}

//! What the records of packages are sorted by.

use crate::plan::RowKey;

use super::value::Value;

/// What records are sorted by, in this order: the order in which the packages need them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RecordKey {
    /// Index of the task.
    pub(super) task: u32,
    /// Rank of the product among the task's products.
    pub(super) product: u32,
    /// 0 for person rows, 1 for device rows.
    pub(super) device: bool,
    /// `None` sorts last.
    pub(super) time: Time,
    /// Index into the task's datasets, which are sorted by name.
    pub(super) dataset: u32,
    /// Where the row is.
    pub(super) at: RowKey,
    /// Index into the dataset's rows.
    pub(super) row: u32,
}

/// A row's timestamp; rows without one come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Time {
    /// Nanoseconds since 1970-01-01T00:00:00Z; a date is its midnight.
    At(i128),
    /// None.
    Missing,
}

impl RecordKey {
    const LENGTH: usize = 4 + 4 + 1 + 17 + 4 + 4 + 8 + 4;

    /// Bytes that sort as the key does.
    pub(super) fn bytes(self) -> [u8; Self::LENGTH] {
        let mut out = [0; Self::LENGTH];
        let (missing, time) = match self.time {
            Time::At(time) => (0, time.cast_unsigned() ^ (1 << 127)),
            Time::Missing => (1, 0),
        };
        out[..4].copy_from_slice(&self.task.to_be_bytes());
        out[4..8].copy_from_slice(&self.product.to_be_bytes());
        out[8] = u8::from(self.device);
        out[9] = missing;
        out[10..26].copy_from_slice(&time.to_be_bytes());
        out[26..30].copy_from_slice(&self.dataset.to_be_bytes());
        out[30..34].copy_from_slice(&self.at.file.to_be_bytes());
        out[34..42].copy_from_slice(&self.at.row.to_be_bytes());
        out[42..].copy_from_slice(&self.row.to_be_bytes());
        out
    }

    /// Reads what [`Self::bytes`] gave; `None` where the bytes are not that.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::LENGTH] = bytes.try_into().ok()?;
        let u32_at = |at: usize| {
            u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let time = u128::from_be_bytes(bytes[10..26].try_into().ok()?) ^ (1 << 127);
        Some(Self {
            task: u32_at(0),
            product: u32_at(4),
            device: bytes[8] == 1,
            time: if bytes[9] == 0 { Time::At(time.cast_signed()) } else { Time::Missing },
            dataset: u32_at(26),
            at: RowKey {
                file: u32_at(30),
                row: u64::from_be_bytes(bytes[34..42].try_into().ok()?),
            },
            row: u32_at(42),
        })
    }
}

/// The instant by which a row is sorted: the planner takes timestamps and dates for event times.
pub(super) const fn time_of(value: &Value<'_>) -> Time {
    match value {
        Value::Instant(nanos) => Time::At(*nanos),
        Value::Date(days) => Time::At(*days as i128 * 86_400_000_000_000),
        _ => Time::Missing,
    }
}

/// Indices of tasks, datasets and rows fit: there are far fewer than 2^32 of each in memory.
pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

//! Statistics of chunks, pages and page indexes after a change: what the kept and the replacement
//! values alone require.

use super::decide::Change;
use super::error::Outcome;
use super::order::{Bound, Bounds, Order};
use super::thrift::{Struct, Value};
use super::values::Put;

/// The bounds that a `Statistics` holds and that mean what we think.
pub(crate) fn bounds(stats: &Struct, order: Order) -> Option<Bounds> {
    let bound = |id, exact| {
        stats.bytes(id).map(|value| Bound { value: value.to_vec(), exact: stats.bool(exact) })
    };
    match (bound(6, 8), bound(5, 7)) {
        (Some(min), Some(max)) => Some(Bounds { min, max }),
        // The deprecated pair was compared as signed, whatever the type.
        _ if order.signed() => Some(Bounds { min: bound(2, 8)?, max: bound(1, 7)? }),
        _ => None,
    }
}

/// The bounds after changes: widened by what came, made anew by `gather` where what went may have made
/// them.
pub(crate) fn after<'a>(
    old: Bounds,
    order: Order,
    changes: impl Iterator<Item = &'a Change> + Clone,
    gather: impl FnOnce() -> Outcome<Option<Bounds>>,
) -> Outcome<Option<Bounds>> {
    if changes.clone().any(|change| old.tell(&change.old, order)) {
        return gather();
    }
    let mut new = old;
    for change in changes {
        if let Put::Value(value) = &change.put {
            new.include(value, order);
        }
    }
    Ok(Some(new))
}

/// Edits a `Statistics`.
pub(crate) fn edit<'a>(
    stats: &mut Struct,
    order: Order,
    changes: impl Iterator<Item = &'a Change> + Clone,
    nulls: Nulls,
    gather: impl FnOnce() -> Outcome<Option<Bounds>>,
) -> Outcome<()> {
    match stats.i64(3).map(|old| nulls.after(old)) {
        Some(Some(count)) => stats.set(3, Value::I64(count)),
        Some(None) => stats.remove(3),
        None => {}
    }
    if changes.clone().next().is_none() {
        return Ok(());
    }
    stats.remove(4);
    let new = match bounds(stats, order) {
        Some(old) if order != Order::Unknown => after(old, order, changes, gather)?,
        _ => None,
    };
    let modern = stats.has(5) && stats.has(6);
    let deprecated = stats.has(1) && stats.has(2) && order.signed();
    let stale: &[i16] = match (&new, modern, deprecated) {
        (None, ..) => &[1, 2, 5, 6, 7, 8],
        (Some(_), true, false) => &[1, 2],
        (Some(_), false, _) => &[5, 6, 7, 8],
        (Some(_), true, true) => &[],
    };
    for id in stale {
        stats.remove(*id);
    }
    let Some(new) = new else { return Ok(()) };
    if deprecated {
        stats.set(1, Value::Bytes(new.max.value.clone()));
        stats.set(2, Value::Bytes(new.min.value.clone()));
    }
    if modern {
        for (bound, value, exact) in [(new.max, 5, 7), (new.min, 6, 8)] {
            stats.set(value, Value::Bytes(bound.value));
            if stats.has(exact) || bound.exact == Some(false) {
                stats.set(exact, Value::Bool(bound.exact.unwrap_or(false)));
            }
        }
    }
    Ok(())
}

/// How the number of slots without a value changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nulls {
    /// Before, where writers may count otherwise (in lists): what they wrote is then only trusted if
    /// it is this.
    pub(crate) before: Option<i64>,
    pub(crate) added: i64,
}

impl Nulls {
    pub(crate) fn after(self, old: i64) -> Option<i64> {
        if self.before.is_some_and(|before| before != old) {
            return None;
        }
        old.checked_add(self.added).filter(|count| *count >= 0)
    }
}

//! When time alone gives a pass something to do.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::model::Catalog;
use crate::plan::LedgerView;

/// The first instant after `now` at which a task falls overdue or is to be tried again, a hold lapses or a
/// package expires; `None`: only a change can matter.
pub(in crate::reconcile) fn next_wake(
    now: Timestamp,
    view: &LedgerView,
    catalog: &Catalog,
) -> Option<Timestamp> {
    let open = view.tasks.values().filter(|task| !task.phase.is_final());
    // A task is overdue once its due date has passed, and clocks of passes tell seconds.
    let overdue = open.filter_map(|task| task.due.checked_add(SignedDuration::from_secs(1)).ok());
    let lapses = catalog.holds.iter().filter_map(|hold| {
        let first_free_day = hold.until?.to_zoned(TimeZone::UTC).ok()?;
        Some(first_free_day.timestamp())
    });
    let expiries = view.packages.values().map(|(_, package)| package.expires_at);
    let due = overdue.chain(lapses).chain(expiries).chain(view.next_tries());
    due.filter(|instant| *instant > now).min()
}

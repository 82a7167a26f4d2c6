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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::manifest::source::SourceFile;
    use crate::model::{Action, Name, Phase, TaskId};
    use crate::plan::{Cause, Failure, PackageRecord, TaskState};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    const NOW: &str = "2026-11-22T09:00:00Z";

    /// Policies with one hold for each date.
    fn holds(until: &[&str]) -> Catalog {
        let texts = until.iter().enumerate().map(|(index, until)| {
            let text = format!(
                "apiVersion: amparo/v1\nkind: Hold\nmetadata: {{name: h{index}}}\nspec: {{requests: [r], \
                 until: {until}, reason: court}}\n"
            );
            SourceFile { path: format!("h{index}.yaml"), bytes: text.into_bytes() }
        });
        let loaded = crate::manifest::load(&texts.collect::<Vec<_>>(), &[]);
        assert_eq!(loaded.catalog.holds.len(), until.len());
        loaded.catalog
    }

    fn id() -> TaskId {
        let request = Name::new("r").unwrap();
        TaskId { request, key: Some("A".to_owned()), action: Some(Action::Delete) }
    }

    fn task(phase: Phase, due: &str) -> LedgerView {
        let state =
            TaskState { phase, ..TaskState::submitted("", at("2026-11-01T00:00:00Z"), at(due)) };
        LedgerView { tasks: [(id(), state)].into(), ..LedgerView::default() }
    }

    fn package(view: &mut LedgerView, expires: &str) {
        let record = PackageRecord {
            location: "exports/r/A.zip".to_owned(),
            sha256: String::new(),
            bytes: 0,
            compiled_at: at(NOW),
            expires_at: at(expires),
            expired: false,
        };
        view.packages.insert(record.location.clone(), (id(), record));
    }

    #[test]
    fn nothing_to_wait_for_is_none() {
        assert_eq!(next_wake(at(NOW), &LedgerView::default(), &holds(&[])), None);
        let done = task(Phase::Complete, "2026-12-01T00:00:00Z");
        assert_eq!(next_wake(at(NOW), &done, &holds(&[])), None);
        let overdue = task(Phase::Blocked, "2026-11-22T08:59:59Z");
        assert_eq!(next_wake(at(NOW), &overdue, &holds(&["2026-11-22"])), None);
    }

    #[test]
    fn a_task_is_overdue_the_second_after_it_was_due() {
        let open = task(Phase::Blocked, "2026-12-01T00:00:00Z");
        let wake = next_wake(at(NOW), &open, &holds(&[]));
        assert_eq!(wake, Some(at("2026-12-01T00:00:01Z")));
        let due_now = task(Phase::Blocked, NOW);
        assert_eq!(next_wake(at(NOW), &due_now, &holds(&[])), Some(at("2026-11-22T09:00:01Z")));
    }

    #[test]
    fn a_hold_lapses_when_its_day_begins() {
        let holds = holds(&["2027-07-01", "2026-11-23", "2026-11-20"]);
        let wake = next_wake(at(NOW), &LedgerView::default(), &holds);
        assert_eq!(wake, Some(at("2026-11-23T00:00:00Z")));
    }

    #[test]
    fn a_package_expires_and_a_failed_task_is_tried_again() {
        let mut view = task(Phase::Failed, "2026-12-01T00:00:00Z");
        package(&mut view, "2026-11-25T09:00:00Z");
        assert_eq!(next_wake(at(NOW), &view, &holds(&[])), Some(at("2026-11-25T09:00:00Z")));
        let failure = Failure::after(None, &id(), &Cause::transient(), String::new(), at(NOW));
        view.tasks.get_mut(&id()).unwrap().failure = Some(failure.clone());
        assert_eq!(next_wake(at(NOW), &view, &holds(&[])), Some(failure.next_try_at));
        // What should have been by now is not waited for: the interval sees to it.
        let later = at("2026-11-26T00:00:00Z");
        assert_eq!(next_wake(later, &view, &holds(&[])), Some(at("2026-12-01T00:00:01Z")));
    }
}

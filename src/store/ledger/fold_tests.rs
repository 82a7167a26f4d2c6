#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use jiff::Timestamp;

use super::Record;
use super::commit::{Commit, Unreadable};
use super::fold::Fold;
use crate::model::{Action, Name, Phase, Reason, TaskId};
use crate::plan::{
    CountedRows, Failure, FailureKind, FileErase, FileEraseTask, HistoryStatus, LedgerView,
    PackageRecord, TaskCounts, TaskRef, TaskState,
};

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn task(action: Action) -> TaskRef {
    TaskRef { request: name("acme"), key: Some("K-1".to_owned()), action: Some(action) }
}

fn submitted(action: Action, fingerprint: &str, due: i64) -> Record {
    Record::TaskSubmitted {
        task: task(action),
        fingerprint: fingerprint.to_owned(),
        regulation: Some("gdpr".to_owned()),
        received_at: time(0),
        due: time(due),
    }
}

fn started(action: Action, package: Option<&str>) -> Record {
    Record::TaskStarted { task: task(action), package: package.map(str::to_owned), approval: None }
}

fn blocked(reason: Reason) -> Record {
    Record::TaskBlocked {
        task: task(Action::Delete),
        reason,
        message: Some("wait".to_owned()),
        counts: TaskCounts { rows_erased: Some(1), ..TaskCounts::default() },
        sources: vec!["eu".to_owned()],
    }
}

fn failed(reason: Reason, attempts: u32) -> Record {
    Record::TaskFailed {
        task: task(Action::Delete),
        reason,
        message: None,
        counts: TaskCounts::default(),
        sources: Vec::new(),
        failure: Some(Failure {
            kind: FailureKind::Data,
            attempts,
            first_failed_at: time(1),
            next_try_at: time(60),
            dataset: None,
            file: None,
            evidence: "e".to_owned(),
        }),
    }
}

fn completed(action: Action, reason: Reason, package: Option<PackageRecord>) -> Record {
    Record::TaskCompleted {
        task: task(action),
        reason,
        counts: TaskCounts { person_rows: Some(3), ..TaskCounts::default() },
        sources: vec!["eu".to_owned(), "us".to_owned()],
        left_out: vec![name("orders")],
        package,
        verified: Some(true),
        rules: Some("rules".to_owned()),
        earlier: Vec::new(),
    }
}

fn package(location: &str, compiled: i64) -> PackageRecord {
    PackageRecord {
        location: location.to_owned(),
        sha256: format!("{compiled:064}"),
        bytes: 10,
        compiled_at: time(compiled),
        expires_at: time(compiled + 100),
        expired: false,
    }
}

fn rejected(key: Option<&str>, action: Option<Action>) -> Record {
    Record::TaskRejected {
        task: TaskRef { request: name("acme"), key: key.map(str::to_owned), action },
        fingerprint: None,
        regulation: None,
        received_at: time(0),
        due: time(9),
        reason: Reason::Invalid,
        message: Some("bad form".to_owned()),
    }
}

fn erase(rows: u64) -> FileErase {
    FileErase {
        empties: false,
        dataset: name("events"),
        path: "lake/x=***/a.parquet".to_owned(),
        file: "f1".to_owned(),
        before: "b".to_owned(),
        after: Some("a".to_owned()),
        tasks: vec![FileEraseTask {
            task: task(Action::Delete),
            rows_erased: rows,
            cells_erased: rows * 4,
            rows_again: 0,
        }],
        settled: Vec::new(),
        counted: Vec::new(),
    }
}

/// Each list is a commit, one second after the other, written and read again before it is folded.
fn fold(commits: &[&[Record]]) -> LedgerView {
    let mut fold = Fold::default();
    for (seq, records) in (1..).zip(commits) {
        let mut commit = Commit::after(None, records.to_vec(), time(seq));
        commit.seq = u64::try_from(seq).unwrap();
        let read = Commit::parse(&commit.to_bytes()).unwrap();
        assert_eq!(read, commit);
        fold.apply(&read);
    }
    fold.view().clone()
}

fn state(view: &LedgerView, action: Action) -> &TaskState {
    &view.tasks[&TaskId::from(&task(action))]
}

fn statuses(view: &LedgerView) -> Vec<HistoryStatus> {
    view.history.iter().map(|entry| entry.status).collect()
}

#[test]
fn a_delete_from_begin_to_end() {
    let intent = Record::EraseIntent(erase(2));
    let done = Record::EraseDone { dataset: name("events"), file: "f1".into(), before: "b".into() };
    let begun: &[Record] = &[submitted(Action::Delete, "fp", 50)];
    let started: &[Record] = &[started(Action::Delete, None), intent];
    let view = fold(&[begun, started]);
    let now = state(&view, Action::Delete);
    assert_eq!(
        (now.phase, now.started_at, now.finished_at),
        (Phase::Processing, Some(time(2)), None)
    );
    assert_eq!(view.unsettled["f1"], erase(2));
    assert_eq!(statuses(&view), [HistoryStatus::InProgress]);
    let end: &[Record] = &[done, completed(Action::Delete, Reason::ErasedNarrowed, None)];
    let view = fold(&[begun, started, end]);
    let now = state(&view, Action::Delete);
    assert_eq!((now.phase, now.reason), (Phase::Complete, Some(Reason::ErasedNarrowed)));
    assert_eq!((now.finished_at, now.due), (Some(time(3)), time(50)));
    assert_eq!((now.erased.rows, now.erased.cells, now.erased.files), (2, 8, 1));
    assert_eq!((now.verified, &now.left_out), (Some(true), &vec![name("orders")]));
    assert_eq!(now.rules.as_deref(), Some("rules"));
    assert_eq!(now.regulation.as_ref().unwrap().as_str(), "gdpr");
    assert!(view.unsettled.is_empty());
    let entry = &view.history[0];
    assert_eq!((entry.status, entry.handled_at), (HistoryStatus::Done, Some(time(3))));
    assert_eq!(entry.sources, ["eu", "us"]);
    assert_eq!(view.seq, 3);
}

#[test]
fn an_abandoned_intent_counts_nothing() {
    let view = fold(&[&[
        submitted(Action::Delete, "fp", 50),
        started(Action::Delete, None),
        Record::EraseIntent(erase(2)),
        Record::EraseAbandoned { dataset: name("events"), file: "f1".into(), before: "b".into() },
        Record::EraseDone { dataset: name("events"), file: "f1".into(), before: "b".into() },
    ]]);
    assert!(view.unsettled.is_empty());
    assert_eq!(state(&view, Action::Delete).erased.files, 0);
}

#[test]
fn an_access_expires() {
    let location = "exports/acme/K-1.zip";
    let ready: &[Record] = &[
        submitted(Action::Access, "fp", 50),
        started(Action::Access, Some(location)),
        completed(Action::Access, Reason::Exported, Some(package(location, 7))),
    ];
    let begun = fold(&[&ready[..2]]);
    assert_eq!(begun.intended_packages.keys().collect::<Vec<_>>(), [location]);
    let view = fold(&[ready]);
    assert!(view.intended_packages.is_empty());
    assert_eq!(view.packages[location].1.expires_at, time(107));
    let entry = &view.history[0];
    assert_eq!((entry.status, entry.expires_at), (HistoryStatus::Ready, Some(time(107))));
    assert_eq!(entry.package.as_deref(), Some(location));
    let gone = Record::PackageExpired { task: task(Action::Access), package: location.to_owned() };
    let view = fold(&[ready, &[gone]]);
    assert!(view.packages.is_empty());
    assert!(state(&view, Action::Access).package.as_ref().unwrap().expired);
    assert_eq!(statuses(&view), [HistoryStatus::Expired]);
    assert_eq!(state(&view, Action::Access).phase, Phase::Complete);
}

#[test]
fn only_another_fingerprint_opens_a_task_again() {
    let location = "exports/acme/K-1.zip";
    let done: &[Record] = &[
        submitted(Action::Access, "fp", 50),
        started(Action::Access, Some(location)),
        completed(Action::Access, Reason::Exported, Some(package(location, 7))),
    ];
    let moved = fold(&[done, &[submitted(Action::Access, "fp", 99)]]);
    assert_eq!(state(&moved, Action::Access).phase, Phase::Complete);
    assert_eq!(state(&moved, Action::Access).due, time(99));
    assert_eq!(statuses(&moved), [HistoryStatus::Ready]);
    let again: &[Record] = &[submitted(Action::Access, "other", 50)];
    let open = fold(&[done, again]);
    let now = state(&open, Action::Access);
    assert_eq!((now.phase, now.package.as_ref(), now.started_at), (Phase::Submitted, None, None));
    // The old package still lies there, and must still expire.
    assert_eq!(open.packages.len(), 1);
    assert_eq!(statuses(&open), [HistoryStatus::Ready, HistoryStatus::InProgress]);
    let ready: &[Record] = &[
        started(Action::Access, Some(location)),
        completed(Action::Access, Reason::Exported, Some(package(location, 8))),
    ];
    let replaced = fold(&[done, again, ready]);
    assert_eq!(replaced.packages[location].1.compiled_at, time(8));
    assert_eq!(statuses(&replaced), [HistoryStatus::Expired, HistoryStatus::Ready]);
    assert!(!state(&replaced, Action::Access).package.as_ref().unwrap().expired);
}

#[test]
fn failures_count_and_are_tried_again_on_the_same_line() {
    let twice: &[Record] = &[
        submitted(Action::Delete, "fp", 50),
        started(Action::Delete, None),
        failed(Reason::DataUnreadable, 1),
        started(Action::Delete, None),
        failed(Reason::Conflict, 2),
    ];
    let view = fold(&[twice]);
    let now = state(&view, Action::Delete);
    let attempts = now.failure.as_ref().map(|failure| failure.attempts);
    assert_eq!((now.phase, attempts, now.finished_at), (Phase::Failed, Some(2), None));
    assert_eq!(view.next_tries().min(), Some(time(60)));
    assert_eq!(statuses(&view), [HistoryStatus::Failed]);
    let again: &[Record] = &[started(Action::Delete, None)];
    let view = fold(&[twice, again]);
    assert_eq!(statuses(&view), [HistoryStatus::InProgress]);
    let now = state(&view, Action::Delete);
    assert_eq!(now.started_at, Some(time(1)));
    let attempts = now.failure.as_ref().map(|failure| failure.attempts);
    assert_eq!((attempts, view.next_tries().min()), (Some(2), None), "a crash now is no attempt");
    let view = fold(&[twice, again, &[completed(Action::Delete, Reason::NoMatch, None)]]);
    assert_eq!(state(&view, Action::Delete).failure, None);
    assert_eq!(statuses(&view), [HistoryStatus::Done]);
}

#[test]
fn a_block_keeps_what_was_done_and_goes_on() {
    let held: &[Record] = &[
        submitted(Action::Delete, "fp", 50),
        started(Action::Delete, None),
        blocked(Reason::Held),
    ];
    let view = fold(&[held]);
    let now = state(&view, Action::Delete);
    assert_eq!((now.phase, now.reason), (Phase::Blocked, Some(Reason::Held)));
    assert_eq!((now.counts.rows_erased, now.message.as_deref()), (Some(1), Some("wait")));
    assert_eq!(statuses(&view), [HistoryStatus::InProgress]);
    let view = fold(&[held, &[started(Action::Delete, None)]]);
    let now = state(&view, Action::Delete);
    assert_eq!((now.phase, now.reason, now.message.as_ref()), (Phase::Processing, None, None));
    let pending = Record::TaskCleanupPending { task: task(Action::Delete), message: None };
    let view = fold(&[held, &[pending]]);
    assert_eq!(state(&view, Action::Delete).reason, Some(Reason::CleanupPending));
}

#[test]
fn a_standing_erasure_is_a_new_line_when_it_acts_again() {
    let done: &[Record] = &[
        submitted(Action::Delete, "fp", 50),
        started(Action::Delete, None),
        completed(Action::Delete, Reason::Erased, None),
    ];
    let again: &[Record] = &[started(Action::Delete, None)];
    let view = fold(&[done, again]);
    assert_eq!(statuses(&view), [HistoryStatus::Done, HistoryStatus::InProgress]);
    let now = state(&view, Action::Delete);
    assert_eq!((now.started_at, now.finished_at), (Some(time(2)), None));
    assert_eq!(now.counts, TaskCounts::default());
}

#[test]
fn withdrawn_and_rejected_tasks_end_and_can_come_back() {
    let cancelled = Record::TaskCancelled {
        task: task(Action::Delete),
        reason: Reason::Withdrawn,
        message: None,
    };
    let ended: &[Record] = &[submitted(Action::Delete, "fp", 50), cancelled];
    let view = fold(&[ended]);
    assert_eq!(state(&view, Action::Delete).phase, Phase::Cancelled);
    assert_eq!(state(&view, Action::Delete).finished_at, Some(time(1)));
    assert_eq!(statuses(&view), [HistoryStatus::Failed]);
    let view = fold(&[ended, &[submitted(Action::Delete, "fp", 50)]]);
    assert_eq!(state(&view, Action::Delete).phase, Phase::Submitted);
    assert_eq!(statuses(&view), [HistoryStatus::InProgress]);
    let bad = rejected(Some("K-1"), Some(Action::Delete));
    let view = fold(&[&[bad]]);
    let now = state(&view, Action::Delete);
    assert_eq!((now.phase, now.reason), (Phase::Rejected, Some(Reason::Invalid)));
    assert_eq!(statuses(&view), [HistoryStatus::Failed]);
}

#[test]
fn mended_requests_lose_their_rejections() {
    let lifted = |key: Option<&str>, action| {
        let task = TaskRef { request: name("acme"), key: key.map(str::to_owned), action };
        Record::RejectionLifted { task }
    };
    let left = |commits: &[&[Record]]| {
        let view = fold(commits);
        view.tasks.keys().map(ToString::to_string).collect::<Vec<_>>()
    };
    let first: &[Record] = &[rejected(None, None)];
    let blocks: &[Record] =
        &[lifted(None, None), rejected(Some("K-1"), None), rejected(Some("K-2"), None)];
    assert_eq!(left(&[first, blocks]), ["acme/K-1", "acme/K-2"]);
    let mended: &[Record] = &[lifted(Some("K-1"), None), submitted(Action::Delete, "fp", 50)];
    assert_eq!(left(&[first, blocks, mended]), ["acme/K-1 delete", "acme/K-2"]);
    // Nothing else goes by it.
    let other: &[Record] = &[lifted(Some("K-1"), Some(Action::Delete))];
    assert_eq!(left(&[first, blocks, mended, other]), ["acme/K-1 delete", "acme/K-2"]);
}

#[test]
fn what_was_seen_is_remembered() {
    let seen = |at, digest: &str| Record::RequestSeen {
        request: name("acme"),
        digest: digest.to_owned(),
        at: time(at),
    };
    let view = fold(&[
        &[
            seen(1, "d1"),
            Record::DatasetSeen { dataset: name("events"), digest: Some("x".to_owned()) },
            Record::HoldSeen { hold: name("tax") },
            Record::KeysDestroyed { task: task(Action::Delete) },
        ],
        &[seen(2, "d2")],
    ]);
    assert_eq!(view.requests[&name("acme")], time(1));
    assert_eq!(view.request_digests[&name("acme")], "d2");
    assert!(view.datasets.contains(&name("events")) && view.holds.contains(&name("tax")));
}

#[test]
fn every_event_that_is_written_is_known_when_read() {
    let text =
        String::from_utf8(Commit::after(None, vec![blocked(Reason::Held)], time(0)).to_bytes())
            .unwrap();
    // An unknown key deep inside is a later version's, and so is an unknown word if it says so.
    let deep = text.replace("\"rowsErased\":1", "\"rowsErased\":1,\"rowsMoved\":2");
    assert!(matches!(Commit::parse(deep.as_bytes()), Err(Unreadable::Newer { .. })));
    let null = text.replace("\"rowsErased\":1", "\"rowsErased\":1,\"rowsMoved\":null");
    assert!(Commit::parse(null.as_bytes()).is_ok());
    let word = text.replace("\"Held\"", "\"Moved\"");
    assert_eq!(Commit::parse(word.as_bytes()), Err(Unreadable::Record { index: 0 }));
    let later = word.replace(env!("CARGO_PKG_VERSION"), "12.0.0-rc.1");
    assert!(matches!(Commit::parse(later.as_bytes()), Err(Unreadable::Newer { .. })));
    let envelope = text.replace("\"prev\"", "\"before\"");
    assert_eq!(Commit::parse(envelope.as_bytes()), Err(Unreadable::Torn));
    let later = envelope.replace(env!("CARGO_PKG_VERSION"), "12.0.0");
    assert!(matches!(Commit::parse(later.as_bytes()), Err(Unreadable::Newer { .. })));
}

#[test]
fn rows_that_a_hold_split_in_two_erasures_count_once() {
    let of = |before: &str, after: &str, rows: u64, again: u64, sealed: &[&str]| {
        let mut file = erase(rows);
        (file.before, file.after) = (before.to_owned(), Some(after.to_owned()));
        file.tasks[0].rows_again = again;
        let part =
            |rows: &&str| CountedRows { task: task(Action::Delete), rows: (*rows).to_owned() };
        file.counted = sealed.iter().map(part).collect();
        let done = Record::EraseDone {
            dataset: name("events"),
            file: "f1".to_owned(),
            before: before.to_owned(),
        };
        vec![Record::EraseIntent(file), done]
    };
    let begun = [submitted(Action::Delete, "fp", 50), started(Action::Delete, None)];
    let folded = |more: &[&[Record]]| fold(&[&[&begun[..]], more].concat());
    let held = of("a", "b", 3, 0, &["sealed"]);
    let view = folded(&[&held]);
    assert_eq!(view.counted["f1"].footer, "b");
    assert_eq!(view.counted["f1"].tasks[0].rows, "sealed");
    let view = folded(&[&held, &of("b", "c", 5, 2, &[])]);
    assert_eq!(state(&view, Action::Delete).erased.rows, 6, "two of five were counted");
    assert!(view.counted.is_empty(), "nothing is left to come back to");
    // Another task, or the same one anew, has counted nothing.
    for anew in [
        vec![submitted(Action::Delete, "other", 50)],
        vec![completed(Action::Delete, Reason::Erased, None), started(Action::Delete, None)],
    ] {
        assert!(folded(&[&held, &anew]).counted.is_empty());
    }
    assert_eq!(folded(&[&held, &[submitted(Action::Delete, "fp", 60)]]).counted.len(), 1);
}

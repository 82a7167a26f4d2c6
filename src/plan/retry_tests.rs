#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use jiff::{SignedDuration, Timestamp};

use super::{Cause, Failure, FailureKind, LONGEST, minutes, wait};
use crate::model::{Action, Name, TaskId};

const KINDS: [FailureKind; 3] =
    [FailureKind::Transient, FailureKind::Data, FailureKind::Configuration];

fn id(key: &str, action: Action) -> TaskId {
    TaskId { request: Name::new("r").unwrap(), key: Some(key.to_owned()), action: Some(action) }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn waits_grow_within_their_bounds_and_never_shrink() {
    for kind in KINDS {
        for key in 0..500 {
            let id = id(&key.to_string(), Action::Delete);
            let mut before = SignedDuration::ZERO;
            for attempts in 1..=40 {
                let now = wait(kind, &id, attempts);
                let doubled = kind.first() << (attempts - 1).min(20);
                let full = minutes(doubled.min(LONGEST));
                assert!(now <= full && now * 4 >= full * 3, "{kind:?} {key} {attempts}: {now}");
                assert!(now >= before, "{kind:?} {key} {attempts}: {now} after {before}");
                before = now;
            }
            assert_eq!(before, wait(kind, &id, u32::MAX), "the longest wait stays");
        }
    }
}

#[test]
fn blocks_are_spread_and_the_tasks_of_one_are_not() {
    let wait = |key: &str, action| wait(FailureKind::Data, &id(key, action), 3);
    let all: std::collections::BTreeSet<_> =
        (0..200).map(|key| wait(&key.to_string(), Action::Delete)).collect();
    assert!(all.len() > 150, "{} different waits of 200", all.len());
    assert_eq!(wait("k", Action::Access), wait("k", Action::Delete));
    assert_eq!(wait("k", Action::Access), wait("k", Action::Access));
}

#[test]
fn failures_on_the_same_grounds_add_up_and_others_begin_anew() {
    let id = id("k", Action::Delete);
    let data = Cause::of(FailureKind::Data, &Name::new("d").unwrap());
    let (one, two) = (at("2026-11-01T00:00:00Z"), at("2026-11-02T00:00:00Z"));
    let first = Failure::after(None, &id, &data, "a".to_owned(), one);
    assert_eq!((first.attempts, first.first_failed_at), (1, one));
    let second = Failure::after(Some(&first), &id, &data, "a".to_owned(), two);
    assert_eq!((second.attempts, second.first_failed_at), (2, one));
    assert_eq!(second.next_try_at, two + wait(FailureKind::Data, &id, 2));
    let file = Failure::after(Some(&second), &id, &data, "b".to_owned(), two);
    assert_eq!((file.attempts, file.first_failed_at), (1, two), "another file");
    let kind = Failure::after(Some(&second), &id, &Cause::transient(), "a".to_owned(), two);
    assert_eq!((kind.attempts, kind.first_failed_at), (1, two), "another kind");
}

#[test]
fn a_clock_that_was_wrong_keeps_nothing_waiting() {
    let id = id("k", Action::Delete);
    let failure =
        Failure::after(None, &id, &Cause::transient(), "a".to_owned(), at("2099-01-01T00:00:00Z"));
    assert!(failure.is_due(at("2026-11-22T00:00:00Z")), "73 years are no wait");
    let (then, now) = (at("2026-11-22T10:00:00Z"), at("2026-11-22T09:00:00Z"));
    let failure = Failure::after(None, &id, &Cause::transient(), "a".to_owned(), then);
    assert!(!failure.is_due(now), "an hour back it still waits, at most for the longest wait more");
    let again = Failure::after(Some(&failure), &id, &Cause::transient(), "a".to_owned(), now);
    assert_eq!(
        (again.attempts, again.first_failed_at),
        (2, now),
        "it did not begin later than now"
    );
}

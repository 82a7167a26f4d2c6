//! What the daemon knows of its passes: the loop writes it down, the HTTP endpoints read it.
//!
//! Guarantees: it never makes a pass wait for a reader longer than it takes to swap a few words, and it
//! holds names, counts and dates only, as the ledger does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::meters::Meters;
use super::{ApplyReport, Clock, LedgerNow, Measured, PassError, Verdict};

/// How long ago the loop may have turned before it counts as dead: it does at least once a minute, and
/// may be late on a machine that is busy.
const STUCK: Duration = Duration::from_secs(180);

/// The board. Clones are the same board.
#[derive(Debug, Clone)]
pub struct Board(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: Clock,
    started: Timestamp,
    meters: Meters,
    now: Mutex<Now>,
}

#[derive(Debug)]
struct Now {
    activity: Activity,
    last: Option<LastPass>,
    /// Some pass was carried through since the start.
    carried: bool,
    ledger: Option<Arc<LedgerNow>>,
}

/// What the loop is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activity {
    /// It has turned last then, and waits for a reason to start a pass.
    Waiting(Instant),
    /// A pass runs since then.
    Passing(Instant),
    /// It has ended.
    Ended,
}

/// How the newest pass ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LastPass {
    pub(super) ended: Timestamp,
    pub(super) took: Duration,
    pub(super) verdict: Verdict,
    /// Why it was not carried through.
    pub(super) error: Option<String>,
}

/// Held by the loop while it lives, so that its end shows however it ends.
#[must_use]
#[derive(Debug)]
pub struct Attendance(Board);

impl Drop for Attendance {
    fn drop(&mut self) {
        self.0.now().activity = Activity::Ended;
    }
}

impl Board {
    /// A board without a pass.
    pub fn new(clock: Clock) -> Self {
        let activity = Activity::Waiting(Instant::now());
        let now = Now { activity, last: None, carried: false, ledger: None };
        Self(Arc::new(Shared {
            clock,
            started: clock.now(),
            meters: Meters::new(clock.now()),
            now: Mutex::new(now),
        }))
    }

    /// The loop begins; it has ended when what this gives is dropped.
    pub fn attend(&self) -> Attendance {
        self.turns();
        Attendance(self.clone())
    }

    /// The loop turns: it looks for a reason to start a pass.
    pub fn turns(&self) {
        self.now().activity = Activity::Waiting(Instant::now());
    }

    /// A pass begins.
    pub fn started(&self) {
        self.now().activity = Activity::Passing(Instant::now());
    }

    /// A file was erased from, however the pass may end.
    pub fn erased(&self, measured: Measured) {
        self.meters().erased(measured);
    }

    /// The pass has ended.
    pub fn finished(&self, result: Result<&ApplyReport, &PassError>) {
        let ended = self.clock().now();
        let ledger = result.ok().and_then(|report| report.ledger.clone()).map(Arc::new);
        let verdict = result.map_or_else(PassError::verdict, |report| report.verdict);
        // Only a pass that opened the ledger was carried through.
        let carried = ledger.is_some();
        let mut now = self.now();
        let took = match now.activity {
            Activity::Passing(since) => since.elapsed(),
            _ => Duration::ZERO,
        };
        now.activity = Activity::Waiting(Instant::now());
        let error = match result {
            Err(error) => Some(super::error::chain(error)),
            Ok(report) => report.notes.first().filter(|_| !carried).cloned(),
        };
        now.last = Some(LastPass { ended, took, verdict, error });
        now.carried |= carried;
        if ledger.is_some() {
            now.ledger = ledger;
        }
        drop(now);
        self.meters().passed(result, ended, took);
    }

    /// What the ledger says before the first pass has ended.
    pub fn know(&self, ledger: LedgerNow) {
        self.meters().ledger(&ledger.view, self.clock().now());
        self.now().ledger = Some(Arc::new(ledger));
    }

    pub(super) fn clock(&self) -> Clock {
        self.0.clock
    }

    /// When the daemon started.
    pub(super) fn since(&self) -> Timestamp {
        self.0.started
    }

    pub(super) fn meters(&self) -> &Meters {
        &self.0.meters
    }

    pub(super) fn activity(&self) -> Activity {
        self.now().activity
    }

    /// Whether the loop lives: it has not ended, and does not sleep far longer than it should.
    pub(super) fn alive(&self) -> bool {
        self.alive_at(Instant::now())
    }

    fn alive_at(&self, now: Instant) -> bool {
        match self.activity() {
            Activity::Waiting(since) => now.saturating_duration_since(since) <= STUCK,
            Activity::Passing(_) => true,
            Activity::Ended => false,
        }
    }

    /// Whether a pass was carried through.
    pub(super) fn carried(&self) -> bool {
        self.now().carried
    }

    pub(super) fn last(&self) -> Option<LastPass> {
        self.now().last.clone()
    }

    pub(super) fn ledger(&self) -> Option<Arc<LedgerNow>> {
        self.now().ledger.clone()
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        // Nothing is half done while the lock is held: what a panicking thread left is whole.
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_loop_that_no_longer_turns_is_dead_and_a_long_pass_is_not() {
        let board = Board::new(Clock::System);
        let later = || Instant::now() + STUCK + Duration::from_secs(1);
        board.turns();
        assert!(board.alive());
        assert!(!board.alive_at(later()));
        board.started();
        assert!(board.alive_at(later()));
        board.finished(Err(&PassError::Places));
        assert!(board.alive() && !board.alive_at(later()));
        drop(board.attend());
        assert!(!board.alive());
    }

    #[test]
    fn a_pass_that_fails_keeps_what_an_earlier_one_saw() {
        let board = Board::new(Clock::System);
        let ledger = LedgerNow {
            view: crate::plan::LedgerView { seq: 7, ..Default::default() },
            head: None,
            state: crate::store::StateDir::locate("state", "/nowhere".as_ref()).unwrap(),
            exports: "exports".to_owned(),
        };
        board.know(ledger);
        assert!(!board.carried());
        board.finished(Err(&PassError::Bug("x".to_owned())));
        board.finished(Ok(&ApplyReport::invalid(Vec::new())));
        assert_eq!(board.ledger().unwrap().view.seq, 7);
        assert!(!board.carried());
        assert_eq!(board.last().unwrap().verdict, Verdict::Invalid);
    }
}

//! The daemon: the pass of `apply`, at start, on every change, at every interval, and when time alone
//! gives it something to do.
//!
//! It is level-triggered. An event only says "look again": the daemon then compares what it sees with
//! what its last pass saw, and starts a pass where they differ. An event that is lost costs a minute at
//! most, a thousand that say the same cost nothing.
//!
//! Guarantees: one pass at a time; a change during a pass causes one more; waits go by a clock that never
//! jumps, and are thought over at least once a minute.
//! Crash behaviour: that of the pass. The daemon itself keeps nothing.

mod bell;
mod glance;
mod wake;

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::apply::apply_texts;
use super::{ApplyReport, Approval, Events, PassError, Signal, Workspace};
use bell::Bell;
use glance::Glance;
pub(super) use wake::next_wake;

/// The longest wait: a clock that was set, and a change that nobody reported, are noticed then.
const TURN: Duration = Duration::from_secs(60);

/// When the daemon looks.
#[derive(Debug, Clone)]
pub struct WatchOptions {
    /// A pass at least that often.
    pub interval: Duration,
}

/// One pass of the daemon, when it has ended.
#[derive(Debug)]
pub struct PassEnd<'a> {
    /// Counted from 1.
    pub number: u64,
    /// When it began, by the workspace's clock.
    pub at: Timestamp,
    /// How long it took.
    pub seconds: f64,
    /// What it did, or why it failed.
    pub outcome: Result<&'a ApplyReport, &'a PassError>,
}

/// Whoever looks on: the log, the service manager, the status page.
pub trait Observer: Events {
    /// A pass begins.
    fn pass_begins(&mut self, number: u64, at: Timestamp);

    /// A pass has ended.
    fn pass_ended(&mut self, end: &PassEnd<'_>);

    /// The loop turns: it is alive.
    fn turns(&mut self);
}

/// Runs until a signal asks for the end, and says which.
pub fn watch(
    workspace: &Workspace,
    options: &WatchOptions,
    observer: &mut dyn Observer,
) -> Signal {
    let bell = Bell::new();
    let rope = bell.rope();
    workspace.stop.wakes(move || rope.pull());
    Daemon { workspace, options, observer, bell, passes: 0, seen: None, next: Next::now() }.run()
}

/// When the next pass is due even if nothing changes.
struct Next {
    /// At the latest.
    by: Instant,
    /// When time gives it something to do.
    wake: Option<Timestamp>,
}

impl Next {
    fn now() -> Self {
        Self { by: Instant::now(), wake: None }
    }
}

struct Daemon<'a> {
    workspace: &'a Workspace,
    options: &'a WatchOptions,
    observer: &'a mut dyn Observer,
    bell: Bell,
    passes: u64,
    /// What the last pass saw; `None`: it could not see.
    seen: Option<[u8; 32]>,
    next: Next,
}

impl Daemon<'_> {
    fn run(mut self) -> Signal {
        loop {
            if let Some(signal) = self.workspace.stop.asked() {
                return signal;
            }
            self.observer.turns();
            self.turn();
            let stop = &self.workspace.stop;
            if stop.asked().is_none() {
                self.bell.wait(self.patience(), || stop.asked().is_some());
            }
        }
    }

    /// Looks, and starts a pass where there is a reason.
    fn turn(&mut self) {
        let due = Instant::now() >= self.next.by
            || self.next.wake.is_some_and(|wake| wake <= self.workspace.clock.now());
        let glance = Glance::take(self.workspace);
        let sees = glance.as_ref().ok().map(|glance| glance.stamp);
        if due || sees != self.seen {
            self.seen = sees;
            self.pass(glance);
        }
    }

    fn pass(&mut self, glance: Result<Glance, PassError>) {
        self.passes += 1;
        let (number, at, started) = (self.passes, self.workspace.clock.now(), Instant::now());
        self.observer.pass_begins(number, at);
        let outcome = glance.and_then(|glance| {
            apply_texts(self.workspace, &glance.texts, Approval::Given, &mut *self.observer)
        });
        let wait = match &outcome {
            Ok(_) => self.options.interval,
            // Another pass, a full disk: it may settle soon.
            Err(_) => self.options.interval.min(TURN),
        };
        self.next = Next {
            by: Instant::now() + wait,
            wake: outcome.as_ref().ok().and_then(|report| report.wake),
        };
        let seconds = started.elapsed().as_secs_f64();
        let outcome = outcome.as_ref();
        self.observer.pass_ended(&PassEnd { number, at, seconds, outcome });
    }

    /// How long to wait if nothing happens.
    fn patience(&self) -> Duration {
        let by = self.next.by.saturating_duration_since(Instant::now());
        let wake = self.next.wake.map(|wake| {
            Duration::try_from(wake.duration_since(self.workspace.clock.now())).unwrap_or_default()
        });
        by.min(wake.unwrap_or(TURN)).min(TURN)
    }
}

//! The daemon: the pass of `apply`, at start, on every change, at every interval, and when time alone
//! gives it something to do.
//!
//! It is level-triggered. An event only says "look again": the daemon then compares what it sees with
//! what its last pass saw, and starts a pass where they differ. An event that is lost costs a minute at
//! most, a thousand that say the same cost nothing.
//!
//! Guarantees: one pass at a time; a change during a pass causes one more; what is being written is left
//! to settle; waits go by a clock that never jumps, and are thought over at least once a minute.
//! Assumptions: writers of policies and requests put whole files in place, or pause for less than a
//! moment while they write.
//! Crash behaviour: that of the pass. The daemon itself keeps nothing.

mod bell;
mod daemon;
mod eyes;
mod glance;
mod points;
#[cfg(test)]
mod tests;
mod wake;

use std::time::Duration;

use jiff::Timestamp;

use super::{ApplyReport, Events, PassError, Signal, Workspace};
pub(super) use wake::next_wake;

/// When the daemon looks.
#[derive(Debug, Clone)]
pub struct WatchOptions {
    /// A pass at least that often.
    pub interval: Duration,
    /// Also when files of a dataset change.
    pub data: bool,
    /// Look that often, and rely on no events; `None`: on events, where there are any.
    pub poll: Option<Duration>,
    /// The longest wait between two turns of the loop: [`TURN`], or less.
    pub turn: Duration,
}

/// The longest wait between two turns of the loop: a clock that was set, and a change that nobody
/// reported, are noticed then.
pub const TURN: Duration = Duration::from_secs(60);

/// How often the daemon looks where events do not come.
pub const POLL: Duration = Duration::from_secs(30);

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

    /// Changes may come without events, and why: the daemon polls.
    fn polls(&mut self, why: &str);
}

/// Runs until a signal asks for the end, and says which.
pub fn watch(workspace: &Workspace, options: &WatchOptions, observer: &mut dyn Observer) -> Signal {
    daemon::Daemon::new(workspace, options, observer).run()
}

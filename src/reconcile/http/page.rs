//! `/status`: what is open, what was done, and how the daemon is, for people.
//!
//! Guarantees: whatever a key or message holds shows as text; the page loads nothing, runs nothing and
//! has a bounded length.

use std::cmp::Reverse;
use std::time::Duration;

use askama::Template;
use jiff::{Timestamp, tz::TimeZone};

use crate::model::Phase;
use crate::plan::{Failure, HistoryEntry, HistoryStatus};
use crate::reconcile::LedgerNow;
use crate::reconcile::board::{Activity, Board, LastPass};
use crate::reconcile::status::{StatusTask, status_of};

/// Rows of a table.
const ROWS: usize = 300;

#[derive(Template)]
#[template(path = "status/page.html")]
struct Page {
    now: Moment,
    since: Moment,
    version: &'static str,
    /// What the loop does, in a sentence, and whether that is well.
    activity: String,
    alive: bool,
    last: Option<Last>,
    /// Number and digest of the newest commit.
    head: Option<(u64, String)>,
    known: bool,
    overdue: usize,
    open: Table<Open>,
    rejected: Table<Rejected>,
    history: Table<Handled>,
}

/// The first rows of something, and how many there are.
struct Table<T> {
    rows: Vec<T>,
    more: usize,
    all: usize,
}

struct Last {
    ended: Moment,
    took: String,
    outcome: &'static str,
    well: bool,
    error: Option<String>,
}

/// One task, by the block.
struct Task {
    request: String,
    key: String,
    action: &'static str,
}

struct Open {
    task: Task,
    due: Moment,
    /// `in 3 days`, `2 days overdue`.
    left: String,
    overdue: bool,
    phase: Phase,
    reason: String,
    message: String,
    /// How often it has failed, and when it is tried again.
    tries: String,
    help: &'static str,
}

struct Rejected {
    task: Task,
    reason: String,
    message: String,
    received: Moment,
}

struct Handled {
    task: Task,
    sources: String,
    requested: Moment,
    handled: Option<Moment>,
    status: &'static str,
    until: Option<Moment>,
}

/// A time, for people and for machines.
struct Moment {
    shown: String,
    exact: String,
}

impl Moment {
    fn day(time: Timestamp) -> Self {
        let shown = time.to_zoned(TimeZone::UTC).strftime("%-d %b %Y").to_string();
        Self { shown, exact: time.to_string() }
    }

    fn minute(time: Timestamp) -> Self {
        let shown = time.to_zoned(TimeZone::UTC).strftime("%-d %b %Y, %H:%M UTC").to_string();
        Self { shown, exact: time.to_string() }
    }
}

impl<T> Table<T> {
    fn of<S>(sources: &[S], row: impl Fn(&S) -> T) -> Self {
        Self {
            rows: sources.iter().take(ROWS).map(row).collect(),
            more: sources.len().saturating_sub(ROWS),
            all: sources.len(),
        }
    }
}

/// The page; `None` is a bug of its template.
pub(super) fn render(board: &Board) -> Option<String> {
    let now = board.clock().now();
    let ledger = board.ledger();
    let tasks = ledger.as_ref().map(|ledger| status_of(&ledger.view, now)).unwrap_or_default();
    // Overdue ones come first by themselves: they were due before all others.
    let mut open: Vec<&StatusTask> = tasks.iter().filter(|task| !task.phase.is_final()).collect();
    open.sort_by_key(|task| task.due);
    let mut rejected: Vec<&StatusTask> =
        tasks.iter().filter(|task| task.phase == Phase::Rejected).collect();
    rejected.sort_by_key(|task| Reverse(task.received_at));
    let page = Page {
        now: Moment::minute(now),
        since: Moment::minute(board.since()),
        version: env!("CARGO_PKG_VERSION"),
        activity: activity(board),
        alive: board.alive(),
        last: board.last().as_ref().map(last),
        head: head(ledger.as_deref()),
        known: ledger.is_some(),
        overdue: open.iter().filter(|task| task.overdue).count(),
        open: Table::of(&open, |task| open_row(task, now)),
        rejected: Table::of(&rejected, |task| rejected_row(task)),
        history: history(ledger.as_deref()),
    };
    page.render().ok()
}

fn activity(board: &Board) -> String {
    match board.activity() {
        Activity::Passing(since) => {
            format!("A pass is running, for {} so far.", span(since.elapsed()))
        }
        Activity::Ended => "It is ending.".to_owned(),
        Activity::Waiting(_) if board.alive() => "It is waiting for something to do.".to_owned(),
        Activity::Waiting(_) => {
            "It should have looked again by now, and has not: restart it.".to_owned()
        }
    }
}

fn head(ledger: Option<&LedgerNow>) -> Option<(u64, String)> {
    let head = ledger?.head.as_ref()?;
    Some((head.seq, head.sha256.clone()))
}

fn last(pass: &LastPass) -> Last {
    use crate::reconcile::Verdict;
    let (well, outcome) = match pass.verdict {
        Verdict::Done => (true, "everything that can be done is done"),
        Verdict::Blocked => (false, "a person is needed"),
        Verdict::Partial => (false, "some tasks failed or were rejected"),
        Verdict::Stale => (false, "another pass was in the way: it is tried again"),
        Verdict::Invalid => (false, "the policies are invalid: nothing was done"),
        Verdict::Failed => (false, "it failed"),
        Verdict::Bug => (false, "it met a bug, and stopped"),
    };
    let error = pass.error.as_deref().map(plain);
    Last { ended: Moment::minute(pass.ended), took: span(pass.took), outcome, well, error }
}

fn task(task: &crate::plan::TaskRef) -> Task {
    Task {
        request: plain(task.request.as_str()),
        key: task.key.as_deref().map(plain).unwrap_or_default(),
        action: task.action.map_or("", crate::model::Action::as_str),
    }
}

fn open_row(open: &StatusTask, now: Timestamp) -> Open {
    let due = open.due.unwrap_or(now);
    Open {
        task: task(&open.task),
        due: Moment::day(due),
        left: left(due, now),
        overdue: open.overdue,
        phase: open.phase,
        reason: open.reason.map(|reason| reason.to_string()).unwrap_or_default(),
        message: open.message.as_deref().map(plain).unwrap_or_default(),
        tries: open.failure.as_ref().map(tries).unwrap_or_default(),
        help: open.help.unwrap_or_default(),
    }
}

fn tries(failure: &Failure) -> String {
    let times = if failure.attempts == 1 {
        "once".to_owned()
    } else {
        format!("{} times", failure.attempts)
    };
    let (first, next) = (Moment::day(failure.first_failed_at), Moment::minute(failure.next_try_at));
    format!("Failed {times} since {}; tried again by {}.", first.shown, next.shown)
}

fn rejected_row(rejected: &StatusTask) -> Rejected {
    Rejected {
        task: task(&rejected.task),
        reason: rejected.reason.map(|reason| reason.to_string()).unwrap_or_default(),
        message: rejected.message.as_deref().map(plain).unwrap_or_default(),
        received: Moment::day(rejected.received_at),
    }
}

/// Newest first.
fn history(ledger: Option<&LedgerNow>) -> Table<Handled> {
    let lines = ledger.map_or(&[][..], |ledger| &ledger.view.history);
    // What is in progress stands among the open tasks.
    let handled = |line: &&HistoryEntry| line.status != HistoryStatus::InProgress;
    let newest: Vec<&HistoryEntry> = lines.iter().rev().filter(handled).collect();
    Table::of(&newest, |line| Handled {
        task: task(&line.task),
        sources: plain(&line.sources.join(", ")),
        requested: Moment::day(line.requested_at),
        handled: line.handled_at.map(Moment::day),
        status: status(line.status),
        until: line.expires_at.map(Moment::day),
    })
}

const fn status(status: HistoryStatus) -> &'static str {
    match status {
        HistoryStatus::Ready => "Ready",
        HistoryStatus::InProgress => "In progress",
        HistoryStatus::Expired => "Expired",
        HistoryStatus::Failed => "Failed",
        HistoryStatus::Done => "Done",
    }
}

/// How far a due date is away.
fn left(due: Timestamp, now: Timestamp) -> String {
    let days = |seconds: i64| match seconds / 86_400 {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    let seconds = due.as_second().saturating_sub(now.as_second());
    if seconds < 0 {
        format!("{} overdue", days(seconds.saturating_neg()))
    } else {
        format!("in {}", days(seconds))
    }
}

/// `0.4 s`, `12 s`, `3 min`, `2 h 5 min`.
fn span(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        seconds @ 10..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A text in which nothing is unseen: control characters, marks that turn the direction of writing and
/// characters without width stand as their numbers.
fn plain(text: &str) -> String {
    let unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
    };
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        if unseen(c) {
            shown.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
        } else {
            shown.push(c);
        }
        shown
    })
}

//! `amparo watch`.

use std::time::Duration;

use jiff::Timestamp;

use crate::reconcile::{self, Event, Events, Observer, PassEnd, Tries, WatchOptions};

use super::error::{CliError, ExitStatus};
use super::global::{Global, duration};
use super::signals;
use super::terminal::Terminal;

/// Run as a daemon: a pass at start, on every change, and at every interval
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A pass at least that often, such as 30s, 5m or 1h
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration, env = "AMPARO_INTERVAL")]
    interval: Duration,
}

pub(crate) fn run(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitStatus, CliError> {
    let mut workspace = global.workspace();
    workspace.stop = signals::drain();
    workspace.tries = Tries::Due;
    let options = WatchOptions { interval: args.interval };
    let signal = reconcile::watch(&workspace, &options, &mut Desk { terminal });
    Ok(ExitStatus::Signal(signal))
}

/// Tells people and machines what the daemon does.
struct Desk<'a> {
    terminal: &'a Terminal,
}

impl Events for Desk<'_> {
    fn event(&mut self, event: Event) {
        match event {
            Event::Stage { name, steps } => tracing::debug!(steps, "{name}"),
            Event::Step { what } => tracing::debug!("{what}"),
            Event::Notice { text } => self.terminal.say(&text),
        }
    }
}

impl Observer for Desk<'_> {
    fn pass_begins(&mut self, number: u64, at: Timestamp) {
        tracing::debug!(number, %at, "a pass begins");
    }

    fn pass_ended(&mut self, end: &PassEnd<'_>) {
        match end.outcome {
            Ok(report) => tracing::info!(end.number, end.seconds, report.recorded, "pass"),
            Err(error) => tracing::error!(end.number, "{error}"),
        }
    }

    fn turns(&mut self) {}
}

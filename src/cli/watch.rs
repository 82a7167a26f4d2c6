//! `amparo watch`.

use std::time::Duration;

use jiff::Timestamp;

use crate::reconcile::http::Server;
use crate::reconcile::{
    self, Board, Event, Events, LedgerNow, Observer, PassEnd, Tries, WatchOptions, Workspace,
};

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

    /// Answer HTTP there, such as 127.0.0.1:9464: /status for people, /metrics, /healthz, /readyz, and
    /// packages by the links of `amparo link`. Whoever can reach it may read the first two
    #[arg(long, value_name = "HOST:PORT", value_parser = address, env = "AMPARO_LISTEN")]
    listen: Option<String>,

    /// A name by which browsers may call it, besides addresses and localhost: that of a proxy, for instance
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        requires = "listen",
        env = "AMPARO_ALLOW_HOST"
    )]
    allow_host: Vec<String>,
}

/// `HOST:PORT`.
fn address(text: &str) -> Result<String, String> {
    let parts = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    match parts.and_then(|(_, port)| port.parse::<u16>().ok()) {
        Some(_) => Ok(text.to_owned()),
        None => Err("not a HOST:PORT like 127.0.0.1:9464".to_owned()),
    }
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
    let board = Board::new(workspace.clock);
    let server = match &args.listen {
        Some(listen) => Some(serve(listen, args, &workspace, &board, terminal)?),
        None => None,
    };
    let attendance = board.attend();
    let signal = reconcile::watch(&workspace, &options, &mut Desk { terminal, board });
    drop(attendance);
    if let Some(server) = server {
        server.stop();
    }
    Ok(ExitStatus::Signal(signal))
}

/// Starts the HTTP endpoints, which show what the ledger says until the first pass has ended.
fn serve(
    listen: &str,
    args: &Args,
    workspace: &Workspace,
    board: &Board,
    terminal: &Terminal,
) -> Result<Server, CliError> {
    let server = Server::start(listen, &args.allow_host, board.clone())?;
    terminal.say(&format!("listening on http://{}", server.address()));
    // What is wrong with it the first pass says.
    if let Ok(ledger) = LedgerNow::read(workspace) {
        board.know(ledger);
    }
    Ok(server)
}

/// Tells people and machines what the daemon does.
struct Desk<'a> {
    terminal: &'a Terminal,
    board: Board,
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
        self.board.started();
        tracing::debug!(number, %at, "a pass begins");
    }

    fn pass_ended(&mut self, end: &PassEnd<'_>) {
        self.board.finished(end.outcome);
        match end.outcome {
            Ok(report) => tracing::info!(end.number, end.seconds, report.recorded, "pass"),
            Err(error) => tracing::error!(end.number, "{error}"),
        }
    }

    fn turns(&mut self) {
        self.board.turns();
    }
}

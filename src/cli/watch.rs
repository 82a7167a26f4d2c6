//! `amparo watch`.

use std::time::Duration;

use clap::builder::FalseyValueParser;

use crate::reconcile::http::Server;
use crate::reconcile::{self, Board, LedgerNow, TURN, Tries, WatchOptions, Workspace};

use super::desk::Desk;
use super::error::{CliError, ExitStatus};
use super::global::{Global, Output, duration};
use super::signals;
use super::systemd::{self, Systemd};
use super::terminal::Terminal;

/// Run as a daemon: a pass at start, on every change, and at every interval
///
/// The same pass as `apply --auto-approve`: at start, when policies, requests or approvals change, when
/// a due date, a hold's end, a package's expiry or a retry falls due, and at every interval. It prints one
/// line for each pass that did something, and ends on SIGTERM or SIGINT once the file in work is done.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A pass at least that often, such as 30s, 5m or 1h
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = some_time, env = "AMPARO_INTERVAL")]
    interval: Duration,

    /// A pass also when files of a dataset change
    #[arg(long, env = "AMPARO_WATCH_DATA", value_parser = FalseyValueParser::new())]
    watch_data: bool,

    /// Look for changes every so often, not on events of the file system [default: 30s where it gives none]
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "30s", value_parser = some_time, env = "AMPARO_POLL")]
    poll: Option<Duration>,

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

/// A duration, but not none at all.
fn some_time(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("at least 1s".to_owned()),
        some => Ok(some),
    }
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
    let output = terminal.output_of("watch", Output::DATA)?;
    let systemd = Systemd::new();
    let patience = systemd.every().unwrap_or(Duration::MAX);
    let mut workspace = global.workspace();
    workspace.tries = Tries::Due;
    workspace.lock_wait = workspace.lock_wait.min(patience);
    workspace.stop = signals::stop();
    workspace.stop.wakes(systemd::stopping);
    signals::drain();
    let options = WatchOptions {
        interval: args.interval,
        data: args.watch_data,
        poll: args.poll,
        turn: TURN.min(patience),
    };
    let board = Board::new(workspace.clock);
    let server = match &args.listen {
        Some(listen) => Some(serve(listen, args, &workspace, &board, terminal)?),
        None => None,
    };
    let attendance = board.attend();
    let mut desk = Desk::new(terminal, global, output, systemd, board);
    let signal = reconcile::watch(&workspace, &options, &mut desk);
    drop(attendance);
    if let Some(server) = server {
        server.stop();
    }
    tracing::warn!("interrupted; everything done so far is recorded");
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
    // What is wrong with it the first pass says.
    if let Ok(ledger) = LedgerNow::read(workspace) {
        board.know(ledger);
    }
    let server = Server::start(listen, &args.allow_host, board.clone())?;
    terminal.say(&format!("listening on http://{}", server.address()));
    Ok(server)
}

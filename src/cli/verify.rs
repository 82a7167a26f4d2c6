//! `amparo verify`.

use crate::reconcile;
use crate::render::{verify_human, verify_json, verify_markdown};
use crate::store::Head;
use clap::builder::FalseyValueParser;

use super::error::{CliError, ExitStatus};
use super::global::{Global, Output};
use super::progress::Progress;
use super::terminal::Terminal;

/// Check that the ledger is intact, that erasures still hold in today's data, and that packages match
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The ledger's chain only
    #[arg(long, env = "AMPARO_LEDGER", value_parser = FalseyValueParser::new())]
    ledger: bool,

    /// The ledger's head as kept elsewhere, as `apply` prints it
    #[arg(long, value_name = "N:SHA256", env = "AMPARO_HEAD")]
    head: Option<Head>,
}

pub(crate) fn run(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitStatus, CliError> {
    let output = terminal.output_of("verify", Output::REPORT)?;
    let report = reconcile::verify(
        &global.workspace(),
        args.ledger,
        args.head.as_ref(),
        &mut Progress::new(terminal),
    )?;
    if output != Output::Json {
        terminal.diagnostics(&report.diagnostics);
    }
    terminal.print(&match output {
        Output::Json => verify_json(&report),
        Output::Markdown => verify_markdown(&report),
        _ => verify_human(&report, terminal.style()),
    })?;
    let verdict = report.verdict();
    if let Some(failure) = report.failure {
        terminal.error(&failure.into());
    }
    Ok(verdict.into())
}

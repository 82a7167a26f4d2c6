//! `amparo check`.

use crate::reconcile;
use crate::render::{check_human, check_json, check_markdown};
use clap::builder::FalseyValueParser;

use super::error::{CliError, ExitStatus};
use super::global::{Global, Output};
use super::terminal::Terminal;

/// Parse and cross-check policies and requests, without touching data
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also hold them against the Parquet schemas
    #[arg(long, env = "AMPARO_DATA", value_parser = FalseyValueParser::new())]
    data: bool,
}

pub(crate) fn run(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitStatus, CliError> {
    let report = reconcile::check(&global.workspace(), args.data)?;
    match terminal.output() {
        Output::Human => {
            terminal.diagnostics(&report.diagnostics);
            terminal.print(&check_human(&report, terminal.style()))?;
        }
        Output::Json => terminal.print(&check_json(&report))?,
        Output::Markdown => terminal.print(&check_markdown(&report))?,
    }
    Ok(if report.valid { ExitStatus::Done } else { ExitStatus::Invalid })
}

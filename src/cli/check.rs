//! `amparo check`.

use crate::reconcile;
use clap::builder::FalseyValueParser;

use super::ci::{CiArgs, Shown};
use super::error::{CliError, ExitStatus};
use super::global::Global;
use super::terminal::Terminal;

/// Parse and cross-check policies and requests, without touching data
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also hold them against the Parquet schemas
    #[arg(long, env = "AMPARO_DATA", value_parser = FalseyValueParser::new())]
    data: bool,

    #[command(flatten)]
    ci: CiArgs,
}

pub(crate) fn run(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitStatus, CliError> {
    let report = reconcile::check(&global.workspace(), args.data)?;
    args.ci.deliver(Shown::Check(&report), terminal)?;
    Ok(if report.valid { ExitStatus::Done } else { ExitStatus::Invalid })
}

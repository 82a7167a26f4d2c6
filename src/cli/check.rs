//! `amparo check`.

use std::path::PathBuf;

use crate::reconcile::{self, CheckScope};
use clap::builder::FalseyValueParser;

use super::ci::{CiArgs, Shown};
use super::error::{CliError, ExitStatus};
use super::global::Global;
use super::terminal::Terminal;

/// Parse and cross-check policies and requests, without touching data
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also hold them against the Parquet schemas, and a sample of the values of columns without a label
    #[arg(long, env = "AMPARO_DATA", value_parser = FalseyValueParser::new())]
    data: bool,

    /// Also look below DIR for data that no dataset covers; implies --data. May be repeated
    #[arg(long = "root", value_name = "DIR", env = "AMPARO_ROOT")]
    roots: Vec<PathBuf>,

    #[command(flatten)]
    ci: CiArgs,
}

pub(crate) fn run(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitStatus, CliError> {
    let scope = CheckScope { data: args.data, roots: args.roots.clone() };
    let report = reconcile::check(&global.workspace(), &scope)?;
    args.ci.deliver(Shown::Check(&report), terminal)?;
    Ok(if report.valid { ExitStatus::Done } else { ExitStatus::Invalid })
}

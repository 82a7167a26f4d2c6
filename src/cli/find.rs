//! `amparo find`.

use crate::reconcile;
use crate::render::{find_human, find_json, find_markdown};

use super::error::{CliError, ExitStatus};
use super::global::{Global, Output};
use super::identities;
use super::progress::Progress;
use super::terminal::Terminal;

/// Show in which datasets, files and how many rows a subject appears
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Identities; `-` reads them from standard input, one NAMESPACE=VALUE a line, so that they stay
    /// out of shell histories
    #[arg(value_name = "NAMESPACE=VALUE", required = true)]
    identities: Vec<String>,

    /// Break the counts down by these selectable fields; `source` is the data source
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',', env = "AMPARO_BY")]
    by: Vec<String>,
}

pub(crate) fn run(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitStatus, CliError> {
    let output = terminal.output_of("find", Output::REPORT)?;
    let identities = identities::read(&args.identities)?;
    let report =
        reconcile::find(&global.workspace(), identities, &args.by, &mut Progress::new(terminal))?;
    if output != Output::Json {
        terminal.diagnostics(&report.diagnostics);
    }
    // Where nothing was searched there is no table; a document says so.
    if output == Output::Json || report.failure.is_none() {
        terminal.print(&match output {
            Output::Json => find_json(&report),
            Output::Markdown => find_markdown(&report),
            _ => find_human(&report),
        })?;
    }
    match report.failure {
        Some(failure) => Err(failure.into()),
        None => Ok(report.verdict.into()),
    }
}

//! `amparo retire`.

use crate::model::Name;
use crate::reconcile;
use crate::render::{retire_human, retire_json};

use super::error::{CliError, ExitStatus};
use super::global::{Global, Output};
use super::terminal::Terminal;

/// Replace the identities of a finished request by their keyed digests
///
/// The request stays the same for the ledger, and `verify` can still look its identities up. Only a request of
/// which every task is done is retired. Git keeps what was committed before.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The request
    #[arg(value_name = "REQUEST")]
    request: String,
}

pub(crate) fn run(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitStatus, CliError> {
    let output = terminal.output_of("retire", Output::DATA)?;
    let request = Name::new(&args.request).map_err(|error| CliError::Usage {
        what: "that is no request's name".to_owned(),
        hint: format!("it {error}; `amparo status` lists the requests"),
    })?;
    let report = reconcile::retire(&global.workspace(), &request)?;
    match output {
        Output::Json => terminal.print(&retire_json(&report))?,
        _ => terminal.print(&retire_human(&report))?,
    }
    Ok(ExitStatus::Done)
}

//! `amparo status`.

use clap::ValueEnum;

use crate::reconcile;
use crate::render::{Vocabulary, status_human, status_json, status_markdown};

use super::error::{CliError, ExitStatus};
use super::global::{Global, Output};
use super::terminal::Terminal;

/// Whose words phases are shown in
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum As {
    /// Adobe Privacy Service
    Adobe,
    /// OpenDSR
    Opendsr,
    /// Data Rights Protocol
    Drp,
}

/// Show tasks with phase, reason, due date and counts, as the ledger knows them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// One request, or one block of it
    #[arg(value_name = "REQUEST[/KEY]", env = "AMPARO_REQUEST")]
    request: Option<String>,

    /// In the words of another system
    #[arg(long = "as", value_enum, value_name = "SYSTEM", env = "AMPARO_AS")]
    vocabulary: Option<As>,
}

pub(crate) fn run(
    args: &Args,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitStatus, CliError> {
    let output = terminal.output_of("status", Output::REPORT)?;
    let report = reconcile::status(&global.workspace(), args.request.as_deref())?;
    if let Some(wanted) = &args.request
        && report.tasks.is_empty()
    {
        return Err(CliError::Usage {
            what: format!("the ledger knows no request or block {wanted:?}"),
            hint: "`amparo status` lists what it knows; a request is known after the first `amparo apply`".to_owned(),
        });
    }
    let vocabulary = match args.vocabulary {
        None => Vocabulary::Amparo,
        Some(As::Adobe) => Vocabulary::Adobe,
        Some(As::Opendsr) => Vocabulary::OpenDsr,
        Some(As::Drp) => Vocabulary::Drp,
    };
    terminal.print(&match output {
        Output::Json => status_json(&report, vocabulary),
        Output::Markdown => status_markdown(&report, vocabulary),
        _ => status_human(&report, vocabulary, terminal.style()),
    })?;
    Ok(ExitStatus::Done)
}

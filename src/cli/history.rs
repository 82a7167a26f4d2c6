//! `amparo history`.

use crate::reconcile;
use crate::render::{history_human, history_json, history_markdown};

use super::error::{CliError, ExitStatus};
use super::global::{Global, Output};
use super::terminal::Terminal;

/// List exports and deletions: source, requested, handled, status, package, expiry
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(
    _args: &Args,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitStatus, CliError> {
    let output = terminal.output_of("history", Output::REPORT)?;
    let entries = reconcile::history(&global.workspace())?;
    terminal.print(&match output {
        Output::Json => history_json(&entries),
        Output::Markdown => history_markdown(&entries),
        _ => history_human(&entries),
    })?;
    Ok(ExitStatus::Done)
}
